"""What every checkout holds, and how long a file may get."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("src/cellship", "magics", "snapshot", "backend", "jupyter_ext", "labextension"),
    *("backend/api", "backend/workspace", "backend/store", "backend/state", "backend/control"),
    *("backend/compute", "backend/gateway", "backend/supervise", "backend/worker"),
    *(
        "examples",
        "tests",
        "benchmarks",
        "docs/notebook-users",
        "docs/operators",
        "docs/contributors",
    ),
)
MOST_LINES = 400


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert any((ROOT / folder).iterdir())


def test_version_has_one_source() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert package["name"] == "cellship"
    assert package["version"] in changes


def test_licence_is_bsd() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("BSD 3-Clause License")


def test_no_file_is_too_long_to_read() -> None:
    # what was taken over from elsewhere as it was is not ours to cut
    own = [path for path in tracked("*.py") if "peers" not in path.parts]
    long = {str(path.relative_to(ROOT)): lines(path) for path in own if lines(path) > MOST_LINES}
    assert long == {}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())
