"""From module names to distributions, their closure, and trees."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tests.snapshot.packages.package_rig import Install, names, paths, refusal, resolved, write

from cellship.snapshot.packages import installed


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
