"""From module names to trees: in small environments made here, and in the running one."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cellship.snapshot.candidate import Tree
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.packages import Packages, installed, resolve

Install = Callable[..., Path]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A notebook's folder, first on the path; modules imported meanwhile are forgotten."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)) or not file:
            del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site-packages of its own, before the real one."""
    folder = tmp_path / "lib" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """Install a distribution as an installer would."""

    def make(
        name: str,
        files: dict[str, str],
        version: str = "1.0",
        requires: tuple[str, ...] = (),
        direct_url: dict[str, object] | None = None,
    ) -> Path:
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        about = {
            f"{info}/METADATA": "\n".join(lines) + "\n\n",
            f"{info}/INSTALLER": "test",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        }
        if direct_url:
            about[f"{info}/direct_url.json"] = json.dumps(direct_url)
        everything = {**files, **about}
        for path, text in everything.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
        record = [f"{path},sha256=x,{len(text)}" for path, text in everything.items()]
        record += [f"{info}/RECORD,,", f"{name}/__pycache__/x.pyc,,"]
        (site / info / "RECORD").write_text("\n".join(record) + "\n")
        importlib.invalidate_caches()
        return site / info

    return make


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    importlib.invalidate_caches()


def resolved(*modules: str, cwd: Path, policy: str = "closure") -> Packages:
    roots = {module: f"import {module} in cell 1" for module in modules}
    return resolve(roots, policy=policy, cwd=cwd, cache=None)


def names(packages: Packages) -> list[str]:
    return [tree.name for tree in packages.trees]


def paths(tree: Tree, folder: Path) -> list[str]:
    target = folder / f"written-{tree.digest[:8]}"
    tree.write(target)
    return sorted(
        path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()
    )


def refusal(*modules: str, cwd: Path, policy: str = "closure") -> CaptureRefused:
    with pytest.raises(CaptureRefused) as refused:
        resolved(*modules, cwd=cwd, policy=policy)
    return refused.value


def test_the_closure_of_what_is_named(install: Install, notebook: Path) -> None:
    install("Alpha", {"alpha/__init__.py": ""}, requires=("beta>=1", "absent; extra == 'x'"))
    install("beta", {"beta.py": ""}, requires=("gamma[fast]; python_version > '3'",))
    install("gamma", {"gamma.py": ""}, requires=("delta; extra == 'fast'", "epsilon; extra == 'x'"))
    install("delta", {"delta.py": ""}, requires=("alpha", "windows-only; sys_platform == 'win32'"))
    install("epsilon", {"epsilon.py": ""})
    packages = resolved("alpha.sub", cwd=notebook)
    assert names(packages) == ["Alpha", "beta", "gamma", "delta"]
    assert packages.named == ("Alpha 1.0", "beta 1.0", "gamma 1.0", "delta 1.0")
    assert [tree.why for tree in packages.trees] == [
        "import alpha.sub in cell 1",
        "required by Alpha",
        "required by beta",
        "required by gamma",
    ]
    assert packages.notes == ()


def test_namespace_packages_go_by_the_file(install: Install, notebook: Path) -> None:
    install("google-one", {"google/one/__init__.py": ""})
    install("google-two", {"google/two/__init__.py": ""})
    assert names(resolved("google.one", cwd=notebook)) == ["google-one"]
    assert names(resolved("google", cwd=notebook)) == []
    importlib.import_module("google.two")
    assert names(resolved("google", cwd=notebook)) == ["google-two"]


def test_modules_of_python_itself_are_ignored(notebook: Path) -> None:
    packages = resolved("os.path", "sys", "json", "_thread", "__main__", "xml.dom", cwd=notebook)
    assert packages.trees == ()


def test_a_tree_holds_what_record_lists(install: Install, notebook: Path, tmp_path: Path) -> None:
    install("alpha", {"alpha/__init__.py": "", "alpha/data.bin": "x", "alpha.libs/a.so": ""})
    write(notebook.parent / "lib/site-packages", {"alpha/made_later.txt": "x"})
    (tree,) = resolved("alpha", cwd=notebook).trees
    assert paths(tree, tmp_path) == [
        "alpha-1.0.dist-info/METADATA",
        "alpha-1.0.dist-info/RECORD",
        "alpha-1.0.dist-info/WHEEL",
        "alpha.libs/a.so",
        "alpha/__init__.py",
        "alpha/data.bin",
    ]
    record = tmp_path / f"written-{tree.digest[:8]}" / "alpha-1.0.dist-info/RECORD"
    assert "INSTALLER" not in record.read_text()
    assert "pyc" not in record.read_text()


def test_the_digest_does_not_depend_on_who_installed(
    install: Install, notebook: Path, tmp_path: Path
) -> None:
    info = install("alpha", {"alpha.py": "x = 1"})
    (first,) = resolved("alpha", cwd=notebook).trees
    (info / "INSTALLER").write_text("another one")
    (info / "uv_cache.json").write_text("{}")
    record = info / "RECORD"
    record.write_text("".join(reversed(record.read_text().splitlines(keepends=True))))
    (second,) = resolved("alpha", cwd=notebook).trees
    assert first.digest == second.digest
    (info.parent / "alpha.py").write_text("x = 2")
    (third,) = resolved("alpha", cwd=notebook).trees
    assert third.digest != first.digest


def test_a_package_patched_in_place_ships_as_it_is(
    install: Install, notebook: Path, tmp_path: Path
) -> None:
    info = install("alpha", {"alpha/a.py": "x = 1", "alpha/__init__.py": "", "alpha/b.py": ""})
    (info.parent / "alpha/a.py").write_text("x = 1000")
    (info.parent / "alpha/b.py").unlink()
    packages = resolved("alpha", cwd=notebook)
    assert packages.notes == (
        "alpha was changed after it was installed (alpha/a.py); it ships as it is here",
        "alpha misses files that it was installed with (alpha/b.py)",
    )
    assert "alpha/b.py" not in paths(packages.trees[0], tmp_path)


def test_a_file_put_into_a_package_goes_with_it(
    install: Install, notebook: Path, tmp_path: Path
) -> None:
    info = install("alpha", {"alpha/__init__.py": ""})
    write(info.parent, {"alpha/extra.py": ""})
    packages = resolved("alpha.extra", cwd=notebook)
    assert "alpha/extra.py" in paths(packages.trees[0], tmp_path)
    assert packages.notes == ("alpha/extra.py is not part of alpha as installed; it ships with it",)


def test_a_path_file_that_leads_elsewhere_stays(
    install: Install, notebook: Path, tmp_path: Path
) -> None:
    install(
        "alpha",
        {"alpha.py": "", "here.pth": "alpha_extra\n", "away.pth": f"# x\n{tmp_path}\n"},
    )
    packages = resolved("alpha", cwd=notebook)
    found = paths(packages.trees[0], tmp_path)
    assert "here.pth" in found and "away.pth" not in found


def test_a_file_that_cannot_be_read_is_refused(
    install: Install, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("alpha", {"alpha.py": "x"})

    def gone(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr("cellship.snapshot.trees.file_digest", gone)
    error = refusal("alpha", cwd=notebook)
    assert error.code == "capture.changed-meanwhile"
    assert "alpha.py: No such file" in str(error)


def test_a_requirement_that_is_not_installed_is_noted(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha.py": ""}, requires=("never-there",))
    assert resolved("alpha", cwd=notebook).notes == (
        "never-there, required by alpha, is not installed here",
    )


def test_what_cannot_be_imported_here_is_noted(notebook: Path) -> None:
    packages = resolved("xgboost_never", cwd=notebook)
    assert packages.trees == ()
    assert packages.notes == (
        "xgboost_never (import xgboost_never in cell 1) cannot be imported here: not shipped",
    )


@pytest.mark.parametrize("module", ["cellship", "cellship.snapshot.packages"])
def test_cellship_does_not_ship(module: str, notebook: Path) -> None:
    assert refusal(module, cwd=notebook).code == "capture.cellship-inside"


# local code


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


# what is loaded must be what is on disk


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 2\n", "f()"),
        ("class A:\n    def g(self): return 1\n", "class A:\n    def g(self): return 2\n", "A.g()"),
        ("class A:\n    @property\n    def g(self): return 1\n", "class A:\n    pass\n", "A.g()"),
        ("RATE = 1\n", "RATE = 2\n", "RATE"),
        (
            "from functools import cache\n@cache\ndef f():\n    return 1\n",
            "from functools import cache\n@cache\ndef f():\n    return 2\n",
            "f()",
        ),
        ("RATE = 1\n", "RATE = 1.0\n", "RATE"),
        ("x = 1\n", "def (\n", "the file"),
    ],
)
def test_code_edited_after_its_import_is_refused(
    before: str, after: str, named: str, notebook: Path
) -> None:
    write(notebook, {"helpers.py": before})
    importlib.import_module("helpers")
    write(notebook, {"helpers.py": after})
    error = refusal("helpers", cwd=notebook)
    assert error.code == "capture.module-changed"
    assert str(error).startswith(named)
    assert "reload" in str(error)


def test_a_reloaded_module_ships(notebook: Path) -> None:
    write(notebook, {"helpers.py": "RATE = 1\n"})
    module = importlib.import_module("helpers")
    write(notebook, {"helpers.py": "RATE = 22\n"})
    importlib.reload(module)
    assert names(resolved("helpers", cwd=notebook)) == ["helpers"]


def test_a_constant_set_from_outside_is_refused(notebook: Path) -> None:
    write(notebook, {"helpers.py": "DEBUG = False\n"})
    importlib.import_module("helpers").DEBUG = True
    assert "DEBUG" in str(refusal("helpers", cwd=notebook))
    ships = resolve(
        {"helpers": ""}, policy="closure", cwd=notebook, cache=None, replayed={"helpers.DEBUG"}
    )
    assert names(ships) == ["helpers"]


def test_what_a_module_changes_itself_is_its_own_affair(notebook: Path) -> None:
    write(
        notebook,
        {
            "helpers.py": "import functools\n_cache = None\nSEEN = 0\nNAMES = ()\n"
            "def fill():\n    global _cache, SEEN\n    _cache, SEEN = [], SEEN + 1\n"
            "@functools.lru_cache\ndef g(): return 1\n"
            "class A:\n    @staticmethod\n    def s(): return lambda: 1\n"
            "if SEEN == 0:\n    NAMES = ('a',)\n"
            "json = None\ntry:\n    import json\nexcept ImportError:\n    pass\n"
            "h = 1\ndef h(): pass\n"
        },
    )
    importlib.import_module("helpers").fill()
    assert names(resolved("helpers", cwd=notebook)) == ["helpers"]


def test_a_package_upgraded_after_its_import_is_refused(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha/__init__.py": "__version__ = '1.0'\n"})
    importlib.import_module("alpha").__version__ = "0.9"
    error = refusal("alpha", cwd=notebook)
    assert error.code == "capture.package-changed"
    assert "alpha 0.9 is loaded in this kernel, 1.0 is installed" in str(error)


# editable installs


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


# policies


def test_all_ships_everything_but_cellship(notebook: Path, install: Install) -> None:
    install("alpha", {"alpha.py": ""})
    packages = resolved(cwd=notebook, policy="all")
    assert {"alpha", "numpy", "pytest"} <= set(names(packages))
    assert "cellship" not in names(packages)


def test_what_was_loaded_without_being_required(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha.py": "try:\n    import soft\nexcept ImportError:\n    soft = None\n"})
    install("soft", {"soft.py": ""})
    install("other", {"other.py": ""})
    importlib.import_module("alpha")
    importlib.import_module("other")
    assert names(resolved("alpha", cwd=notebook)) == ["alpha"]
    packages = resolved("alpha", cwd=notebook, policy="closure+loaded")
    assert names(packages) == ["alpha", "soft"]
    assert packages.trees[1].why == "loaded by alpha in this kernel"


def test_a_file_is_obeyed(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha.py": ""})
    install("beta", {"beta.py": ""}, requires=("gamma; extra == 'x'",))
    install("gamma", {"gamma.py": ""})
    write(
        notebook,
        {
            "req.txt": "# ours\n--index-url https://u:p@host/simple\nbeta[x]>=0.5  # why\n"
            "-r more.txt\nwindows; sys_platform == 'win32'\n",
            "more.txt": "gamma==1.* ; python_version >= '3'\n-r req.txt\n",
        },
    )
    packages = resolved("alpha", cwd=notebook, policy="req.txt")
    assert names(packages) == ["beta", "gamma"]
    assert packages.trees[0].why == "req.txt line 3"
    assert packages.notes == (
        "alpha is used (import alpha in cell 1), but req.txt does not name it: it is not shipped",
    )


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("never-there==1", "capture.package-not-installed", "never-there is not installed here"),
        ("alpha==2", "capture.package-not-installed", "alpha 1.0 is installed here"),
        ("a b c", "capture.packages-file", "req.txt line 2 is not understood"),
    ],
)
def test_a_file_that_is_not_met(
    line: str, code: str, words: str, install: Install, notebook: Path
) -> None:
    install("alpha", {"alpha.py": ""})
    write(notebook, {"req.txt": f"\n{line}\n"})
    error = refusal(cwd=notebook, policy="req.txt")
    assert error.code == code
    assert words in str(error)


def test_a_file_that_is_not_there(notebook: Path) -> None:
    assert refusal(cwd=notebook, policy="absent.txt").code == "capture.packages-file"


# the lock


def test_the_lock_is_valid_and_without_credentials(install: Install, notebook: Path) -> None:
    pylock = pytest.importorskip("packaging.pylock")
    tomllib = pytest.importorskip("tomllib")
    git = {"vcs": "git", "commit_id": "a" * 40, "requested_revision": "main"}
    install(
        "from-git",
        {"from_git.py": ""},
        direct_url={"url": "https://ann:pw@host/r.git", "vcs_info": git},
    )
    archive = {"hashes": {"sha256": "b" * 64}}
    install(
        "archived",
        {"archived.py": ""},
        direct_url={"url": "https://ann:pw@host/a-1.0.zip?t=1", "archive_info": archive},
    )
    install("Alpha.One", {"alpha.py": ""})
    write(notebook, {"helpers.py": ""})
    packages = resolved("from_git", "archived", "alpha", "helpers", cwd=notebook)
    lock = pylock.Pylock.from_dict(tomllib.loads(packages.pylock))
    by_name = {package.name: package for package in lock.packages}
    assert list(by_name) == ["alpha-one", "archived", "from-git", "helpers"]
    assert by_name["from-git"].vcs.commit_id == "a" * 40
    assert by_name["archived"].archive.url == "https://host/a-1.0.zip"
    assert by_name["alpha-one"].directory.path.startswith("trees/")
    assert str(by_name["alpha-one"].version) == "1.0"
    assert by_name["helpers"].version is None
    assert "pw" not in packages.pylock


def test_scikit_learn_here(tmp_path: Path) -> None:
    packages = resolved("sklearn.ensemble", "numpy", cwd=tmp_path)
    assert packages.named[0].startswith("scikit-learn ")
    assert packages.named[1].startswith("numpy ")
    assert {"scipy", "joblib", "threadpoolctl"} <= set(names(packages))
    assert "cellship" not in names(packages)
    again = resolved("sklearn.ensemble", "numpy", cwd=tmp_path)
    assert [tree.digest for tree in again.trees] == [tree.digest for tree in packages.trees]


def test_whether_a_module_can_be_imported(notebook: Path) -> None:
    write(notebook, {"helpers.py": ""})
    assert installed("helpers", notebook)
    assert installed("json.decoder", notebook)
    assert installed("sys", notebook)
    assert not installed("never_there", notebook)
    assert not installed("helpers.never", notebook)
