"""What a deploy prints (EXPERIENCE.md 3): at most eight lines; the same facts as HTML and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cellship.magics import words
from cellship.magics.view import View
from cellship.snapshot.candidate import Receipt, ShippedValue

MIME = "application/vnd.cellship.deployment.v1+json"
WIDTH = 73
LABEL = 9
KEEPS_WARM = frozenset({"ready", "draining", "warm"})
EMPTY_RECEIPT = Receipt(entry="", values=(), packages=())


@dataclass(frozen=True, repr=False)
class Deployed(View):
    """The result of a deploy. `url` is the deployment's address, without a version."""

    name: str
    version: int
    url: str
    snapshot: str
    receipt: Receipt = EMPTY_RECEIPT
    state: str = ""
    seconds: float = 0.0
    bytes_moved: int = 0
    created: bool = True
    candidate: bool = False
    why_candidate: str = ""
    marked_bad: Mapping[str, Any] | None = None
    live: str | None = None
    previous: int | None = None
    previous_state: str = ""
    changed: tuple[str, ...] = ()
    first: bool = False
    replicas: int | None = None
    paused: bool = False
    packages_moved: bool = False
    notes: tuple[str, ...] = ()

    mime = MIME

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    def text(self) -> str:
        if self.marked_bad is not None:
            return self._bad()
        if not self.created:
            return f"This is {self.label} already; nothing shipped. {words.seconds(self.seconds)}"
        if self.candidate:
            return self._waiting()
        return "\n".join(self._block()) if self.first else self._line()

    def data(self) -> dict[str, Any]:
        facts = {
            name: getattr(self, name)
            for name in ("name", "version", "url", "snapshot", "state", "live", "created")
        }
        facts |= {"candidate": self.candidate, "bytes_moved": self.bytes_moved}
        facts |= {"seconds": round(self.seconds, 3), "changed": list(self.changed)}
        return facts | {"receipt": asdict(self.receipt)}

    def _bad(self) -> str:
        mark = self.marked_bad or {}
        why = f": {mark['why']}" if mark.get("why") else ""
        who = f" by {mark['by']}" if mark.get("by") else ""
        when = f" {words.ago(str(mark['at']))}" if mark.get("at") else ""
        return (
            f"This is {self.label}, marked bad{who}{when}{why}. Nothing shipped.\n"
            f"  To use it all the same: %cellship promote {self.label}"
        )

    def _waiting(self) -> str:
        why = f": {self.why_candidate}" if self.why_candidate else ""
        return (
            f"{self.label} is ready but not live{why}. Promote: %cellship promote {self.label}"
            f"   {words.seconds(self.seconds)} · moved {words.size(self.bytes_moved)}"
        )

    def _headline(self) -> str:
        if self.replicas == 0:
            return f"{self.label} is stored; no process runs for it (--replicas 0)"
        if self.paused:
            return f"{self.label} is stored; it starts when {self.name} is resumed"
        if self.live == self.label:
            return f"{self.label} is live"
        return f"{self.label} is ready; {self.live or 'nothing'} answers"

    def _line(self) -> str:
        parts = [words.seconds(self.seconds)]
        if self.changed:
            parts.append(f"changed: {words.listed(self.changed)}")
        parts.append(f"moved {words.size(self.bytes_moved)}")
        if self.previous is None or self.paused or self.live != self.label:
            line = f"{self._headline()}   {' · '.join(parts)}"
            return "\n".join([line, *self._notes()])
        before = f"{self.name}@{self.previous}"
        warm = f" ({before} stays warm)" if self.previous_state in KEEPS_WARM else ""
        parts.append(f"undo: %cellship rollback {self.name}{warm}")
        return "\n".join(
            [f"{self._headline()}, was {before}   {' · '.join(parts)}", *self._notes()]
        )

    def _notes(self) -> list[str]:
        return [f"  {note}" for note in (*self.notes, *self.receipt.notes)[:2]]

    def _block(self) -> list[str]:
        took = words.seconds(self.seconds)
        head = self._headline()
        lines = [f"{head:<{WIDTH - len(took)}}{took}", *self._calls()]
        lines.append(row("checked", checked(self.receipt)))
        lines.append(row("ships", ships(self.receipt)))
        packages = ", packages for the first time" if self.packages_moved else ""
        lines.append(row("moved", f"{words.size(self.bytes_moved)}{packages}"))
        lines += note_row((*self.notes, *self.receipt.notes))
        return [*lines, f"{row('undo', self._undo()):<{47}}logs  %cellship logs {self.name}"]

    def _calls(self) -> list[str]:
        if self.replicas == 0:
            return [row("use", f"%cellship exec {self.name} EXPRESSION")]
        example = f"curl -s {self.url}/-/example | curl {self.url} -d @-"
        return [row("call", self.url), row("", example)]

    def _undo(self) -> str:
        if self.previous is None:
            return "nothing to go back to yet"
        return f"%cellship rollback {self.name}"


@dataclass(frozen=True, repr=False)
class Plan(View):
    """What a deploy would ship, and why (`--plan`). Nothing was kept."""

    name: str
    snapshot: str
    receipt: Receipt
    packages: tuple[tuple[str, str, int], ...]  # name and version, why, bytes
    values_size: int
    missing_size: int
    same_as: int | None = None  # the version that holds just this already

    def text(self) -> str:
        lines = [self._headline()]
        lines.append(row("entry", self.receipt.entry))
        lines += labelled("ships", [shipped(value) for value in self.receipt.values])
        lines += labelled("packages", [package_line(*package) for package in self.packages])
        lines.append(row("moves", f"{words.size(self.missing_size)} that the store lacks"))
        lines.append(row("checked", checked(self.receipt, most=20)))
        lines += labelled("isolated", list(self.receipt.isolation))
        return "\n".join([*lines, *labelled("notes", list(self.receipt.notes))])

    def _headline(self) -> str:
        if self.same_as is not None:
            return f"{self.name}: this is {self.name}@{self.same_as} already; nothing would ship"
        return f"{self.name}: would ship (nothing was kept)"

    def data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "snapshot": self.snapshot,
            "moves": self.missing_size,
            "packages": [
                {"name": name, "why": why, "size": size} for name, why, size in self.packages
            ],
            "receipt": asdict(self.receipt),
        }


def row(label: str, content: str) -> str:
    return f"  {label:<{LABEL}}{content}"


def labelled(label: str, contents: list[str]) -> list[str]:
    """The label once, its contents below each other."""
    return [row(label if not place else "", content) for place, content in enumerate(contents)]


def package_line(name: str, why: str, size: int) -> str:
    return f"{name}, {words.size(size)}" + (f": {why}" if why else "")


def ships(receipt: Receipt) -> str:
    """`predict (cell 4), model (cell 3, RandomForestClassifier, 1.9 MiB), 5 packages (…)`."""
    names = [shipped(value) for value in receipt.values]
    parts = [words.listed(names)] if names else [receipt.entry]
    if receipt.packages:
        first = receipt.packages[0] + (", ..." if len(receipt.packages) > 1 else "")
        parts.append(f"{words.count(len(receipt.packages), 'package')} ({first})")
    return ", ".join(parts)


def shipped(value: ShippedValue) -> str:
    facts = [f"cell {value.cell}"] if value.cell is not None else []
    if value.kind == "value":
        facts.append(value.type)
    if value.kind in ("value", "file") and value.size:
        facts.append(words.size(value.size))
    return f"{value.name} ({', '.join(facts)})" if facts else value.name


def checked(receipt: Receipt, most: int = 2) -> str:
    if not receipt.checked:
        return "no example: answers not compared"
    return words.listed(receipt.checked, most)


def note_row(notes: tuple[str, ...]) -> list[str]:
    """At most one line: the first note, and how many more the receipt has."""
    if len(notes) == 0:
        return []
    more = f" (and {len(notes) - 1} more: %%deploy --plan)" if len(notes) > 1 else ""
    return [row("note", notes[0].splitlines()[0] + more)]
