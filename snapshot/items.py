"""What source.py is made of, before it is text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cellship.snapshot.refusal import Place
from cellship.snapshot.statements import Statement

Position = tuple[int, int]
NOWHERE: Position = (1 << 30, 0)


@dataclass
class Item:
    """Something that binds the name `key` in source.py.

    `first`: keys that must be there before it runs. `later`: keys that it reads when it is called.
    """

    key: str
    position: Position = NOWHERE
    place: Place = field(default_factory=Place)
    first: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


@dataclass
class Import(Item):
    """An import line."""

    text: str = ""


@dataclass
class Setting(Item):
    """A line that sets something of a library; it binds nothing."""

    text: str = ""


@dataclass
class Constant(Item):
    """A small immutable value, written out."""

    text: str = ""


@dataclass
class Alias(Item):
    """A second name of something that is defined under another."""

    of: str = ""


@dataclass
class Value(Item):
    """A name whose value lies in the graph."""

    thing: Any = None
    cell: int | None = None  # where the name was bound


@dataclass(frozen=True)
class Overlay:
    """Live state that running a definition again does not give: `path = text`, or loaded."""

    path: str  # "Cfg.lr"
    thing: Any
    text: str | None  # the literal; None: it lies in the graph
    removed: bool = False  # the live object has no such attribute
    call: bool = False  # `path(thing)` instead of an assignment
    number: int = 0  # of several calls of one path

    @property
    def name(self) -> str:
        """What the stream calls the value."""
        return f"{self.path}({self.number})" if self.call else self.path


@dataclass
class Definition(Item):
    """A def, a class, or an assignment that makes one, as the notebook has it."""

    text: str = ""
    name: str = ""  # what the statement binds; `key` differs for an older definition of a name
    thing: Any = None
    statement: Statement | None = None
    kind: str = "function"
    postponed: bool = False  # compiled under `from __future__ import annotations`
    active: bool = False  # running it calls code: decorators, bases, metaclasses
    rewritten: bool = False  # without its magics: its code is not the live code
    overlays: list[Overlay] = field(default_factory=list)
    after: list[str] = field(default_factory=list)  # statements that belong to it: registrations


@dataclass
class Inner(Item):
    """Code of functions that travel by value, as text (`inner_code`)."""

    text: str = ""
    name: str = ""  # of the code within


@dataclass
class Patch(Item):
    """An attribute that the notebook set on somebody else's module or class."""

    path: str = ""
    thing: Any = None
    text: str | None = None


@dataclass
class Decisions:
    """What an earlier attempt taught: paths that need live state, definitions that go by value."""

    overlays: dict[str, set[str]] = field(default_factory=dict)  # key -> paths
    removed: dict[str, set[str]] = field(default_factory=dict)
    by_value: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)  # values that a definition has changed before
