"""Examples: calls of the deployed cell, run once here and compared there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cellship.snapshot.errors import CaptureRefused

PREDICT = "def predict(row: list) -> int:\n    CALLS.append(1)\n    return sum(row)\n"


def test_calls_of_the_cell_are_compared(notebook: Any) -> None:
    notebook.run("CALLS = []\nX = [[1, 2], [3, 4]]")
    body = PREDICT + "assert predict(X[1]) == 7\nprint(predict(row=[1]))\npredict(X[0])"
    candidate = notebook.deploy(body, "predict")
    assert candidate.receipt.checked == (
        "predict(X[1]) gave 7 there as here",
        "predict(row=[1]) gave 1 there as here",
        "predict(X[0]) gave 3 there as here",
    )
    assert notebook.shell.user_ns["CALLS"] == [1, 1, 1], "each ran once"


def test_examples_are_written_as_a_request_would_send_them(notebook: Any) -> None:
    notebook.run("CALLS = []\nX = [[1, 2], [3, 4]]\nwanted = {'a': 7}")
    candidate = notebook.deploy(PREDICT + "assert predict(X[1]) == wanted['a']", "predict")
    written = json.loads((candidate.folder / "examples.json").read_text())["examples"]
    assert written == [
        {
            "text": "predict(X[1])",
            "kind": "assert",
            "arguments": {"row": [3, 4]},
            "answer": None,
            "check": "_answer == _operand_0",
            "operands": {"_operand_0": 7},
        }
    ]


def test_a_failing_assert_is_the_users_own_error(notebook: Any) -> None:
    with pytest.raises(AssertionError):
        notebook.deploy("def f(x): return x\nassert f(1) == 2", "f")


def test_without_a_call_the_last_recorded_one_serves_and_is_not_run_here(notebook: Any) -> None:
    notebook.run("CALLS = []", PREDICT, "predict([1, 2])", "predict([5])", "CALLS.clear()")
    candidate = notebook.capture("predict")
    assert candidate.receipt.checked == ("predict([5]) gave 5 there as here",)
    assert notebook.shell.user_ns["CALLS"] == []


def test_no_example_is_said(notebook: Any) -> None:
    notebook.run("def f(x): return x")
    assert notebook.capture("f").receipt.checked == ("no example: answers not compared",)


def test_an_entry_that_disagrees_with_itself_is_not_compared(notebook: Any) -> None:
    notebook.run("import time")
    candidate = notebook.deploy("def f(x): return time.perf_counter_ns()\nf(1)", "f")
    assert candidate.receipt.checked == ("f(1): not comparable: differs from call to call",)


def test_another_answer_is_refused_with_both(notebook: Any, monkeypatch: Any) -> None:
    notebook.run("import os\nhere = os.getpid()")
    monkeypatch.setenv("CS_MARK", "here")
    notebook.run("def f(x): return os.getcwd()")
    with pytest.raises(CaptureRefused) as caught:
        notebook.deploy("def g(x): return os.getcwd()\ng(1)", "g")
    assert caught.value.code == "capture.answer-differs"
    assert os_path(notebook) in str(caught.value)


def os_path(notebook: Any) -> str:
    return str(notebook.scratch)


def test_floats_may_differ_a_little(notebook: Any) -> None:
    notebook.run("import os")
    body = "def f(x): return x * (1 + 1e-7 * (os.environ.get('HOME') != HOME))\nf(1.0)"
    notebook.run("HOME = os.environ.get('HOME')")
    assert notebook.deploy(body, "f").receipt.checked[0].startswith("f(1.0) gave 1.0")
    with pytest.raises(CaptureRefused):
        notebook.deploy(body, "f", tolerance=1e-12)


def test_other_lines_are_named(notebook: Any) -> None:
    candidate = notebook.deploy("total = 3\ndef f(x): return x\ntotal += 1\nf(1)", "f")
    assert "2 other lines of the cell ran in the kernel only: total = 3" in candidate.receipt.notes


def test_arrays_and_objects_travel_as_arguments(notebook: Any) -> None:
    notebook.run("import numpy as np\nclass P:\n  def __init__(s, v): s.v = v")
    body = "def f(x, p=None):\n  return x.sum() + p.v\nf(np.arange(3.0), p=P(2))"
    assert notebook.deploy(body, "f").receipt.checked[0].endswith("there as here")


def test_the_value_of_the_last_expression_is_given_back(notebook: Any) -> None:
    assert notebook.record.run(notebook.shell, "def f(x): return x\nf(4)") == 4
    assert notebook.record.run(notebook.shell, "y = 3") is None


def test_an_exception_of_the_body_is_the_users_own(notebook: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        notebook.record.run(notebook.shell, "def f(x): return x\n1 / 0")
    assert notebook.record.cells[-1].succeeded is False


def test_no_example_run(notebook: Any) -> None:
    candidate = notebook.deploy("def f(x): return x\nf(1)", "f", example_run=False)
    assert "examples not run (--no-example-run)" in candidate.receipt.notes
    assert candidate.receipt.checked == ("no example: answers not compared",)


def test_an_async_entry_is_awaited_here_and_there(notebook: Any) -> None:
    body = "import asyncio\nasync def f(x):\n  await asyncio.sleep(0)\n  return x + 1\n"
    candidate = notebook.deploy(body + "assert await f(1) == 2\nawait f(2)", "f")
    assert candidate.receipt.checked == (
        "f(1) gave 2 there as here",
        "f(2) gave 3 there as here",
    )
    assert notebook.record.run(notebook.shell, "await f(5)") == 6


def test_await_inside_a_running_loop(notebook: Any) -> None:
    import asyncio

    async def kernel() -> Any:
        return notebook.record.run(notebook.shell, "async def g(x): return x\nawait g(4)")

    assert asyncio.run(kernel()) == 4


def test_a_remade_lock_is_told(notebook: Any) -> None:
    notebook.run("import threading\nL = threading.Lock()\ndef f(x):\n  with L: return x")
    assert "L holds a lock: it is made again, unlocked" in notebook.capture("f").receipt.notes
