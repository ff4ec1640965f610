"""From the running environment to a new one: capture, store, build, import."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.compute.environment_errors import InterpreterGone, TreesCollide
from cellship.backend.compute.environments import Environment, build
from cellship.backend.store.errors import DiskFull
from cellship.backend.store.store import Store
from cellship.snapshot.candidate import Tree
from cellship.snapshot.interpreter import Interpreter, can_move, interpreter
from cellship.snapshot.packages import resolve
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.trees import TreePlan, make_trees

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


def standing(recorded: str | None = None) -> dict[str, Any]:
    """An interpreter that is recorded, not stored: quick to build on."""
    short = f"python{sys.version_info.major}.{sys.version_info.minor}"
    executable = recorded or os.path.realpath(sys.executable)
    return {
        "tree": None,
        "executable": f"bin/{short}",
        "library_path": [],
        "recorded": executable,
    }


def made(folder: Path, name: str, files: dict[str, str]) -> Tree:
    """A tree of files with these texts."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    listed = tuple(TreeFile.of(path, str(folder / path)) for path in files)
    return make_trees([TreePlan("package", name, "1.0", "test", listed, str(folder))], None)[0]


def test_an_environment_on_top_of_a_recorded_interpreter(store: Store, tmp_path: Path) -> None:
    tree = made(tmp_path / "a", "greet", {"greet/__init__.py": "WORD = 'hello'\n"})
    store_trees(store, [tree])
    environment = build(store, tmp_path / "environments", standing(), listed([tree]))
    found = run(
        environment,
        "import json, sys, greet\n"
        "print(json.dumps([greet.WORD, sys.prefix, sys.base_prefix, 'numpy' in str(sys.path)]))",
    )
    assert found == ["hello", str(environment.folder), sys.base_prefix, False]
    assert environment.variables == {}


@pytest.mark.parametrize("recorded", ["/nowhere/python3.11", "/bin/false", __file__])
def test_an_interpreter_that_is_gone_says_so(recorded: str, store: Store, tmp_path: Path) -> None:
    with pytest.raises(InterpreterGone, match="ship the cell again") as refused:
        build(store, tmp_path, standing(recorded), [])
    assert refused.value.code == "environment.interpreter-gone"
    assert list(tmp_path.iterdir()) == []


def test_two_trees_with_one_path_and_other_bytes(store: Store, tmp_path: Path) -> None:
    one = made(tmp_path / "a", "one", {"google/__init__.py": "", "google/same.py": "x = 1"})
    same = made(tmp_path / "b", "same", {"google/__init__.py": "", "google/more.py": "x = 1"})
    other = made(tmp_path / "c", "other", {"google/same.py": "x = 2"})
    store_trees(store, [one, same, other])
    environments = tmp_path / "environments"

    both = build(store, environments, standing(), listed([one, same]))
    assert run(both, "import json, google.same, google.more; print(json.dumps(1))") == 1
    with pytest.raises(TreesCollide, match=r"one 1\.0 and other 1\.0 both bring .*google/same\.py"):
        build(store, environments, standing(), listed([one, other]))
    assert [path.name for path in environments.iterdir()] == [both.folder.name]


def test_a_file_where_another_tree_has_a_folder(store: Store, tmp_path: Path) -> None:
    one = made(tmp_path / "a", "one", {"thing": "x"})
    two = made(tmp_path / "b", "two", {"thing/__init__.py": "x"})
    store_trees(store, [one, two])
    for trees in ([one, two], [two, one]):
        with pytest.raises(TreesCollide):
            build(store, tmp_path / "environments", standing(), listed(trees))


def test_commands_and_data_go_to_the_prefix(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a/tool-1.0.data/scripts").mkdir(parents=True)
    (tmp_path / "a/tool-1.0.data/scripts/tool").touch(0o755)
    tree = made(
        tmp_path / "a",
        "tool",
        {"tool-1.0.data/scripts/tool": "#!/bin/sh\n", "tool-1.0.data/data/share/x.txt": "x"},
    )
    store_trees(store, [tree])
    environment = build(store, tmp_path / "environments", standing(), listed([tree]))
    assert os.access(environment.folder / "bin/tool", os.X_OK)
    assert (environment.folder / "share/x.txt").read_text() == "x"


def test_files_are_links_into_the_store(store: Store, tmp_path: Path) -> None:
    tree = made(tmp_path / "a", "linked", {"linked.py": "x = 1"})
    store_trees(store, [tree])
    environment = build(store, tmp_path / "environments", standing(), listed([tree]))
    (placed,) = environment.folder.rglob("linked.py")
    assert placed.samefile(store.tree(tree.digest) / "linked.py")


def test_files_are_copied_where_links_cannot_be_made(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    tree = made(tmp_path / "a", "copied", {"copied.py": "x = 1"})
    store_trees(store, [tree])
    environment = build(store, tmp_path / "environments", standing(), listed([tree]))
    assert run(environment, "import copied; print(copied.x)") == 1


def test_a_disk_full_half_way_leaves_no_environment(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tree = made(tmp_path / "a", "full", {"full.py": "x = 1"})
    store_trees(store, [tree])
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(DiskFull):
        build(store, tmp_path / "environments", standing(), listed([tree]))
    assert list((tmp_path / "environments").iterdir()) == []


def test_many_builders_at_once_make_one(store: Store, tmp_path: Path) -> None:
    tree = made(tmp_path / "a", "many", {f"many/m{n}.py": f"x = {n}" for n in range(50)})
    store_trees(store, [tree])
    with ThreadPoolExecutor(6) as pool:
        built = list(
            pool.map(
                lambda _: build(store, tmp_path / "environments", standing(), listed([tree])),
                range(12),
            )
        )
    assert len(set(map(str, built))) == 1
    assert list((tmp_path / "environments").iterdir()) == [built[0].folder]


BUILDER = """
import json, os, signal, sys
from pathlib import Path
from cellship.backend.compute.environments import build
from cellship.backend.store.store import Store

data, interpreter, tree = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
environments, steps, seen = data / "environments", 0, []

def killed(step):
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = [step]
    def count(event, arguments):
        if event in ("os.link", "os.mkdir", "os.rename", "os.symlink", "subprocess.Popen"):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    build(Store(data), environments, interpreter, [{"name": "t", "version": "1", "tree": tree}])
    os._exit(0)

while not seen or seen[-1][0]:
    steps += 1
    seen.append((killed(steps), os.listdir(environments) if environments.exists() else []))
print(json.dumps(seen))
"""


def test_a_builder_killed_at_any_step_is_cleaned_up_after(tmp_path: Path) -> None:
    store = Store(tmp_path)
    tree = made(tmp_path / "a", "killed", {"killed/a.py": "", "killed/b.py": "", "c.py": ""})
    store_trees(store, [tree])
    arguments = [str(tmp_path), json.dumps(standing()), tree.digest]
    done = subprocess.run(
        [sys.executable, "-c", BUILDER, *arguments], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    seen = json.loads(done.stdout)
    assert len(seen) > 8
    for killed, names in seen:
        assert [name.startswith(".") for name in names] in ([[True], []] if killed else [[False]])
