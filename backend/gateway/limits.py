"""How much, how long, how many. One object, so that a test can shorten what it waits for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and counts. `max_body` and `timeout` come with the routes."""

    head: int = 64 * 1024  # bytes of request line and headers
    arrive: float = 30.0  # for a request to arrive whole
    idle: float = 300.0  # of a kept connection without a request
    unread: float = 60.0  # of an answer that its caller does not read
    linger: float = 5.0  # of reading on after a refusal, so that the refusal is read
    held: int = 1 << 30  # bytes of bodies that were not answered yet, of all callers
    queue: int = 128  # calls that wait, per deployment
    unready: float = 10.0  # for a call to wait while no replica of its version is connected
    connect: float = 5.0  # for a new replica to be ready before a new table takes effect
    drain: float = 75.0  # for the last calls after the end was announced
    ahead: float = 0.002  # of work that may be sent to a replica before it is free
    most_ahead: int = 32  # calls sent to a replica before it is free, at most
    connections: int = 8192
    log_segment: int = 64 * 1024 * 1024
    log_segments: int = 16
