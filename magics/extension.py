"""`%load_ext cellship`: magics, record of cells, completion. Light, silent, undone by unload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    no_var_expand,
)

from cellship.magics.docs import CELLSHIP, DEPLOY
from cellship.magics.later import MAGICS

if TYPE_CHECKING:
    from cellship.magics.session import Session

NAMES = {"line": ("cellship", "deploy"), "cell": ("deploy",)}
ATTRIBUTE = "_cellship"


@magics_class
class CellshipMagics(Magics):
    """What is typed in a notebook. Everything it does, the Python API and the command can do."""

    def __init__(self, shell: Any, record: Any) -> None:
        super().__init__(shell)
        self.record = record
        self.capture: Any = None  # in place of snapshot.capture, for tests

    def session(self) -> Session:
        from cellship.magics.session import Session

        return Session(self.shell, self.record, capture=self.capture)

    @no_var_expand
    @line_cell_magic
    def deploy(self, line: str, cell: str | None = None) -> None:
        from cellship.magics.deploy_command import deploy_line
        from cellship.magics.guard import guarded

        with guarded():
            deploy_line(self.session(), line, cell)

    @no_var_expand
    @line_magic
    def cellship(self, line: str) -> None:
        from cellship.magics.command import notebook_line
        from cellship.magics.guard import guarded

        with guarded():
            notebook_line(self.session(), line)

    deploy.__doc__ = DEPLOY
    cellship.__doc__ = CELLSHIP


def load(shell: Any) -> None:
    """Register everything with a shell; once more after `%reload_ext`."""
    from cellship.magics.completion import Completion
    from cellship.snapshot.cells import CellRecord

    unload(shell)
    magics = CellshipMagics(shell, CellRecord.attach(shell))
    shell.register_magics(magics)
    completion = Completion(magics.session)
    completion.attach(shell)
    shell.input_transformers_cleanup.append(refuse_later_cells)
    setattr(shell, ATTRIBUTE, (magics, completion))
    bind_name(shell)


def unload(shell: Any) -> None:
    """Take magics, record and completion away again."""
    loaded = getattr(shell, ATTRIBUTE, None)
    if loaded is None:
        return
    magics, completion = loaded
    magics.record.detach()
    completion.detach(shell)
    shell.input_transformers_cleanup.remove(refuse_later_cells)
    for kind, names in NAMES.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    delattr(shell, ATTRIBUTE)


def refuse_later_cells(lines: list[str]) -> list[str]:
    """A cell magic that does not exist yet says so; registered as a magic it would be offered."""
    word = lines[0].split(maxsplit=1)[0] if lines and lines[0].strip() else ""
    return [f"%cellship {word}\n"] if word in MAGICS else lines


def loaded_magics(shell: Any) -> CellshipMagics | None:
    """The magics of a shell that has the extension."""
    found = getattr(shell, ATTRIBUTE, None)
    return found[0] if found is not None else None


def bind_name(shell: Any) -> None:
    """`cellship` in the notebook, if the name is free; hidden from %who as IPython's names are."""
    if "cellship" not in shell.user_ns:
        import cellship

        shell.push({"cellship": cellship}, interactive=False)
