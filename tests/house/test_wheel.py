"""What a user gets: the wheel made from the source archive, with only what it asks for."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("magics", "snapshot", "backend", "jupyter_ext")
FOLDERS = (*ROOMS, "tests", "benchmarks")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is: source archive first, the wheel from what the archive holds."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("cellship-*.whl")
    return found


@pytest.fixture(scope="module")
def bare_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and the packages it requires, no others."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for package in closure("cellship"):
        link_files(package, site)
    return folder / "bin" / "python"


def closure(name: str) -> list[Distribution]:
    """The installed distributions that `name` requires without extras, and what those require."""
    found: dict[str, Distribution] = {}
    waiting = list(required(distribution(name)))
    while waiting:
        wanted = waiting.pop()
        if wanted not in found:
            found[wanted] = distribution(wanted)
            waiting += required(found[wanted])
    return list(found.values())


def required(package: Distribution) -> list[str]:
    parsed = [Requirement(line) for line in package.requires or []]
    return [
        each.name for each in parsed if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def link_files(package: Distribution, site: Path) -> None:
    for file in package.files or []:
        if file.parts[0] in ("..", "__pycache__"):
            continue
        target = site / file.parts[0]
        if not target.exists():
            target.symlink_to(Path(str(package.locate_file(file.parts[0]))))


def run(python: Path, code: str, cwd: Path) -> str:
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_wheel_holds_all_rooms_under_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cellship"}
    for room in ROOMS:
        here = {str(path.relative_to(ROOT)) for path in (ROOT / room).rglob("*.py")}
        there = {
            name.removeprefix("cellship/") for name in names if name.startswith(f"cellship/{room}/")
        }
        assert here - there == set(), f"files of {room}/ that the wheel lacks"


@pytest.mark.slow
def test_nothing_of_ours_is_importable_by_a_short_name(bare_python: Path, tmp_path: Path) -> None:
    code = f"import importlib.util; print([n for n in {FOLDERS} if importlib.util.find_spec(n)])"
    assert run(bare_python, code, tmp_path) == "[]"


@pytest.mark.slow
def test_a_kernel_needs_the_base_packages_only(bare_python: Path, tmp_path: Path) -> None:
    code = "import cellship.magics, importlib.util as u; print(u.find_spec('fastapi'))"
    assert run(bare_python, code, tmp_path) == "None"


@pytest.mark.slow
def test_extension_loads_with_the_base_packages_only(bare_python: Path, tmp_path: Path) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'cellship')\n"
        "print('deploy' in shell.magics_manager.magics['cell'])"
    )
    assert run(bare_python, code, tmp_path) == "True"


@pytest.mark.slow
def test_without_the_server_part_the_command_says_so(bare_python: Path, tmp_path: Path) -> None:
    code = "from cellship.magics.command import main; main()"
    done = subprocess.run(
        [str(bare_python), "-c", code, "up"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            "CELLSHIP_DATA": str(tmp_path / "data"),
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
    )
    assert done.returncode == 5
    assert 'pip install "cellship[server]"' in done.stderr
    assert "Traceback" not in done.stderr
