"""Jobs end with a result, or with a reason; nothing of them is left."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from cellship.backend.compute.jobs import JobEnd, Worker, run_job

PREFACE = """
import json, os, sys, time
job = json.loads(sys.stdin.readline())
def answer(**result):
    with open(job["result"], "w") as file:
        json.dump(result, file)
"""


def worker(tmp_path: Path, code: str) -> Worker:
    script = tmp_path / "script.py"
    script.write_text(PREFACE + textwrap.dedent(code))
    return Worker(Path(sys.executable), {}, script)


def run(tmp_path: Path, code: str, limit: float = 60) -> JobEnd:
    return asyncio.run(
        run_job(worker(tmp_path, code), "exec", {"text": "hi"}, tmp_path / "scratch", limit)
    )


def test_result_output_and_code(tmp_path: Path) -> None:
    end = run(tmp_path, 'print("said"); answer(text=job["text"], verb=sys.argv[1])')
    assert end == JobEnd({"text": "hi", "verb": "exec"}, 0, "said\n")
    assert not (tmp_path / "scratch").exists()


def test_crash_has_no_result(tmp_path: Path) -> None:
    end = run(tmp_path, "os.kill(os.getpid(), 9)")
    assert (end.result, end.code) == (None, -signal.SIGKILL)


def test_half_a_result_is_none(tmp_path: Path) -> None:
    assert run(tmp_path, 'open(job["result"], "w").write("{")').result is None


def test_a_worker_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = """
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        print(child.pid, flush=True)
        time.sleep(1000)
    """
    end = run(tmp_path, code, limit=2)
    assert end.timed_out
    assert is_gone(int(end.output))


def test_nothing_of_the_caller_reaches_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    end = run(tmp_path, "answer(names=list(os.environ))")
    assert end.result is not None
    assert set(end.result["names"]) <= {"LC_CTYPE"}  # which Python sets itself


def test_standard_input_ends_with_the_caller(tmp_path: Path) -> None:
    """A worker notices that the service was killed, because its standard input ends."""
    (tmp_path / "caller.py").write_text(
        textwrap.dedent(f"""
        import asyncio, pathlib, sys
        from cellship.backend.compute.jobs import Worker, run_job
        folder = pathlib.Path({str(tmp_path)!r})
        worker = Worker(pathlib.Path(sys.executable), {{}}, folder / "script.py")
        asyncio.run(run_job(worker, "exec", {{}}, folder / "scratch", 60))
    """)
    )
    worker(
        tmp_path,
        f"""
        open({str(tmp_path / "started")!r}, "w").close()
        sys.stdin.read()
        os.rename({str(tmp_path / "started")!r}, {str(tmp_path / "noticed")!r})
        """,
    )
    caller = subprocess.Popen([sys.executable, tmp_path / "caller.py"])
    wait_for(tmp_path / "started")
    caller.kill()
    caller.wait()
    wait_for(tmp_path / "noticed")


def wait_for(path: Path) -> None:
    loop = ["sh", "-c", f'until [ -e "{path}" ]; do sleep 0.02; done']
    subprocess.run(loop, timeout=30, check=True)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
