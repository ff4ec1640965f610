"""What the worker answered to the examples, against what the kernel did."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from cellship.snapshot.alike import difference
from cellship.snapshot.awaiting import finished
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.examples import Example
from cellship.snapshot.request import CaptureRequest


def compare_answers(
    report: dict[str, Any], examples: Sequence[Example], live: Any, request: CaptureRequest
) -> tuple[str, ...]:
    """Lines for the receipt. Raises CaptureRefused if a steady entry answers otherwise there."""
    by_text = {example.text: example for example in examples}
    lines = [
        line(answer, by_text.get(answer["text"]), live, request)
        for answer in report.get("answers", ())
    ]
    return tuple(lines) or ("no example: answers not compared",)


def line(
    answer: dict[str, Any], example: Example | None, live: Any, request: CaptureRequest
) -> str:
    text = answer["text"]
    if not answer.get("compared", True):
        return f"{text} gave {answer['answer']} there; its answer here was not kept"
    if answer["same"] or example is None:
        return f"{text} gave {answer['answer']} there as here"
    if not steady(example, live, request.tolerance):
        return f"{text}: not comparable: differs from call to call"
    raise CaptureRefused(
        f"{text} gave {short(example.answer)} here and {answer['answer']} in a clean worker.\n"
        f"  {answer['note']}",
        code="capture.answer-differs",
        hint="It depends on something that did not ship: a file, a variable, the machine.",
    )


def steady(example: Example, live: Any, tolerance: float | None) -> bool:
    """Whether the live entry, called once more, agrees with itself."""
    try:
        again = live(*example.arguments, **example.keywords)
        if inspect.iscoroutine(again):
            again = finished(again)
    except Exception:  # an entry that now raises does not agree with its answer
        return False
    return not difference(example.answer, again, tolerance)


def short(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= 200 else text[:197] + "..."
