"""Frames between the gateway (or the control plane) and a worker.

A frame is `length u32 | kind u8 | flags u8 | reserved u16 | stream u64 | payload`, big-endian;
`length` counts the bytes after itself. docs/contributors/frames.md describes the protocol.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import List, Tuple, Union

PROTOCOL = 1
HEADER = struct.Struct("!IBBHQ")
AFTER_LENGTH = HEADER.size - 4
MAX_FRAME = 256 * 1024 * 1024

LOSSY = 0x01  # flag of ANSWER: a NaN or an infinity became null

Bytes = Union[bytes, bytearray, memoryview]
Frame = Tuple[int, int, int, bytes]  # kind, flags, stream, payload


class Kind(IntEnum):
    """What a frame says. Numbers are only ever added."""

    HELLO = (
        1  # worker, first on each connection: JSON replica, snapshot, deployment, version, state
    )
    READY = 2  # worker, to every connection, once loaded: JSON
    CALL = 3  # client: `call_payload`; the stream id is the client's choice, unique per connection
    ANSWER = 4  # worker: the JSON body of the answer, to the stream of its CALL
    FAIL = 5  # worker: JSON {"status", "error": {"code", "message", "hint", "details"}}
    PING = 6  # client
    PONG = 7  # worker
    SHUTDOWN = 8  # client: finish what runs, take nothing new, exit 0
    CANCEL = 9  # client: nobody waits for this stream any more


class BadFrame(ValueError):
    """The peer does not speak this protocol; the connection is of no further use."""


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(AFTER_LENGTH + len(payload), kind, flags, 0, stream) + payload


def call_payload(method: str, request_id: str, body: bytes) -> bytes:
    """Payload of CALL: `u8 | method | u8 | request id | JSON body`; names ASCII, up to 255 long."""
    name, rid = method.encode("ascii"), request_id.encode("ascii")
    return bytes((len(name),)) + name + bytes((len(rid),)) + rid + body


def parse_call(payload: bytes) -> Tuple[str, str, bytes]:
    """(method, request id, body) of a CALL payload. Raises BadFrame."""
    try:
        end = 1 + payload[0]
        start = end + 1
        stop = start + payload[end]
        method = payload[1:end].decode("ascii")
        request_id = payload[start:stop].decode("ascii")
    except (IndexError, UnicodeDecodeError) as error:
        raise BadFrame("a call that is cut short") from error
    if stop > len(payload):
        raise BadFrame("a call that is cut short")
    return method, request_id, payload[stop:]


class Parser:
    """Cuts a byte stream into frames: feed it what came, iterate over what is complete."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: Bytes) -> List[Frame]:
        """List of (kind, flags, stream, payload) that `data` completes. Raises BadFrame."""
        rest = self._rest
        if rest:
            rest += data
            frames, used = cut(rest)
            del rest[:used]
        else:
            # the usual turn: whole frames arrived, and nothing is copied but their payloads
            frames, used = cut(data)
            if used < len(data):
                rest += data[used:]
        return frames


def cut(buffer: Bytes) -> Tuple[List[Frame], int]:
    """The whole frames at the front of `buffer`, and how many bytes they take. Raises BadFrame."""
    frames: List[Frame] = []
    at, size, start = 0, len(buffer), HEADER.size
    unpack = HEADER.unpack_from
    with memoryview(buffer) as view:
        while size - at >= start:
            length, kind, flags, reserved, stream = unpack(view, at)
            if not AFTER_LENGTH <= length <= MAX_FRAME or reserved or not kind:
                raise BadFrame("bytes that are no frame")
            end = at + 4 + length
            if end > size:
                break
            frames.append((kind, flags, stream, bytes(view[at + start : end])))
            at = end
    return frames, at
