"""Which packages ship: all, those of a file, soft imports."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tests.snapshot.packages.package_rig import Install, names, refusal, resolved, write


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
