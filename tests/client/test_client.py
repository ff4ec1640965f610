"""The typed client against a server that speaks the contract."""

from __future__ import annotations

import contextlib
import http.server
import threading
from pathlib import Path

import pytest
from fake_service import FakeService, Problem

from cellship.backend import client as clients
from cellship.backend.client import Client
from cellship.backend.client_answers import Lease, Same, Status, build
from cellship.backend.client_wire import api_error
from cellship.backend.locate import Connection
from cellship.snapshot.errors import (
    CaptureRefused,
    CellshipError,
    NoBackend,
    NotFound,
    Refused,
    StillGoingOn,
    UsageProblem,
)

DIGEST = "d" * 64


def test_answers_are_typed(client: Client, service: FakeService) -> None:
    service.add_version("digits", DIGEST)
    assert client.check_protocol().isolation == "isolated packages; not a security boundary"
    [found] = client.deployments()
    assert (found.name, found.live, found.traffic) == ("digits", "digits@1", {"1": 100})
    version = client.version("digits", "latest")
    assert (version.label, version.state, version.share) == ("digits@1", "ready", 100)


def test_a_lease_names_what_is_missing(client: Client, service: FakeService) -> None:
    service.stored = {"b" * 64}
    blobs = {"a" * 64: 3, "b" * 64: 4}
    lease = client.open_lease("digits", DIGEST, {"entry": "predict"}, blobs, ["c" * 64])
    assert isinstance(lease, Lease)
    assert lease.missing_blobs == {"a" * 64}
    assert lease.missing_trees == {"c" * 64}
    assert lease.folder.is_dir()
    client.drop_lease(lease.id)
    assert not lease.folder.exists()


def test_the_same_snapshot_opens_no_lease(client: Client, service: FakeService) -> None:
    service.add_version("digits", DIGEST)
    answer = client.open_lease("digits", DIGEST, {}, {}, [])
    assert answer == Same(1, f"{service.address}/digits")
    assert service.leases == {}


def test_an_error_keeps_its_parts(client: Client, service: FakeService) -> None:
    service.add_version("digits", DIGEST)
    with pytest.raises(NotFound) as caught:
        client.deployment("digts")
    error = caught.value
    assert error.code == "deployment.unknown"
    assert error.hint == "Did you mean digits?"
    assert error.request_id == "req-1"


@pytest.mark.parametrize(
    ("status", "ships", "code", "kind"),
    [
        (202, False, "x.y", StillGoingOn),
        (401, False, "x.y", Refused),
        (404, False, "x.y", NotFound),
        (409, False, "x.y", Refused),
        (422, False, "x.y", UsageProblem),
        (422, True, "capture.secret", CaptureRefused),
        (422, True, "api.bad-request", UsageProblem),
        (500, True, "x.y", CellshipError),
    ],
)
def test_an_error_says_what_to_do_by_its_class(
    status: int, ships: bool, code: str, kind: type[CellshipError]
) -> None:
    content = f'{{"error": {{"code": "{code}", "message": "No."}}}}'.encode()
    assert type(api_error(status, content, ships=ships)) is kind


def test_an_answer_without_our_shape_is_told_in_words() -> None:
    error = api_error(502, b"<html>Bad Gateway</html>")
    assert str(error).startswith("The service answered 502 without a reason.")


def test_an_answer_that_cannot_be_read_is_told_in_words() -> None:
    with pytest.raises(CellshipError, match="cannot read"):
        build(Status, ["what is this"])


def test_fields_of_a_newer_service_are_let_pass() -> None:
    assert build(Status, {"version": "9", "moons": 3}).version == "9"


def test_a_refusal_by_admit_is_a_capture_refused(client: Client, service: FakeService) -> None:
    service.admit_problem = Problem(422, "capture.secret", "source.py holds a key.")
    with pytest.raises(CaptureRefused, match=r"source\.py holds a key"):
        client.admit("lease", {})


def test_nobody_there_is_no_backend() -> None:
    closed = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    address = f"http://127.0.0.1:{closed.server_address[1]}"
    closed.server_close()
    with pytest.raises(NoBackend, match="does not answer"):
        Client(Connection(address, "", "token")).status()


def test_another_protocol_is_refused_before_anything_else(
    client: Client, service: FakeService
) -> None:
    service.protocol = 99
    with pytest.raises(Refused, match="protocol 1"):
        client.check_protocol()


def test_a_proxy_of_the_environment_is_not_used_for_this_host(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.status().version == "0.1.0"


def test_a_netrc_does_not_replace_the_token(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client._wire._http.trust_env = True
    assert client.status().version == "0.1.0"


def test_a_service_named_by_url_is_never_started_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLSHIP_URL", "http://127.0.0.1:9")
    with pytest.raises(NoBackend):
        clients.connect_or_start(None, lambda line: None)


def test_an_interrupted_wait_leaves_the_lease_to_be_dropped(
    client: Client, service: FakeService
) -> None:
    lease = client.open_lease("digits", DIGEST, {}, {}, [])
    assert isinstance(lease, Lease)
    let_go = threading.Event()
    service.admit_hook = lambda: let_go.wait(20) and None
    asking = threading.Thread(target=admit_quietly, args=(client, lease.id))
    service.admit_problem = Problem(409, "lease.gone", "The lease is gone.")
    asking.start()
    assert service.arrived.wait(10)
    client.drop_lease(lease.id)
    let_go.set()
    asking.join(10)
    assert service.leases == {}


def admit_quietly(client: Client, lease: str) -> None:
    with contextlib.suppress(CellshipError):
        client.admit(lease, {})
