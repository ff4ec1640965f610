"""The supervisor as a parent: it starts, lists, signals, reaps, restarts, and ends everything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from tests.supervise.nest import Nest, talk

WAIT = "import time; print('up', flush=True); time.sleep(1000)"


def test_a_child_gets_exactly_what_was_ordered(nest: Nest) -> None:
    said = "import os, sys; print(sorted(os.environ), os.getcwd(), sys.stdin.read(), os.getsid(0))"
    started = nest.order("r1", said, stdin="a job", env={"B": "2", "LC_CTYPE": "C.UTF-8"})
    assert started["ok"]
    assert nest.wait("r1")["code"] == 0
    wanted = f"['B', 'LC_CTYPE'] {nest.folder} a job {started['pid']}\n"
    assert nest.printed("r1") == wanted


def test_a_child_inherits_no_descriptor(nest: Nest) -> None:
    nest.order("r1", "import os; print(os.listdir('/proc/self/fd'))")
    nest.wait("r1")
    # 0, 1, 2 and the folder that is being listed
    assert len(json.loads(nest.printed("r1").replace("'", '"'))) == 4


def test_spawning_twice_starts_once(nest: Nest) -> None:
    first = nest.sleeper()
    assert nest.order("r1", WAIT) == first


@pytest.mark.parametrize(
    "change", [{"argv": ["/no/such/program"]}, {"cwd": "/no/such/folder"}, {"argv": ["a\0b"]}]
)
def test_what_cannot_be_started_is_said(nest: Nest, change: dict[str, object]) -> None:
    answer = nest.order("r1", "pass", **change)
    assert not answer["ok"] and "could not be started" in answer["message"]
    assert "r1" not in nest.children()
    assert nest.sleeper()["ok"]


def test_an_exit_is_recorded_with_its_memory(nest: Nest) -> None:
    before = time.time()
    started = nest.order("r1", "x = b'x' * 100_000_000; raise SystemExit(3)")
    end = nest.wait("r1")
    assert end == nest.exits()[-1]
    assert (end["id"], end["what"], end["pid"]) == ("r1", "replica", started["pid"])
    assert (end["code"], end["signal"], end["out_of_memory"]) == (3, None, False)
    assert end["peak_memory"] > 100_000_000
    assert end["started"] == started["started"]
    assert before - 1 < end["time"] < time.time() + 1


def test_a_signal_is_recorded(nest: Nest) -> None:
    nest.sleeper()
    assert nest.ask({"do": "kill", "id": "r1", "signal": 15}) == {"ok": True}
    assert nest.wait("r1")["signal"] == 15
    assert nest.ask({"do": "kill", "id": "r1"}) == {"ok": False}
    assert nest.wait("r1")["signal"] == 15  # told again to whoever asks later


def test_what_a_dead_child_started_ends_with_it(nest: Nest) -> None:
    nest.order("r1", f"import os, time; print(os.fork(), flush=True); {WAIT}")
    nest.until(lambda: nest.printed("r1").count("up") == 2)
    grandchild = int(nest.printed("r1").split()[0]) or int(nest.printed("r1").split()[2])
    nest.ask({"do": "kill", "id": "r1", "signal": 9})
    nest.wait("r1")
    nest.until(lambda: not psutil.pid_exists(grandchild))


def test_waiting_has_an_end(nest: Nest) -> None:
    nest.sleeper()
    assert nest.wait("r1", 0.1) is None
    assert nest.wait("never-known", 10) is None


def test_many_questions_on_one_connection(nest: Nest) -> None:
    with nest.line() as line:
        question = json.dumps({"do": "ping"}).encode() + b"\n"
        line.sendall(question * 5000)
        reader = line.makefile("rb")
        answers = {reader.readline() for _ in range(5000)}
        assert len(answers) == 1


def test_a_connection_that_waits_answers_in_order(nest: Nest) -> None:
    nest.sleeper()
    with nest.line() as line:
        line.sendall(b'{"do": "wait", "id": "r1", "timeout": 20}\n{"do": "ping"}\n')
        nest.ask({"do": "kill", "id": "r1", "signal": 9})
        reader = line.makefile("rb")
        assert json.loads(reader.readline())["exit"]["signal"] == 9
        assert json.loads(reader.readline())["ok"]


@pytest.mark.parametrize("line", [b"\n", b"{\n", b"[]\n", b'{"do": 3}\n', b'{"do": "spawn"}\n'])
def test_nonsense_is_answered(nest: Nest, line: bytes) -> None:
    with nest.line() as wire:
        wire.sendall(line)
        assert json.loads(wire.makefile("rb").readline())["ok"] is False
        assert talk(wire, {"do": "ping"})["ok"]


def test_a_client_that_leaves_while_it_waits(nest: Nest) -> None:
    nest.sleeper()
    with nest.line() as line:
        line.sendall(b'{"do": "wait", "id": "r1", "timeout": 20}\n')
    nest.ask({"do": "kill", "id": "r1", "signal": 9})
    assert nest.wait("r1")["signal"] == 9


def test_input_that_is_kept_open(nest: Nest) -> None:
    said = "import sys; print(len(sys.stdin.buffer.read(300_000)), flush=True); sys.stdin.read()"
    nest.order("r1", said, stdin="x" * 300_000, keep_stdin=True)
    nest.until(lambda: nest.printed("r1") == "300000\n")
    assert nest.wait("r1", 0.1) is None
    nest.supervisors[-1].kill()
    nest.until(lambda: not any("sys.stdin" in line for line in nest.commands()))


@pytest.mark.parametrize("what", ["gateway", "control"])
def test_what_must_run_is_started_again(nest: Nest, what: str) -> None:
    pid = nest.children()[what]
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    nest.until(lambda: nest.children()[what] != pid)
    nest.until(nest.answers)
    assert time.monotonic() - began < 5  # a second where nothing else runs; the machine is shared
    assert nest.exits()[-1]["id"] == what


def test_what_ends_at_once_is_started_ever_more_slowly(empty: Nest) -> None:
    empty.control = "raise SystemExit(7)"
    empty.start()
    empty.until(lambda: len(empty.exits()) >= 5)
    times = [end["time"] for end in empty.exits()]
    assert [end["code"] for end in empty.exits()][:5] == [7] * 5
    assert times[4] - times[3] > times[1] - times[0]
    assert times[4] - times[0] > 0.7  # 0.05 + 0.1 + 0.2 + 0.4


def test_stop_ends_everything_in_order(nest: Nest) -> None:
    nest.sleeper("r1")
    nest.order("r2", f"import os; os.setsid() if os.fork() == 0 else None; {WAIT}")
    nest.until(lambda: nest.printed("r2").count("up") == 2)
    assert nest.ask({"do": "stop"}) == {"ok": True}
    assert nest.supervisors[-1].wait(10) == 0
    assert [end["what"] for end in nest.exits()] == ["control", "gateway", "replica", "replica"]
    assert nest.processes() == []
    assert not nest.sockets.exists()
    assert not (nest.folder / "run" / "children.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", nest.port), timeout=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything(nest: Nest, number: int) -> None:
    nest.sleeper()
    nest.supervisors[-1].send_signal(number)
    assert nest.supervisors[-1].wait(20) == 0
    assert nest.processes() == []


def test_a_hang_up_stops_nothing(nest: Nest) -> None:
    nest.supervisors[-1].send_signal(signal.SIGHUP)
    assert nest.ask({"do": "ping"})["ok"]


def test_stop_kills_what_does_not_listen(nest: Nest) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN)"
    nest.order("r1", f"{deaf}; {WAIT}")
    nest.until(lambda: nest.printed("r1") == "up\n")
    with ThreadPoolExecutor(1) as pool:
        stop = pool.submit(nest.ask, {"do": "stop"})
        nest.until(lambda: "gateway" not in nest.children())
        assert not nest.order("r2", WAIT)["ok"]
        assert stop.result() == {"ok": True}
    assert nest.supervisors[-1].wait(20) == 0
    assert nest.exits()[-1]["signal"] == 9
    assert nest.processes() == []


def test_a_second_supervisor_leaves_with_a_sentence(nest: Nest) -> None:
    second = nest.spawn()
    assert second.wait(20) == 4
    said = json.loads(nest.log().splitlines()[-1])
    assert said["code"] == "supervisor.running"
    assert str(nest.folder) in said["message"]
    assert nest.answers()


def test_a_port_that_is_taken_names_its_holder(empty: Nest) -> None:
    with socket.create_server(("127.0.0.1", empty.port)):
        assert empty.spawn().wait(20) == 4
    said = json.loads(empty.log().splitlines()[-1])
    assert (said["code"], said["port"]) == ("port.taken", empty.port)
    assert said["holder"]["pid"] == os.getpid()
    assert f"process {os.getpid()}" in said["message"]
    assert empty.processes() == []


def test_no_data_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "cellship.backend.supervise"]
    done = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 4
    assert json.loads(done.stderr)["code"] == "data.missing"
    assert subprocess.run(words, capture_output=True, timeout=30).returncode == 4


def test_no_descriptor_is_left_open(nest: Nest) -> None:
    process = psutil.Process(nest.supervisors[-1].pid)
    before = process.num_fds()
    for n in range(30):
        nest.order(f"r{n}", "pass", stdin="x", keep_stdin=n % 2 == 0)
        nest.wait(f"r{n}")
        nest.order("none", "pass", argv=["/no/such/program"], keep_stdin=n % 2 == 0)
    nest.until(lambda: process.num_fds() <= before)
