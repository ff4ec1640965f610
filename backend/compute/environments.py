"""Environments: one prefix with the interpreter and its packages, of hard links into the store.

    environments/<digest>/bin/python3.11
                          lib/python3.11/…                  the interpreter's tree
                          lib/python3.11/site-packages/…    packages, local code, their byte code
    environments/.building-…                                being built, or left by a crash

Local code goes to site-packages too: a worker's cwd holds the captured data files, and `-I` keeps
it off `sys.path`. A tree is laid out as a wheel is (snapshot/record.py): `NAME.data/scripts` goes
to bin/, `NAME.data/data` to the prefix.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from cellship.backend.compute.environment_links import Linker
from cellship.backend.compute.environment_proof import check_interpreter, prove
from cellship.backend.store.disk import no_room_means_disk_full
from cellship.backend.store.durable import sync_all
from cellship.backend.store.held import held, held_if_free
from cellship.backend.store.store import Store

FORMAT = 1
SHORT = re.compile(r"bin/(python\d+\.\d+t?)")
LIBRARIES = re.compile(r"lib\w*")
BUILDING = ".building-"


@dataclass(frozen=True)
class Environment:
    """A built environment: its folder, its Python, and the variables that this Python needs."""

    folder: Path
    python: Path
    variables: dict[str, str]


def build(
    store: Store,
    environments: Path,
    interpreter: Mapping[str, Any],
    packages: Sequence[Mapping[str, Any]],
) -> Environment:
    """The environment of an interpreter and packages as `snapshot.json` names them.

    Made aside and renamed; at once if it is there. Any number of builders, any of which may die.
    Raises NoSuchBytes, TreesCollide, InterpreterGone, DiskFull.
    """
    environments.mkdir(parents=True, exist_ok=True)
    folder = environments / environment_digest(interpreter, packages)
    if not folder.exists():
        _clean(environments)
        check_interpreter(interpreter)
        with no_room_means_disk_full(environments), _aside(environments) as new:
            _fill(new, store, interpreter, packages)
            made = _environment(new, interpreter)
            prove(new, made.python, made.variables, interpreter)
            _put(new, folder)
    return _environment(folder, interpreter)


def environment_digest(
    interpreter: Mapping[str, Any], packages: Sequence[Mapping[str, Any]]
) -> str:
    """The name of an environment: the same trees in any order are the same environment."""
    facts = {
        "format": FORMAT,
        "interpreter": {
            key: interpreter.get(key) for key in ("tree", "executable", "library_path", "recorded")
        },
        "trees": sorted({package["tree"] for package in packages}),
    }
    return blake3(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _environment(folder: Path, interpreter: Mapping[str, Any]) -> Environment:
    variables = {}
    parts = [part for part in interpreter.get("library_path") or () if LIBRARIES.fullmatch(part)]
    libraries = [str(folder / part) for part in parts]
    if libraries:
        # stronger than the path that the build wrote into the binary (RUNPATH)
        variables["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    return Environment(folder, folder / interpreter["executable"], variables)


def _fill(
    new: Path,
    store: Store,
    interpreter: Mapping[str, Any],
    packages: Sequence[Mapping[str, Any]],
) -> None:
    short = _short(interpreter)
    linker = Linker(new, f"lib/{short}/site-packages")
    tree = interpreter.get("tree")
    if tree:
        linker.add_interpreter(store.tree(tree), store.bytecode(tree), "the interpreter")
    else:
        _on_top_of(new, interpreter)
    (new / "lib" / short / "site-packages").mkdir(parents=True, exist_ok=True)
    for package in packages:
        name = f"{package['name']} {package['version']}".rstrip()
        linker.add_package(store.tree(package["tree"]), store.bytecode(package["tree"]), name)
    if linker.copied:
        sync_all(new)


def _on_top_of(new: Path, interpreter: Mapping[str, Any]) -> None:
    """As `python -m venv` does, for an interpreter that cannot be moved."""
    recorded = Path(interpreter["recorded"])
    executable = new / interpreter["executable"]
    executable.parent.mkdir(parents=True)
    executable.symlink_to(recorded)
    (new / "pyvenv.cfg").write_text(
        f"home = {recorded.parent}\ninclude-system-site-packages = false\nexecutable = {recorded}\n"
    )


def _short(interpreter: Mapping[str, Any]) -> str:
    """`python3.11` of `bin/python3.11`: it comes from a snapshot and becomes part of a path."""
    found = SHORT.fullmatch(interpreter["executable"])
    if found is None:
        raise ValueError(f"not an interpreter: {interpreter['executable']!r}")
    return found[1]


@contextmanager
def _aside(environments: Path) -> Iterator[Path]:
    """A new folder that is held while its builder lives."""
    with ExitStack() as stack:
        new = _claimed(environments, stack)
        try:
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _claimed(environments: Path, stack: ExitStack) -> Path:
    """A new folder that we hold. Until we do, another builder may take it for left over."""
    while True:
        new = environments / f"{BUILDING}{uuid.uuid4().hex}"
        new.mkdir()
        with suppress(FileNotFoundError):
            stack.enter_context(held(new))
            if new.exists():
                return new


def _put(new: Path, folder: Path) -> None:
    try:
        os.rename(new, folder)
    except OSError:
        if not folder.exists():  # else another builder was quicker, with the same content
            raise


def _clean(environments: Path) -> None:
    """Remove what builders that died have left."""
    for left in environments.glob(f"{BUILDING}*"):
        with held_if_free(left) as ours:
            if ours:
                shutil.rmtree(left, ignore_errors=True)
