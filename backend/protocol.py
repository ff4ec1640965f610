"""The number that client and service compare before they speak."""

from __future__ import annotations

PROTOCOL = 1
OLDEST_SERVED = 1
