"""What stands in for IPython, and for `cellship`, in a worker."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any, List, Union

QUIET_MAGICS = frozenset(
    {"matplotlib", "config", "autoreload", "load_ext", "reload_ext", "precision"}
)


def register() -> None:
    """Let user code find `display` without IPython, and `import cellship` an empty module."""
    import builtins

    builtins.display = display  # type: ignore[attr-defined]
    sys.modules.setdefault(
        "cellship", types.ModuleType("cellship", "Stands in for cellship in a worker.")
    )


def display(*objects: Any, **options: Any) -> None:
    """Print what a notebook would show."""
    for thing in objects:
        print(repr(thing))


def get_ipython() -> Shell:
    """The shell that functions of a notebook may ask for."""
    return SHELL


class Shell:
    """The few things of a shell that have a meaning without a notebook."""

    def run_line_magic(self, name: str, line: str, _stack_depth: int = 1) -> None:
        """Nothing, for magics that only set up a notebook. Raises RuntimeError for others."""
        if name.lstrip("%") not in QUIET_MAGICS:
            raise RuntimeError("%{} does not exist in a worker".format(name.lstrip("%")))

    def getoutput(self, command: str, split: bool = True, depth: int = 0) -> Union[Lines, str]:
        """Lines that a shell command prints."""
        done = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        return Lines(done.stdout.splitlines()) if split else done.stdout

    def system(self, command: str) -> None:
        """Run a shell command; what it prints goes to the log."""
        sys.stdout.flush()
        subprocess.run(command, shell=True)


class Lines(List[str]):
    """A list of lines with the three views that IPython gives `x = !command`."""

    @property
    def l(self) -> List[str]:  # noqa: E743
        return list(self)

    @property
    def n(self) -> str:
        return "\n".join(self)

    @property
    def s(self) -> str:
        return " ".join(self)


SHELL = Shell()
