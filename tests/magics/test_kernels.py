"""Real kernels: what a notebook stores, and how a failing deploy fails whoever runs it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from fake_service import FakeService
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from papermill.exceptions import PapermillExecutionError

from cellship.magics.progress import SHOWN_AFTER

HERE = Path(__file__).parent
SETUP = f"""\
import sys
sys.path.insert(0, {str(HERE)!r})
%load_ext cellship
import fake_capture
from cellship.magics.extension import loaded_magics
loaded_magics(get_ipython()).capture = fake_capture.capture"""
DEPLOY = "%%deploy score\ndef score(x):\n    return 1\n"
HEADLINE = "%%deploy score: not shipped. score@1 still answers."
REFUSED = ["session = object()", DEPLOY + "y = 1"]
LIMIT = 60

pytestmark = pytest.mark.filterwarnings("default")  # of the notebook tools, not ours


@pytest.fixture(autouse=True)
def loops_of_the_tools() -> Iterator[None]:
    """nbclient and papermill leave event loops to the collector; no later test may hear of it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def notebook(*cells: str) -> nbformat.NotebookNode:
    sources = [nbformat.v4.new_code_cell(cell) for cell in (SETUP, *cells)]
    return nbformat.v4.new_notebook(cells=sources)


def written(folder: Path, *cells: str) -> Path:
    path = folder / "score.ipynb"
    nbformat.write(notebook(*cells), path)
    return path


def test_a_notebook_stores_the_result_in_three_forms(service: FakeService) -> None:
    book = NotebookClient(notebook(DEPLOY), timeout=LIMIT).execute()
    assert book.cells[0].outputs == [], "loading prints nothing"
    [output] = book.cells[1].outputs
    assert output.output_type == "display_data"
    assert sorted(output.data) == [
        "application/vnd.cellship.deployment.v1+json",
        "text/html",
        "text/plain",
    ]
    assert output.data["text/plain"].startswith("score@1 is live")


def test_a_refusal_fails_nbclient(service: FakeService) -> None:
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook(DEPLOY, *REFUSED), timeout=LIMIT).execute()
    assert caught.value.ename == "CaptureRefused"
    assert caught.value.evalue.startswith(HEADLINE)


def test_a_refusal_fails_papermill_with_our_message(service: FakeService, tmp_path: Path) -> None:
    source = written(tmp_path, DEPLOY, *REFUSED)
    with pytest.raises(PapermillExecutionError) as caught:
        papermill.execute_notebook(
            source, tmp_path / "out.ipynb", progress_bar=False, kernel_name="python3"
        )
    assert HEADLINE in str(caught.value)
    assert service.versions["score"][0]["message"] == ""


def test_a_refusal_fails_nbconvert_with_our_message(service: FakeService, tmp_path: Path) -> None:
    source = written(tmp_path, DEPLOY, *REFUSED)
    done = run_tool("jupyter", "nbconvert", "--execute", "--to", "notebook", str(source))
    assert done.returncode != 0
    assert HEADLINE in done.stderr


def test_a_refusal_fails_nbval_with_our_message(service: FakeService, tmp_path: Path) -> None:
    source = written(tmp_path, DEPLOY, *REFUSED)
    done = run_tool("pytest", "-p", "no:cacheprovider", "--nbval-lax", str(source))
    assert done.returncode == 1
    assert HEADLINE in done.stdout


def test_a_mistake_in_the_line_fails_nbval_too(service: FakeService, tmp_path: Path) -> None:
    source = written(tmp_path, "%%deploy Churn Model\ndef f(): pass")
    done = run_tool("pytest", "-p", "no:cacheprovider", "--nbval-lax", str(source))
    assert done.returncode == 1
    assert '"Churn Model" cannot be a name. Try churn-model.' in done.stdout


def run_tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", name, *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, cwd=Path(words[-1]).parent
    )


def test_the_users_error_stays_the_users(service: FakeService) -> None:
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook(DEPLOY + "assert score(1) == 2, 'no'"), timeout=LIMIT).execute()
    assert (caught.value.ename, caught.value.evalue) == ("AssertionError", "no")
    assert "cellship" not in caught.value.traceback
    assert service.versions == {}


@pytest.fixture
def kernel(service: FakeService) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=LIMIT)
    client.execute_interactive(SETUP, timeout=LIMIT, allow_stdin=False)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def executed(
    client: BlockingKernelClient,
    cell: str,
    hear: Any = lambda message: None,
    watched: bool = False,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The reply, and every output message in order; `hear` is told of each as it comes.

    `watched`: as a front end asks, which can be asked for input.
    """
    messages: list[dict[str, Any]] = []

    def keep(message: dict[str, Any]) -> None:
        messages.append(message)
        hear(message)

    reply = client.execute_interactive(cell, timeout=LIMIT, output_hook=keep, allow_stdin=watched)
    return reply["content"], messages


def test_progress_is_one_line_that_the_result_replaces(
    service: FakeService, kernel: tuple[KernelManager, BlockingKernelClient]
) -> None:
    seen = threading.Event()
    service.admit_hook = lambda: seen.wait(LIMIT) and None

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "display_data":
            seen.set()  # the check goes on once its progress was shown

    reply, messages = executed(kernel[1], DEPLOY, hear, watched=True)
    assert reply["status"] == "ok"
    shown = [one for one in messages if one["msg_type"] == "display_data"]
    assert len(shown) == 1
    assert "score: checking it in a clean worker" in shown[0]["content"]["data"]["text/plain"]
    updates = [one for one in messages if one["msg_type"] == "update_display_data"]
    last = updates[-1]["content"]
    assert last["transient"] == shown[0]["content"]["transient"]
    assert last["data"]["text/plain"].startswith("score@1 is live")
    assert not [one for one in messages if one["msg_type"] == "stream"]


def longer_than_progress_waits() -> None:
    threading.Event().wait(SHOWN_AFTER + 0.5)


def test_nobody_is_shown_progress_where_nobody_watches(
    service: FakeService, kernel: tuple[KernelManager, BlockingKernelClient]
) -> None:
    """nbval cannot replace an output: one that passes would be a difference."""
    service.admit_hook = longer_than_progress_waits
    _, messages = executed(kernel[1], DEPLOY)
    shown = [one for one in messages if one["msg_type"] != "status"]
    kinds = [one["msg_type"] for one in shown if one["msg_type"] != "execute_input"]
    assert kinds == ["display_data"]


@pytest.mark.parametrize("moment", ["bytes are written", "the worker checks"])
def test_an_interrupt_in_mid_upload_ships_nothing(
    service: FakeService, kernel: tuple[KernelManager, BlockingKernelClient], moment: str
) -> None:
    manager, client = kernel
    executed(client, DEPLOY)
    service.stored.clear()
    if moment == "bytes are written":
        executed(client, "interrupt = True")
    else:
        service.admit_hook = manager.interrupt_kernel
    reply, _ = executed(client, DEPLOY + "y = 1")
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    assert reply["evalue"].startswith("Interrupted: nothing shipped. score@1 still answers.")
    assert len(service.versions["score"]) == 1
    assert service.leases == {} and list(service.folder.iterdir()) == []
    service.admit_hook = None
    executed(client, "globals().pop('interrupt', None)")
    assert executed(client, DEPLOY + "y = 1")[0]["status"] == "ok", "it can be repeated"


def test_following_logs_ends_at_an_interrupt_without_a_traceback(
    service: FakeService, kernel: tuple[KernelManager, BlockingKernelClient]
) -> None:
    manager, client = kernel
    service.add_version("score", "d" * 64)
    service.logs = [
        {"n": 1, "time": "2026-01-02T03:04:05Z", "version": 1, "replica": "r", "stream": "out",
         "level": None, "request_id": None, "text": "loading"}
    ]  # fmt: skip

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            manager.interrupt_kernel()

    reply, messages = executed(client, "%cellship logs score -f", hear)
    assert reply["status"] == "ok"
    assert messages[-1]["msg_type"] == "status"
    assert [one for one in messages if one["msg_type"] == "error"] == []


def test_completion_offers_our_options_and_nothing_else(
    service: FakeService, kernel: tuple[KernelManager, BlockingKernelClient]
) -> None:
    service.add_version("score", "d" * 64)
    client = kernel[1]
    assert "--entry" in completed(client, "%%deploy x --")
    assert completed(client, "%%deploy x --gp") == []
    assert completed(client, "%cellship roll") == ["rollback"]
    assert completed(client, "%cellship rollback sc") == ["score"]
    assert "--because" in completed(client, "%cellship rollback score --be")


def completed(client: BlockingKernelClient, text: str) -> list[str]:
    client.complete(text)
    reply = client.get_shell_msg(timeout=LIMIT)["content"]
    start = reply["cursor_start"]
    word = text[:start].rpartition(" ")[2]
    return [word + match for match in reply["matches"]]
