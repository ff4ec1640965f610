"""Workers that go wrong: the old version goes on, and the sentence says why."""

from __future__ import annotations

import json

import psutil
import pytest
from tests.driver import Kernel, Service, command, until

GOOD = "%%deploy {name}\ndef f(x: int) -> int:\n    return x + 1\n"


def test_a_worker_that_crashes_on_import(shared: Service, notebook: Kernel, name: str) -> None:
    notebook.run(GOOD.format(name=name))
    (shared.data.parent / "unused").mkdir(exist_ok=True)
    notebook.run(
        "import pathlib\n"
        "pathlib.Path('breaks.py').write_text('import os\\n"
        'if "CELLSHIP_REPLICA" in os.environ: os._exit(3)\\nK = 2\\n\')\n'
        "import breaks"
    )
    failed = notebook.attempt(f"%%deploy {name}\ndef f(x: int) -> int:\n    return x + breaks.K\n")
    assert failed.error == "CellshipError"
    assert f"{name}@2 did not start; {name}@1 still answers" in failed.message
    assert shared.call(name, x=1).json() == 2


def test_a_worker_that_never_becomes_ready(own: Service, notebook: Kernel) -> None:
    notebook.run(GOOD.format(name="slow"))
    notebook.run(
        "import pathlib\n"
        "pathlib.Path('hangs.py').write_text('import os, threading\\n"
        'if "CELLSHIP_REPLICA" in os.environ: threading.Event().wait()\\nK = 2\\n\')\n'
        "import hangs"
    )
    # nobody waits for the limit of a first start: the author interrupts, the old version answers
    cell = "%%deploy slow\ndef f(x: int) -> int:\n    return x + hangs.K\n"
    failed = notebook.interrupted(cell, when=lambda: len(serving(own)) > 1)
    assert failed.error
    assert "Traceback" not in failed.message
    assert own.call("slow", x=1).json() == 2


def test_a_worker_that_exits_on_its_third_request(
    shared: Service, notebook: Kernel, name: str
) -> None:
    notebook.run(
        f"%%deploy {name} --no-example-run\n"
        "import os\n"
        "calls = []\n"
        "def f(x: int) -> int:\n"
        "    calls.append(x)\n"
        "    if len(calls) == 3:\n"
        "        os._exit(7)\n"
        "    return len(calls)\n"
    )
    assert [shared.call(name, x=1).json() for _ in range(2)] == [1, 2]
    died = shared.call(name, x=1)
    assert died.status_code == 502
    assert died.json()["error"]["message"]
    until(lambda: shared.call(name, x=1).status_code == 200, what="a new replica answers")


def test_a_line_of_ten_megabytes(shared: Service, notebook: Kernel, name: str) -> None:
    notebook.run(
        f"%%deploy {name} --no-example-run\n"
        "def f(x: int) -> int:\n"
        "    print('y' * 10_000_000)\n"
        "    print('the end of it')\n"
        "    return x\n"
    )
    assert shared.call(name, x=4).json() == 4
    until(lambda: "the end of it" in shared.cellship("logs", name), what="the line after it")
    lines = [each["text"] for each in log_lines(shared, name)]
    assert sum(text.count("y") for text in lines) >= 10_000_000 - 100
    assert max(len(text) for text in lines) < 2 << 20


@pytest.mark.parametrize(
    ("expression", "said"),
    [("object()", "object"), ("{1: {2: lambda: 3}}", "function"), ("{'a': [1, 1j]}", "complex")],
)
def test_what_json_cannot_hold(
    shared: Service, notebook: Kernel, name: str, expression: str, said: str
) -> None:
    notebook.run(f"%%deploy {name} --no-example-run\ndef f(x: int):\n    return {expression}\n")
    answer = shared.call(name, x=1)
    assert answer.status_code == 500
    assert said in answer.json()["error"]["message"]
    assert "Traceback" not in answer.text


def test_nan_is_null_and_said(shared: Service, notebook: Kernel, name: str) -> None:
    notebook.run(f"%%deploy {name}\ndef f(x: float):\n    return [x, float('nan')]\n")
    answer = shared.call(name, x=1.5)
    assert answer.json() == [1.5, None]
    assert answer.headers["Cellship-Lossy"] == "nan"


def test_an_error_in_the_entry_is_a_sentence_outside_and_a_traceback_in_the_log(
    shared: Service, notebook: Kernel, name: str
) -> None:
    notebook.run(f"%%deploy {name}\ndef f(x: int) -> float:\n    return 1 / x\n")
    answer = shared.call(name, x=0)
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["error"]["message"]
    assert "Traceback" not in answer.text
    until(lambda: "ZeroDivisionError: division by zero" in shared.cellship("logs", name))


def serving(running: Service) -> list[psutil.Process]:
    return [each for each in running.processes("_cellship") if "serve" in command(each)]


def log_lines(running: Service, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in running.cellship("logs", name, "--json").splitlines()]
