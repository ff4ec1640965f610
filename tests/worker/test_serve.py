"""A stored snapshot is served: a real worker process, real sockets."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.worker.served import Replica, Workshop, pythons, until, workshop

from cellship.backend.worker.frames import LOSSY, Kind

SUM = "from typing import List\ndef f(row: List[float]) -> float:\n    return sum(row)\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    yield from workshop(tmp_path)


def gone(replica: Replica) -> int:
    return replica.process.wait(20)


@pytest.mark.parametrize("python", pythons())
def test_calls_are_answered(shop: Workshop, python: str) -> None:
    client = shop.start(SUM, python=python).ready()
    assert client.call(row=[1, 2.5]).value == 3.5
    assert client.call(row=[]).value == 0
    wrong = client.call(row="abc")
    assert wrong.value["status"] == 422
    assert wrong.error["message"] == "row: a list of numbers wanted, got text"
    assert wrong.error["details"] == [
        {"path": "/row", "message": "a list of numbers wanted, got text"}
    ]
    assert wrong.error["hint"] == "GET /digits/-/example"


@pytest.mark.parametrize("python", pythons())
def test_async_calls_run_together(shop: Workshop, python: str) -> None:
    # each call waits until eight are there: one after the other they would wait for ever
    source = (
        "import asyncio\n"
        "here = []\n"
        "async def f(n: int) -> int:\n"
        "    here.append(n)\n"
        "    while len(here) < 8:\n"
        "        await asyncio.sleep(0.001)\n"
        "    return n * 2\n"
    )
    client = shop.start(source, python=python).ready()
    streams = {client.start(n=n): n for n in range(8)}
    answers = [client.hear() for _ in streams]
    assert {heard.stream: heard.value for heard in answers} == {
        stream: n * 2 for stream, n in streams.items()
    }


def test_who_connects_hears_who_answers(shop: Workshop) -> None:
    replica = shop.start(SUM)
    replica.ready()
    hello = replica.connect().hear().value
    assert hello == {
        "protocol": 1,
        "replica": "r1",
        "snapshot": "d" * 64,
        "deployment": "digits",
        "version": 2,
        "pid": replica.process.pid,
        "started": hello["started"],
        "state": "ready",
    }


def test_a_call_before_ready_waits(shop: Workshop, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    source = (
        f"import os, select\nwhile not os.path.exists({str(gate)!r}):\n"
        "    select.select([], [], [], 0.005)\n" + SUM
    )
    client = shop.start(source).connect()
    assert client.hear().value["state"] == "starting"
    stream = client.start(row=[1, 2])
    client.send(Kind.PING, 77, b"are you there")
    pong = client.hear()
    assert (pong.kind, pong.stream, pong.payload) == (Kind.PONG, 77, b"are you there")
    gate.touch()
    ready = client.hear()
    assert ready.kind == Kind.READY
    assert ready.value["seconds"] > 0
    answer = client.hear()
    assert (answer.kind, answer.stream, answer.value) == (Kind.ANSWER, stream, 3)


def test_a_snapshot_that_does_not_load(shop: Workshop) -> None:
    source = "def load():\n    open('vocab.txt')\nload()\n"
    replica = shop.start(source)
    client = replica.connect()
    client.hear()
    said = client.hear()
    assert (said.kind, said.stream) == (Kind.FAIL, 0)
    message = said.error["message"]
    assert message.startswith("In load(), line 2: FileNotFoundError: ")
    assert "vocab.txt" in message
    assert gone(replica) == 1
    texts = replica.texts()
    assert texts[0].startswith("Traceback")
    assert "source.py" in texts[1]
    assert texts[-1].startswith("FileNotFoundError")
    assert not replica.socket.exists()


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt()"])
def test_leaving_while_loading_is_a_failure(shop: Workshop, error: str) -> None:
    replica = shop.start(f"raise {error}\n")
    assert replica.connect().hear().kind == Kind.HELLO
    assert gone(replica) == 1


def test_an_entry_that_cannot_be_served(shop: Workshop) -> None:
    replica = shop.start("def f(x):\n    yield x\n")
    client = replica.connect()
    client.hear()
    assert client.hear().error["code"] == "entry.generator"
    assert gone(replica) == 1


@pytest.mark.parametrize(
    "error", ["ValueError('secret')", "SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()"]
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_user_code_raises_is_the_calls_failure(shop: Workshop, error: str, kind: str) -> None:
    replica = shop.start(
        f"{kind} f(fail: bool):\n    if fail:\n        raise {error}\n    return 1\n"
    )
    client = replica.ready()
    failed = client.call(fail=True, request_id="abc-1")
    assert failed.value["status"] == 500
    assert failed.error["code"] == "entry.raised"
    assert failed.error["message"] == f"f() raised {error.partition('(')[0]}."
    assert "secret" not in failed.payload.decode()
    assert client.call(fail=False).value == 1
    lines = [line for line in replica.lines() if line.request_id == "abc-1"]
    assert lines[0].text.startswith("Traceback")
    assert lines[-1].text.startswith(error.partition("(")[0])
    assert {line.level for line in lines} == {"ERROR"}
    assert not any("method.py" in line.text for line in lines)


def test_an_answer_that_json_cannot_hold(shop: Workshop) -> None:
    client = shop.start("def f():\n    return {'a': [1, object()]}\n").ready()
    failed = client.call()
    assert failed.value["status"] == 500
    assert failed.error["code"] == "entry.answer-not-json"
    assert "object at /a/1" in failed.error["message"]


def test_nan_is_null_and_flagged(shop: Workshop) -> None:
    client = shop.start("def f(x: float):\n    return [x, float('inf') * x]\n").ready()
    answer = client.call(x=2)
    assert answer.value == [2.0, None]
    assert answer.flags == LOSSY
    assert client.call(b'{"x": 0.0}').flags == LOSSY


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "JSON wanted"),
        (b"\xff\xfe", "JSON wanted"),
        (b'{"row": [NaN]}', "JSON wanted"),
        (b"[1]", "an object with the arguments by name wanted"),
        (b"", "row: missing"),
        (b'{"row": [1], "rov": 2}', "rov: not known, did you mean row?"),
        (b'{"row": [[1]]}', "row[0]: a number wanted, got a list"),
        (b'{"row": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
    ],
)
def test_bad_bodies(shop: Workshop, body: bytes, message: str) -> None:
    client = shop.start(SUM).ready()
    failed = client.call(body)
    assert failed.value["status"] == 422
    assert failed.error["code"] == "request.invalid"
    assert message in failed.error["message"]
    assert client.call(row=[1]).value == 1


def test_a_method_that_is_not_there(shop: Workshop) -> None:
    client = shop.start(SUM).ready()
    failed = client.call(row=[1], method="train")
    assert failed.value["status"] == 404
    assert failed.error["message"] == "digits has no method train."


def test_methods_of_objects_and_wrapped_functions(shop: Workshop) -> None:
    source = (
        "import functools\n"
        "class Model:\n"
        "    def predict(self, x, scale=1):\n        return x * scale\n"
        "model = Model()\n"
        "def twice(fn):\n"
        "    @functools.wraps(fn)\n"
        "    def wrapper(*args):\n        return 2 * fn(*args)\n"
        "    return wrapper\n"
        "@twice\ndef g(x, y=1):\n    return x + y\n"
        "h = functools.partial(g, 1)\n"
        "@functools.wraps(g)\ndef renamed(a):\n    return g(a) + 1\n"
        "@functools.singledispatch\ndef kind(x, *, y=1):\n    return 'thing'\n"
        "@kind.register\ndef _(x: str, *, y=1):\n    return 'text'\n"
    )
    assert shop.start(source, entry="model.predict").ready().call(x=2, scale=3).value == 6
    assert shop.start(source, entry="g").ready().call(x=2).value == 6
    assert shop.start(source, entry="g").ready().call(x=2, y=5).value == 14
    assert shop.start(source, entry="h").ready().call(y=2).value == 6
    assert shop.start(source, entry="renamed").ready().call(x=2).value == 7
    assert shop.start(source, entry="kind").ready().call(x="a").value == "text"


def test_a_worker_that_exits_on_its_third_call_just_dies(shop: Workshop) -> None:
    source = (
        "import os\ncalls = []\ndef f():\n    calls.append(1)\n"
        "    if len(calls) == 3:\n        os._exit(7)\n    return len(calls)\n"
    )
    replica = shop.start(source)
    client = replica.ready()
    assert [client.call().value for _ in range(2)] == [1, 2]
    with pytest.raises((EOFError, ConnectionError)):
        client.call()
    assert gone(replica) == 7


def test_a_crash_names_itself_in_the_log(shop: Workshop) -> None:
    replica = shop.start("import ctypes\ndef f():\n    print('before')\n    ctypes.string_at(0)\n")
    client = replica.ready()
    client.start()
    assert client.ended()
    assert gone(replica) == -signal.SIGSEGV
    texts = [line.text for line in replica.lines(ended=True)]
    assert texts[0] == "before"
    assert any("Segmentation fault" in text for text in texts)


def test_forked_children_do_not_keep_callers_waiting(shop: Workshop) -> None:
    source = (
        "import os, signal\n"
        "def f():\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        signal.pause()\n"
        "    return child\n"
    )
    replica = shop.start(source)
    client = replica.ready()
    child = client.call().value
    replica.process.kill()
    assert client.ended()
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("python", pythons())
def test_two_hundred_thousand_bytes_cut_anyhow(shop: Workshop, python: str) -> None:
    client = shop.start("def f(text: str):\n    return text[::-1]\n", python=python).ready()
    text = "añb\n" * 50_000
    assert client.call(text=text).value == text[::-1]


def test_calls_of_many_connections(shop: Workshop) -> None:
    replica = shop.start(SUM)
    clients = [replica.ready() for _ in range(20)]
    for number, client in enumerate(clients):
        for more in range(50):
            client.start(row=[number, more])
    for number, client in enumerate(clients):
        assert [client.hear().value for _ in range(50)] == [number + more for more in range(50)]


def test_leaving_clients_disturb_nobody(shop: Workshop) -> None:
    replica = shop.start(SUM)
    stays = replica.ready()
    for _ in range(30):
        leaves = replica.ready()
        for _ in range(20):
            leaves.start(row=[1])
        leaves.socket.close()
    assert stays.call(row=[1, 2]).value == 3
    until(lambda: descriptors(replica) < 20, "descriptors are closed")


def descriptors(replica: Replica) -> int:
    return len(list(Path(f"/proc/{replica.process.pid}/fd").iterdir()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_two_hundred_thousand_calls_leave_nothing_behind(shop: Workshop, kind: str) -> None:
    source = (
        "from typing import List\n"
        f"{kind} f(row: List[float], fail: bool = False):\n"
        "    print(len(row), end=' ')\n"
        "    if fail:\n        raise ValueError(row)\n"
        "    return {'sum': sum(row), 'row': row}\n"
    )
    replica = shop.start(source)
    client = replica.ready()

    def calls(count: int) -> None:
        for number in range(count // 50):
            for each in range(50):
                if each == 7:
                    client.send(Kind.CANCEL, client.start(row=[number]))
                else:
                    client.start(row="x" if each == 9 else [number, each], fail=each == 8)
            for _ in range(50):
                client.hear()

    calls(20_000)
    before = memory(replica), descriptors(replica)
    calls(200_000)
    for _ in range(200):
        replica.ready().socket.close()
    until(lambda: descriptors(replica) <= before[1], "descriptors are closed")
    assert memory(replica) < before[0] + (4 << 20)


def memory(replica: Replica) -> int:
    """Resident bytes."""
    pages = Path(f"/proc/{replica.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
