"""Which room may import which (DESIGN.md 2)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
ROOMS = ("magics", "snapshot", "backend", "jupyter_ext")
# rooms that run where nothing of ours is installed
ALONE = ("backend/worker", "backend/supervise")
# known to a later Python than the one that runs this test
LATER = frozenset({"annotationlib", "tomllib", "compression"})


@dataclass(frozen=True)
class Import:
    """One import statement. `module` is absolute, `level` counts the dots of a relative one."""

    file: str
    line: int
    module: str
    level: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {'.' * self.level}{self.module}"


def files_of(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(room: str) -> Iterator[Import]:
    for path in files_of(room):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            yield from imports_in(node, str(path.relative_to(ROOT)))


def imports_in(node: ast.AST, file: str) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(file, node.lineno, alias.name, 0)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module == "cellship" and node.level == 0:
            for alias in node.names:
                yield Import(file, node.lineno, f"cellship.{alias.name}", 0)
        else:
            yield Import(file, node.lineno, module, node.level)


def ours(found: Import) -> bool:
    return found.level > 0 or found.module.split(".")[0] == "cellship"


def outside(room: str, allowed: tuple[str, ...]) -> list[str]:
    """Imports of ours in a room that none of the allowed prefixes covers."""
    return [
        str(found)
        for found in imports_of(room)
        if ours(found) and not any(covers(prefix, found.module) for prefix in allowed)
    ]


def covers(prefix: str, module: str) -> bool:
    """Whether `module` is `prefix` or inside it; the root package stands for itself alone."""
    return module == prefix or (prefix != "cellship" and module.startswith(f"{prefix}."))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_importable_under_the_package(room: str) -> None:
    link = SOURCE / "cellship" / room
    assert link.is_symlink(), f"src/cellship/{room} is a link to the folder"
    assert (ROOT / room / "__init__.py").is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_imported_by_its_folder_name(room: str) -> None:
    named = [
        str(found)
        for found in imports_of(room)
        if found.module.split(".")[0] in ROOMS and found.level == 0
    ]
    assert named == []


def test_snapshot_imports_nothing_of_ours() -> None:
    assert outside("snapshot", ("cellship.snapshot",)) == []


def test_backend_imports_snapshot_only() -> None:
    assert outside_alone("backend", ("cellship.backend", "cellship.snapshot")) == []


def test_magics_reach_the_service_through_its_client() -> None:
    doors = ("client", "client_answers", "client_wire", "worker", "locate", "launch")
    allowed = (
        "cellship",
        "cellship.magics",
        "cellship.snapshot",
        *(f"cellship.backend.{door}" for door in doors),
    )
    assert outside("magics", allowed) == []


def test_jupyter_extension_reaches_the_service_through_its_client() -> None:
    assert outside("jupyter_ext", ("cellship.jupyter_ext", "cellship.backend.client")) == []


@pytest.mark.parametrize("room", ALONE)
def test_what_runs_alone_imports_the_standard_library_and_itself(room: str) -> None:
    wrong = [
        str(found)
        for found in imports_of(room)
        if found.level > 1
        or (found.level == 0 and found.module.split(".")[0] not in sys.stdlib_module_names | LATER)
    ]
    assert wrong == []


def outside_alone(room: str, allowed: tuple[str, ...]) -> list[str]:
    """As `outside`, without the rooms whose imports are relative and have a rule of their own."""
    return [line for line in outside(room, allowed) if not line.startswith(ALONE)]
