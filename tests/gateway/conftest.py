"""Gateways: one that a module shares, or one of its own for a test that changes something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.gateway.rig import Rig


@contextmanager
def made(folder: Path) -> Iterator[Rig]:
    rig = Rig(folder / "data")
    try:
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Nothing runs yet: `deploy`, then `start`."""
    with made(tmp_path) as rig:
        yield rig


@pytest.fixture
def own_digits(rig: Rig) -> Rig:
    """A gateway that serves one version of `digits`."""
    rig.deploy()
    rig.start()
    return rig


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """As `own_digits`, shared by tests that leave it as it was."""
    with made(tmp_path_factory.mktemp("digits")) as rig:
        rig.deploy()
        rig.start()
        yield rig


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """As `digits`; it waits half a second where others wait half a minute."""
    with made(tmp_path_factory.mktemp("hasty")) as rig:
        rig.limits = {"arrive": 0.5, "linger": 0.5, "idle": 1.0, "unread": 0.5}
        rig.deploy()
        rig.start()
        yield rig
