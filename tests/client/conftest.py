"""The service of these tests is a small real server: see fake_service.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_service import TOKEN, FakeService, serve

from cellship.backend.client import Client
from cellship.backend.locate import Connection


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeService]:
    leases = tmp_path / "leases"
    leases.mkdir()
    service = FakeService(leases)
    server = serve(service)
    yield service
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(service: FakeService) -> Client:
    return Client(Connection(service.address, service.address, TOKEN))
