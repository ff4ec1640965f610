"""Small environments: a notebook's folder and a site-packages, both on the path."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snapshot.packages.package_rig import Install


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
