"""The parser of frames: any cutting of the bytes gives the same frames, and garbage is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellship.backend.worker.frames import (
    AFTER_LENGTH,
    HEADER,
    MAX_FRAME,
    BadFrame,
    Kind,
    Parser,
    call_payload,
    frame,
    parse_call,
)

FRAMES = st.lists(
    st.tuples(
        st.sampled_from(Kind),
        st.integers(0, 255),
        st.integers(0, 2**64 - 1),
        st.binary(max_size=200),
    ),
    max_size=20,
)
NAMES = st.text(st.characters(max_codepoint=127), max_size=255)


def joined(frames: list[tuple[Kind, int, int, bytes]]) -> bytes:
    return b"".join(frame(kind, stream, body, flags) for kind, flags, stream, body in frames)


@given(FRAMES, st.data())
def test_any_cutting_gives_the_same_frames(
    frames: list[tuple[Kind, int, int, bytes]], data: st.DataObject
) -> None:
    stream = joined(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    parser = Parser()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[start:stop])
    assert found == frames


@given(FRAMES)
def test_byte_by_byte(frames: list[tuple[Kind, int, int, bytes]]) -> None:
    parser = Parser()
    found = []
    for byte in joined(frames):
        found += parser.feed(bytes([byte]))
    assert found == frames


@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=10))
def test_garbage_is_refused_or_waits_for_more(garbage: bytes, sizes: list[int]) -> None:
    parser = Parser()
    taken = 0
    try:
        for size in [*sizes, len(garbage)]:
            for _, _, _, payload in parser.feed(garbage[taken : taken + size]):
                assert len(payload) <= len(garbage)
            taken += size
    except BadFrame:
        pass  # refused, as it should be


@pytest.mark.parametrize("length", [0, AFTER_LENGTH - 1, MAX_FRAME + 1, 2**32 - 1])
def test_a_length_that_no_frame_has(length: int) -> None:
    with pytest.raises(BadFrame):
        Parser().feed(HEADER.pack(length, Kind.CALL, 0, 0, 1))


def test_a_large_frame_in_many_pieces_is_not_copied_again_for_each() -> None:
    whole = frame(Kind.ANSWER, 1, bytes(8 << 20)) + frame(Kind.PONG, 2)
    parser = Parser()
    found = []
    for start in range(0, len(whole), 4096):
        found += parser.feed(memoryview(whole)[start : start + 4096])
    assert [(kind, len(payload)) for kind, _, _, payload in found] == [
        (Kind.ANSWER, 8 << 20),
        (Kind.PONG, 0),
    ]


@given(NAMES, NAMES, st.binary())
def test_a_call_comes_back(method: str, request_id: str, body: bytes) -> None:
    assert parse_call(call_payload(method, request_id, body)) == (method, request_id, body)


@given(st.binary(max_size=64))
def test_any_payload_is_a_call_or_refused(payload: bytes) -> None:
    try:
        method, request_id, body = parse_call(payload)
    except BadFrame:
        return
    assert call_payload(method, request_id, body) == payload
