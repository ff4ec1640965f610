"""Types of what is typed, and what completion offers for them."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from cellship.magics.grammar import Target, duration, target
from cellship.magics.session import Session

if TYPE_CHECKING:
    Typed = click.ParamType[Any]
else:
    Typed = click.ParamType  # not generic in older versions of click

REMEMBERED = 5.0  # seconds that names are offered without asking again
PATIENCE = 0.2

_names: dict[Any, tuple[float, list[str]]] = {}


class TargetType(Typed):
    """NAME or NAME@VERSION, completed with the names that exist."""

    name = "NAME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Target:
        return value if isinstance(value, Target) else target(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        session = ctx.find_object(Session) or Session()
        return [
            CompletionItem(name)
            for name in deployment_names(session)
            if name.startswith(incomplete)
        ]


class Duration(Typed):
    """20s, 2m, 1h."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        return value if isinstance(value, float) else duration(value)


TARGET = TargetType()
DURATION = Duration()


def deployment_names(session: Session) -> list[str]:
    """Names to offer, from a few seconds ago at most; waits 0.2 s for them and no longer."""
    asked, names = _names.get(session.data, (0.0, []))
    if time.monotonic() - asked < REMEMBERED and asked:
        return names
    asking = threading.Thread(target=remember_names, args=(session,), daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return _names.get(session.data, (0.0, []))[1]


def remember_names(session: Session) -> None:
    from cellship.snapshot.errors import CellshipError

    try:
        names = [found.name for found in session.client().deployments()]
    except CellshipError:  # nothing to offer
        names = []
    _names[session.data] = (time.monotonic(), names)


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
