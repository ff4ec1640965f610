"""Real services in folders of their own, and kernels that find them."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.driver import Kernel, Service, kernel, service, stop

PLAIN = """\
%%deploy first
def first(x: int) -> int:
    "One more."
    return x + 1
"""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that do it no harm; each takes names of its own."""
    with service(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a stopped service into which an entry without packages was shipped once."""
    folder = tmp_path_factory.mktemp("filled")
    with ExitStack() as stack:
        running = Service(folder / "data")
        stack.callback(stop, running)
        running.up()
        notebook = stack.enter_context(kernel(running, folder))
        notebook.run("%load_ext cellship")
        notebook.run(PLAIN)
    return folder / "data" / "store"


@pytest.fixture
def own(tmp_path: Path, filled_store: Path) -> Iterator[Service]:
    """A service of the test's own, to be killed and filled; its store has the interpreter."""
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["cp", "-a", "--link", str(filled_store), str(data / "store")], check=True)
    running = Service(data)
    try:
        running.up()
        yield running
    finally:
        stop(running)
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def notebook(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with the extension loaded, at the test's own service or else at the shared one."""
    running = request.getfixturevalue("own" if "own" in request.fixturenames else "shared")
    with kernel(running, tmp_path) as started:
        started.run("%load_ext cellship")
        yield started


_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A deployment name that no other test of this service uses."""
    return f"entry-{next(_numbers)}"
