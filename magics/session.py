"""Who is asking: a notebook, or a shell. Every command gets one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellship.magics.surface import Surface

if TYPE_CHECKING:
    from cellship.backend.client import Client
    from cellship.magics.view import View

Capture = Callable[..., Any]


@dataclass
class Session:
    """`shell` is IPython's, or None in a system shell; `capture` replaces the real one in tests."""

    shell: Any = None
    record: Any = None  # the CellRecord of the shell
    data: Path | None = None  # --data
    capture: Capture | None = None
    surface: Surface = field(init=False)

    def __post_init__(self) -> None:
        self.surface = Surface(self.shell)

    @property
    def in_notebook(self) -> bool:
        return self.shell is not None

    @property
    def namespace(self) -> dict[str, Any]:
        found: dict[str, Any] = self.shell.user_ns if self.shell is not None else {}
        return found

    def client(self) -> Client:
        """The running service; NoBackend with the line that starts it."""
        from cellship.backend.client import Client

        return Client.find(self.data)

    def client_or_start(self) -> Client:
        """The service, started if it does not run."""
        from cellship.backend.client import connect_or_start

        return connect_or_start(self.data, self.surface.say)

    def fresh(self) -> Session:
        """The same for one more command: outputs begin anew."""
        return Session(self.shell, self.record, self.data, self.capture)

    def show(self, view: View) -> None:
        if self.in_notebook:
            self.surface.show(view)
        else:
            print(self.as_typed_here(view.text()), flush=True)

    def say(self, text: str) -> None:
        self.surface.say(self.as_typed_here(text))

    def out(self, text: str) -> None:
        """A result that programs read: on stdout, as it is."""
        print(text, flush=True)

    def as_typed_here(self, text: str) -> str:
        """Commands are typed without the percent sign in a shell."""
        return text if self.in_notebook else text.replace("%cellship", "cellship")
