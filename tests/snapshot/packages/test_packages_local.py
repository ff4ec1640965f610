"""Local code: modules beside the notebook, editable installs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.snapshot.packages.package_rig import Install, names, paths, refusal, resolved, write


def test_a_single_module_ships_alone(notebook: Path, tmp_path: Path) -> None:
    write(notebook, {"helpers.py": "import json\n", "other.py": "", "data.csv": ""})
    packages = resolved("helpers", cwd=notebook)
    assert [(tree.name, tree.kind, tree.version) for tree in packages.trees] == [
        ("helpers", "local", "")
    ]
    assert paths(packages.trees[0], tmp_path) == ["helpers.py"]
    assert packages.named == ("helpers",)


def test_a_local_package_ships_whole_with_its_data(notebook: Path, tmp_path: Path) -> None:
    write(
        notebook,
        {
            "mine/__init__.py": "",
            "mine/sub/deep.py": "",
            "mine/data/words.txt": "x",
            "mine/.env": "SECRET=1",
            "mine/__pycache__/a.pyc": "",
            "mine/.git/config": "",
            "mine/venv/pyvenv.cfg": "",
        },
    )
    (tree,) = resolved("mine.sub.deep", cwd=notebook).trees
    assert paths(tree, tmp_path) == ["mine/__init__.py", "mine/data/words.txt", "mine/sub/deep.py"]


def test_a_local_folder_without_init_is_a_package_too(notebook: Path, tmp_path: Path) -> None:
    write(notebook, {"space/one.py": "", "space/two.txt": ""})
    (tree,) = resolved("space.one", cwd=notebook).trees
    assert paths(tree, tmp_path) == ["space/one.py", "space/two.txt"]


def test_imports_of_local_code_are_followed(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha.py": ""})
    install("beta", {"beta/__init__.py": "", "beta/part.py": ""})
    install("unused", {"unused.py": ""})
    write(
        notebook,
        {
            "mine/__init__.py": "from . import core\n",
            "mine/core.py": "def f():\n    import alpha\n    from second import g\n",
            "mine/tests.py": "import unused\n",
            "second.py": "from beta.part import x\ntry:\n    import never_there\nexcept: pass\n",
        },
    )
    packages = resolved("mine", cwd=notebook)
    assert sorted(names(packages)) == ["alpha", "beta", "mine", "second"]
    whys = {tree.name: tree.why for tree in packages.trees}
    assert whys["alpha"] == "import alpha in mine/core.py line 2"


def test_links_inside_a_local_package_become_files(notebook: Path, tmp_path: Path) -> None:
    write(notebook, {"mine/__init__.py": "", "elsewhere/inner/a.txt": "x"})
    (notebook / "mine/linked").symlink_to(notebook / "elsewhere/inner")
    (notebook / "mine/up").symlink_to(notebook / "mine")
    (tree,) = resolved("mine", cwd=notebook).trees
    assert paths(tree, tmp_path) == ["mine/__init__.py", "mine/linked/a.txt"]
    assert not next(tmp_path.glob("written-*/mine/linked")).is_symlink()


def test_a_module_loaded_under_another_name(notebook: Path, tmp_path: Path) -> None:
    write(notebook, {"odd-name.py": "x = 1\n"})
    spec = importlib.util.spec_from_file_location("plain_name", notebook / "odd-name.py")
    assert spec and spec.loader
    sys.modules["plain_name"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["plain_name"])
    (tree,) = resolved("plain_name", cwd=notebook).trees
    assert paths(tree, tmp_path) == ["plain_name.py"]


def test_the_name_of_a_standard_module_is_refused(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(notebook, {"this.py": "x = 1\n"})
    shadow = ModuleType("this")
    shadow.__file__ = str(notebook / "this.py")
    monkeypatch.setitem(sys.modules, "this", shadow)
    assert refusal("this", cwd=notebook).code == "capture.shadows-standard-library"


def test_local_code_that_is_too_large_is_refused(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellship.snapshot.local_code.LIMIT", 10)
    write(notebook, {"mine/__init__.py": "", "mine/big.bin": "x" * 11})
    error = refusal("mine", cwd=notebook)
    assert error.code == "capture.local-code-too-large"
    assert "mine/big.bin" in str(error)


def test_one_path_from_two_sides_is_refused(install: Install, notebook: Path) -> None:
    info = install("alpha", {"alpha/__init__.py": "", "alpha/x.py": ""})
    write(notebook, {"plain.py": ""})
    importlib.import_module("plain")
    write(info.parent, {"plain.py": "x = 1"})
    record = info / "RECORD"
    record.write_text(record.read_text() + "plain.py,,5\n")
    error = refusal("alpha", "plain", cwd=notebook)
    assert error.code == "capture.packages-collide"
    assert "alpha 1.0 and plain both bring plain.py" in str(error)


def editable(install: Install, project: Path, name: str, requires: tuple[str, ...] = ()) -> None:
    install(
        name,
        {f"_{name}.pth": str(project)},
        requires=requires,
        direct_url={"url": project.as_uri(), "dir_info": {"editable": True}},
    )


def test_an_editable_install_ships_its_folder(
    install: Install, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    write(project, {"mine/__init__.py": "", "mine/a.txt": "", "setup.py": "", "tests/t.py": ""})
    install("beta", {"beta.py": ""})
    editable(install, project, "mine", requires=("beta",))
    monkeypatch.syspath_prepend(str(project))
    packages = resolved("mine", cwd=notebook)
    mine, beta = sorted(packages.trees, key=lambda tree: tree.kind)
    assert (mine.kind, mine.name, mine.version) == ("local", "mine", "1.0")
    assert beta.name == "beta"
    assert paths(mine, tmp_path) == [
        "mine-1.0.dist-info/METADATA",
        "mine-1.0.dist-info/WHEEL",
        "mine/__init__.py",
        "mine/a.txt",
    ]


def test_an_editable_install_that_is_required(
    install: Install, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    write(project, {"mine/__init__.py": "import beta\n"})
    install("alpha", {"alpha.py": ""}, requires=("mine",))
    install("beta", {"beta.py": ""})
    editable(install, project, "mine")
    monkeypatch.syspath_prepend(str(project))
    assert sorted(names(resolved("alpha", cwd=notebook))) == ["alpha", "beta", "mine"]
