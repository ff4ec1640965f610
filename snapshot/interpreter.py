"""The running interpreter as a tree: binary, libpython, standard library.

Where it cannot be moved (the system's own Python, conda, a framework build) its place is recorded
instead, and an environment is made on top of it as `python -m venv` would.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellship.snapshot.candidate import Tree
from cellship.snapshot.platforms import platform_tag
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.trees import TreePlan, make_trees

# of the standard library: its own tests, what only a desk needs, and site-packages, which are apart
LEFT_OUT = frozenset(
    {
        "site-packages",
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "ensurepip",
        "__pycache__",
    }
)
NOT_LOADED = ("_tkinter.", "_test", "_ctypes_test.", "_xxtestfuzz.", "xxlimited")


@dataclass(frozen=True)
class Interpreter:
    """The kernel's Python. If it cannot be moved, `tree` is None and `recorded` is its place."""

    tree: Tree | None
    python: str  # "3.11.7"
    executable: str  # "bin/python3.11", in an environment
    library_path: tuple[str, ...]  # folders of shared libraries, in an environment
    recorded: str | None
    platform: str


def interpreter(cache: Path | None) -> Interpreter:
    """The interpreter that runs this process."""
    short = os.path.basename(_standard_library())  # python3.11, python3.14t
    movable = can_move()
    plan = TreePlan(
        "interpreter",
        sys.implementation.name,
        platform.python_version(),
        "the kernel's own Python",
        tuple(_files(short)) if movable else (),
        f"{sys.base_prefix} {short}",
    )
    tree = make_trees([plan], cache)[0] if movable else None
    return Interpreter(
        tree=tree,
        python=platform.python_version(),
        executable=f"bin/{short}",
        library_path=("lib",) if movable and _library() else (),
        recorded=None if movable else _executable(),
        platform=platform_tag(),
    )


def can_move() -> bool:
    """Whether this build works from another folder: a prefix of its own, laid out as CPython's."""
    prefix = Path(sys.base_prefix)
    return (
        sys.platform == "linux"
        and sys.implementation.name == "cpython"
        and prefix
        != Path("/usr")  # Debian and others spread it over /usr/lib/python3 and patch site
        and not (prefix / "conda-meta").exists()
        and sys.platlibdir == "lib"
        and Path(_standard_library()) == prefix / "lib" / Path(_standard_library()).name
        and Path(_standard_library(), "os.py").is_file()
        and Path(_standard_library(), "lib-dynload").is_dir()
    )


def _files(short: str) -> Iterator[TreeFile]:
    yield TreeFile.of(f"bin/{short}", _executable())
    library = _library()
    if library:
        yield TreeFile.of(f"lib/{os.path.basename(library)}", os.path.realpath(library))
    root = _standard_library()
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        relative = os.path.relpath(parent, root)
        for name in sorted(names):
            if not name.startswith(NOT_LOADED) and not name.endswith(".pyc"):
                path = os.path.normpath(f"lib/{short}/{relative}/{name}")
                yield TreeFile.of(path, f"{parent}/{name}")


def _left_out(name: str) -> bool:
    return name in LEFT_OUT or name.startswith("config-")


def _executable() -> str:
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _library() -> str | None:
    """libpython, for a build that has it as a shared library of its own prefix."""
    name = sysconfig.get_config_var("INSTSONAME")
    if not (sysconfig.get_config_var("Py_ENABLE_SHARED") and isinstance(name, str)):
        return None
    file = os.path.join(sys.base_prefix, "lib", name)
    return file if os.path.exists(file) else None


def _standard_library() -> str:
    return os.path.dirname(os.__file__)
