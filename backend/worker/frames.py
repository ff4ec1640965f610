"""Frames between the gateway (or the control plane) and a worker.

A frame is `length u32 | kind u8 | flags u8 | reserved u16 | stream u64 | payload`, big-endian;
`length` counts the bytes after itself. docs/contributors/frames.md describes the protocol.
"""

import struct
from enum import IntEnum

PROTOCOL = 1
HEADER = struct.Struct("!IBBHQ")
AFTER_LENGTH = HEADER.size - 4
MAX_FRAME = 256 * 1024 * 1024

LOSSY = 0x01  # flag of ANSWER: a NaN or an infinity became null


class Kind(IntEnum):
    """What a frame says. Numbers are only ever added."""

    HELLO = 1  # worker, first on each connection: JSON replica, snapshot, deployment, version, state
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


def frame(kind, stream, payload=b"", flags=0):
    """The bytes of one frame."""
    return HEADER.pack(AFTER_LENGTH + len(payload), kind, flags, 0, stream) + payload


def call_payload(method, request_id, body):
    """Payload of CALL: `u8 | method | u8 | request id | JSON body`, names in ASCII, at most 255 long."""
    name, rid = method.encode("ascii"), request_id.encode("ascii")
    return bytes((len(name),)) + name + bytes((len(rid),)) + rid + body


def parse_call(payload):
    """(method, request id, body) of a CALL payload."""
    try:
        end = 1 + payload[0]
        method = bytes(payload[1:end]).decode("ascii")
        start = end + 1
        stop = start + payload[end]
        request_id = bytes(payload[start:stop]).decode("ascii")
    except (IndexError, UnicodeDecodeError) as error:
        raise BadFrame("a call that is cut short") from error
    return method, request_id, payload[stop:]


class Parser:
    """Cuts a byte stream into frames: feed it what came, iterate over what is complete."""

    def __init__(self):
        self._buffer = bytearray()

    def feed(self, data):
        """List of (kind, flags, stream, payload) that `data` completes. Raises BadFrame."""
        buffer = self._buffer
        buffer += data
        frames, at, size = [], 0, len(buffer)
        while size - at >= HEADER.size:
            length, kind, flags, _, stream = HEADER.unpack_from(buffer, at)
            if not AFTER_LENGTH <= length <= MAX_FRAME:
                raise BadFrame(f"a frame of {length} bytes")
            end = at + 4 + length
            if end > size:
                break
            frames.append((kind, flags, stream, bytes(buffer[at + HEADER.size : end])))
            at = end
        if at:
            del buffer[:at]
        return frames
