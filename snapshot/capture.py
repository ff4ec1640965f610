"""A live entry becomes a candidate: source first, values beside it, checked always."""

from __future__ import annotations

import shutil
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cellship.snapshot.answers import compare_answers
from cellship.snapshot.candidate import Candidate, Receipt
from cellship.snapshot.cells import CellRecord
from cellship.snapshot.draft import Draft, draft_of
from cellship.snapshot.entry_kind import live_entry
from cellship.snapshot.folder import write_candidate, write_schema
from cellship.snapshot.items import Decisions
from cellship.snapshot.learn import changes_by_itself, learn
from cellship.snapshot.recorded import examples_of
from cellship.snapshot.request import CaptureRequest

Admit = Callable[[Candidate], dict[str, Any]]
ATTEMPTS = 8


@dataclass
class Learned:
    """What earlier attempts of this capture taught."""

    decisions: Decisions = field(default_factory=Decisions)
    roots: dict[str, str] = field(default_factory=dict)  # modules that the worker missed


def capture(
    request: CaptureRequest,
    namespace: MutableMapping[str, Any],
    record: CellRecord,
    staging: Path,
    *,
    admit: Admit,
    cache: Path | None = None,
    known: Callable[[str], bool] | None = None,
) -> Candidate:
    """Capture `request.entry` from a notebook's `namespace`, in files below `staging`.

    `admit` runs the worker's verb on a candidate and returns its report. `known` is asked with the
    snapshot's digest before each admit; True ends the capture there. `cache` keeps what was learned
    about packages. Raises CaptureRefused; the kernel's state is never changed.
    """
    live = live_entry(request.entry, namespace)
    examples = examples_of(request, live, namespace, record)
    learned = Learned()
    for _ in range(ATTEMPTS):
        draft = draft_of(request, namespace, record, learned.decisions)
        candidate = write(draft, request, record, staging, examples, learned, cache)
        if known is not None and known(candidate.digest):
            return candidate
        report = admit(candidate)
        if report.get("ok"):
            checked = compare_answers(report, examples.found, live, request)
            write_schema(candidate.folder, report.get("schema") or {})
            return finished(candidate, report, checked, examples.notes)
        learn(report, learned.decisions, learned.roots, draft)
    raise changes_by_itself(request.entry)


def write(
    draft: Draft,
    request: CaptureRequest,
    record: CellRecord,
    staging: Path,
    examples: Any,
    learned: Learned,
    cache: Path | None,
) -> Candidate:
    """The candidate's folders, made anew."""
    for name in ("snapshot", "admit"):
        shutil.rmtree(staging / name, ignore_errors=True)
        (staging / name).mkdir(parents=True)
    return write_candidate(draft, request, record, staging, examples, learned.roots, cache)


def finished(
    candidate: Candidate, report: dict[str, Any], checked: tuple[str, ...], notes: list[str]
) -> Candidate:
    receipt: Receipt = replace(
        candidate.receipt,
        checked=checked,
        notes=(*candidate.receipt.notes, *report.get("notes", ()), *notes),
        isolation=tuple(report.get("isolation", ())),
    )
    return replace(candidate, receipt=receipt, report=report)
