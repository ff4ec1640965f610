"""Why an environment cannot be built."""

from __future__ import annotations

from cellship.snapshot.errors import Refused


class TreesCollide(Refused):
    """Two trees bring one path with other bytes."""

    def __init__(self, one: str, other: str, path: str) -> None:
        super().__init__(
            f"{one} and {other} both bring {path}, with different content.",
            code="environment.trees-collide",
            hint="Uninstall one of the two, or rename the local file, and ship again.",
        )


class InterpreterGone(Refused):
    """The interpreter that an environment stands on is not there, or another one is."""

    def __init__(self, recorded: str, why: str) -> None:
        super().__init__(
            f"The Python of this version, {recorded}, {why}.",
            code="environment.interpreter-gone",
            hint="Install that Python again at the same place, or ship the cell again "
            "from a kernel with a Python that is there.",
        )


class NotSelfContained(Refused):
    """The copied interpreter still uses files of the place it was copied from."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The copy of the notebook's Python does not run apart from the original: {what}",
            code="environment.not-self-contained",
            hint="Run the notebook with a Python from uv, pyenv or python.org's source.",
        )
