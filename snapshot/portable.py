"""Whether a snapshot could run on another minor version of Python."""

from __future__ import annotations

from cellship.snapshot.draft import Draft


def why_not_portable(draft: Draft) -> list[str]:
    """Reasons; none for a snapshot of source and plain values."""
    return [f"{name} holds compiled code" for name in sorted(draft.stream.by_value)]
