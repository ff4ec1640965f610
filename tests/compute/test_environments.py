"""From the running environment to a new one: capture, store, build, import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.compute.environment_errors import InterpreterGone, TreesCollide
from cellship.backend.compute.environments import Environment, build
from cellship.backend.store.store import Store
from cellship.snapshot.candidate import Tree
from cellship.snapshot.interpreter import Interpreter, can_move, interpreter
from cellship.snapshot.packages import resolve

movable = pytest.mark.skipif(not can_move(), reason="this Python cannot be moved")


def store_trees(store: Store, trees: list[Tree]) -> None:
    """As a client on the same host does it."""
    lease = store.open_lease()
    for tree in trees:
        tree.write(lease.folder / "trees" / tree.digest)
        tree.write_bytecode(lease.folder / "bytecode" / tree.digest)
    store.accept(lease)
    store.drop(lease)


def described(found: Interpreter) -> dict[str, Any]:
    """The interpreter as snapshot.json has it."""
    facts = asdict(found)
    return {
        "tree": found.tree.digest if found.tree else None,
        **{key: facts[key] for key in ("executable", "library_path", "recorded")},
    }


def listed(trees: list[Tree]) -> list[dict[str, str]]:
    return [
        {"name": tree.name, "version": tree.version, "tree": tree.digest, "kind": tree.kind}
        for tree in trees
    ]


def run(environment: Environment, code: str, **variables: str) -> Any:
    """The JSON that `code` prints in the environment."""
    done = subprocess.run(
        [str(environment.python), "-I", "-c", code],
        env={**environment.variables, **variables},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def store(data: Path) -> Store:
    return Store(data)


@pytest.fixture(scope="module")
def python(store: Store) -> dict[str, Any]:
    """The interpreter of this process, stored."""
    found = interpreter(None)
    if found.tree:
        store_trees(store, [found.tree])
    return described(found)


def test_scikit_learn_runs_in_an_environment_of_its_own(
    store: Store, data: Path, python: dict[str, Any]
) -> None:
    packages = resolve(
        {"sklearn.ensemble": "import sklearn.ensemble in cell 1"},
        policy="closure",
        cwd=Path.cwd(),
        cache=None,
    )
    trees = list(packages.trees)
    store_trees(store, trees)

    environment = build(store, data / "environments", python, listed(trees))

    found = run(
        environment,
        "import json, sys, sklearn.ensemble as e, numpy as np\n"
        "m = e.RandomForestClassifier(3).fit(np.eye(4), [0, 1, 0, 1])\n"
        "print(json.dumps({'file': e.__file__, 'path': sys.path, 'n': len(m.estimators_)}))",
    )
    assert found["n"] == 3
    assert found["file"].startswith(str(environment.folder))
    assert all(path.startswith(str(environment.folder)) for path in found["path"])
    assert packages.named[0].startswith("scikit-learn ")


@movable
def test_nothing_of_the_old_prefix_is_used(
    store: Store, data: Path, python: dict[str, Any]
) -> None:
    environment = build(store, data / "environments", python, [])

    found = run(
        environment,
        "import sys, json, ssl, sqlite3, ctypes, zlib, hashlib, decimal, lzma, bz2, uuid\n"
        "hashlib.sha256(b''); ssl.create_default_context(); sqlite3.connect(':memory:')\n"
        "maps = open('/proc/self/maps').read()\n"
        "print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, maps]))",
    )
    *prefixes, maps = found
    assert prefixes == [str(environment.folder)] * 3
    assert sys.base_prefix not in maps
    assert str(environment.folder / "lib") in maps


def test_building_again_is_at_once_and_the_same(
    store: Store, data: Path, python: dict[str, Any]
) -> None:
    first = build(store, data / "environments", python, [])
    inode = first.folder.stat().st_ino
    assert build(store, data / "environments", python, []) == first
    assert first.folder.stat().st_ino == inode
