"""Where output goes: a notebook's display, a terminal, or plain text."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellship.magics.view import View

REDRAW = 1.0  # seconds between two updates of one display
KEPT_LINES = 200


@dataclass(frozen=True)
class Text:
    """Text that a display shows as it is."""

    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.text}


class Surface:
    """One command's output. Results go to stdout or a display, everything else to stderr."""

    def __init__(self, shell: Any = None) -> None:
        self.shell = shell
        self._handle: Any = None
        self._lock = threading.Lock()

    @property
    def has_kernel(self) -> bool:
        """Whether outputs are displays, which can be changed once shown."""
        return getattr(self.shell, "kernel", None) is not None

    @property
    def has_front_end(self) -> bool:
        """Whether somebody watches: nbclient, papermill and nbval allow no input."""
        kernel = getattr(self.shell, "kernel", None)
        return bool(getattr(kernel, "_allow_stdin", False))

    @property
    def is_terminal(self) -> bool:
        return not self.has_kernel and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """A line beside the result."""
        print(text, file=sys.stderr, flush=True)

    def show(self, view: View) -> None:
        """The result; takes the place of what `update` showed before."""
        if self.shell is None:
            print(view.text(), flush=True)
        elif self.has_kernel:
            self._display(view)
        else:
            self.erase()
            print(view.text(), flush=True)

    def update(self, text: str, plain: str = "") -> None:
        """Show or replace one passing line; where nothing can be replaced, `plain` once.

        Where nobody watches, nothing: nbval, for one, cannot replace what was shown.
        """
        if self.has_kernel:
            if self.has_front_end:
                self._display(Text(text))
        elif self.is_terminal:
            print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
            self._handle = text
        elif plain != self._handle:
            self.say(plain)
            self._handle = plain

    def erase(self) -> None:
        """Take the passing line away."""
        if self._handle is None:
            return
        if self.has_kernel:
            self._display(Text(""))
        elif self.is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
        self._handle = None

    def _display(self, content: Any) -> None:
        from IPython import display as displays

        with self._lock:
            if self._handle is None:
                show: Any = displays.display
                self._handle = show(content, display_id=True)
            else:
                self._handle.update(content)


class Lines:
    """Lines that keep coming: the newest 200 in place in a notebook, all of them elsewhere."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.shown: deque[str] = deque(maxlen=KEPT_LINES)
        self._drawn = 0.0
        self._new = False

    def add(self, lines: list[str]) -> None:
        """Lines that came, or none: those of before may be due now."""
        if not self.surface.has_front_end:
            print(*lines, sep="\n", flush=True) if lines else None
            return
        self.shown.extend(lines)
        self._new |= bool(lines)
        if self._new and time.monotonic() - self._drawn >= REDRAW:
            self.draw()

    def draw(self) -> None:
        """Show what has come, now."""
        if self.surface.has_front_end and self._new:
            self._drawn, self._new = time.monotonic(), False
            self.surface.update("\n".join(self.shown))
