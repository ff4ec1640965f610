"""The order in which the service is looked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cellship.backend.locate import connection, data_folder
from cellship.snapshot.errors import NoBackend, Refused


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CELLSHIP_URL", "CELLSHIP_TOKEN", "CELLSHIP_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(sys, "platform", "linux")


def configure(folder: Path, data: str) -> None:
    (folder / "cellship").mkdir(parents=True)
    (folder / "cellship" / "config.toml").write_text(f'data = "{data}"\n')


def test_each_place_gives_way_to_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_folder() == tmp_path / "share" / "cellship"
    configure(tmp_path / "config", "/data/of/the/user")
    assert data_folder() == Path("/data/of/the/user")
    configure(tmp_path / "prefix" / "etc", "/data/of/the/environment")
    assert data_folder() == Path("/data/of/the/environment")
    monkeypatch.setenv("CELLSHIP_DATA", "/data/of/the/variable")
    assert data_folder() == Path("/data/of/the/variable")
    assert data_folder(Path("/data/of/the/option")) == Path("/data/of/the/option")


def test_relative_data_folder_counts_from_its_file(tmp_path: Path) -> None:
    configure(tmp_path / "config", "../elsewhere")
    assert data_folder() == tmp_path / "config" / "cellship" / ".." / "elsewhere"


def test_damaged_configuration_is_named(tmp_path: Path) -> None:
    configure(tmp_path / "config", '"')
    with pytest.raises(Refused, match=r"config\.toml cannot be read"):
        data_folder()


def test_address_and_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLSHIP_URL", "http://ship.example:8000/")
    monkeypatch.setenv("CELLSHIP_TOKEN", "secret")
    found = connection()
    assert (found.address, found.token, found.data) == ("http://ship.example:8000", "secret", None)


def test_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(NoBackend) as error:
        connection(tmp_path)
    assert error.value.hint == "cellship up"


def test_running_service_is_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    facts = {"address": "http://127.0.0.1:1", "gateway": "http://127.0.0.1:2", "token": "t"}
    facts |= {"version": "0.1.0", "protocol": 1}
    (tmp_path / "run" / "backend.json").write_text(json.dumps(facts))
    found = connection(tmp_path)
    assert (found.address, found.gateway, found.token) == tuple(facts.values())[:3]
    assert found.data == tmp_path
