"""What nbval compares: the text and the HTML of an output, not the same facts once more as JSON."""

from __future__ import annotations

from typing import Any


def pytest_collectstart(collector: Any) -> None:
    if getattr(collector, "skip_compare", None) is not None:
        collector.skip_compare += ("application/vnd.cellship.deployment.v1+json",)
