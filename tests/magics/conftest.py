"""A real IPython shell with the extension, a small service, a capture that looks at text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import start_ipython

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "client")]

from fake_capture import capture  # noqa: E402
from fake_service import TOKEN, FakeService, serve  # noqa: E402

from cellship.magics import params  # noqa: E402
from cellship.magics.extension import load, loaded_magics, unload  # noqa: E402
from cellship.magics.session import Session  # noqa: E402


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """The service that CELLSHIP_URL names."""
    leases = tmp_path / "leases"
    leases.mkdir()
    service = FakeService(leases)
    server = serve(service)
    monkeypatch.setenv("CELLSHIP_URL", service.address)
    monkeypatch.setenv("CELLSHIP_TOKEN", TOKEN)
    monkeypatch.delenv("CELLSHIP_DATA", raising=False)
    monkeypatch.setenv("JUPYTERHUB_USER", "ann")
    params._names.clear()
    yield service
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def global_shell() -> InteractiveShell:
    return start_ipython() or InteractiveShell.instance()


@pytest.fixture
def shell(global_shell: InteractiveShell) -> Iterator[InteractiveShell]:
    """The shell, with the extension, and nothing left of other tests."""
    global_shell.reset(new_session=False)
    global_shell.user_ns.pop("cellship", None)
    load(global_shell)
    magics = loaded_magics(global_shell)
    assert magics is not None
    magics.capture = capture
    yield global_shell
    unload(global_shell)


@pytest.fixture
def in_shell(service: FakeService) -> Session:
    """A command typed in a shell of the system."""
    return Session()
