"""A snapshot folder is loaded by a worker of its own: restore, exec, admit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellship.backend import worker

WORKER = Path(worker.__file__).parent


def snapshot(folder: Path, source: str, values: dict[str, Any] | None = None) -> Path:
    """A snapshot as the smallest set of files."""
    (folder / "values" / "buffers").mkdir(parents=True)
    (folder / "source.py").write_text(source)
    (folder / "values" / "graph.pkl").write_bytes(pickle.dumps(values or {}, protocol=5))
    manifest = {"buffers": {}, "order": [], "values": []}
    (folder / "values" / "manifest.json").write_text(json.dumps(manifest))
    return folder


def job(folder: Path, scratch: Path, **more: Any) -> dict[str, Any]:
    places = {name: str(scratch / name) for name in ("work", "home", "tmp")}
    return {"snapshot": str(folder), **places, "result": str(scratch / "result.json"), **more}


def start(verb: str, folder: Path = WORKER) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", str(folder), verb],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(verb: str, task: dict[str, Any], folder: Path = WORKER) -> tuple[dict[str, Any], str]:
    """(result, what it printed)"""
    with start(verb, folder) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.flush()
        printed = process.stdout.read().decode()
    assert process.returncode == 0, printed
    return json.loads(Path(task["result"]).read_text()), printed


def test_exec_evaluates_over_all_names(tmp_path: Path) -> None:
    source = "from _cellship import load\nK = 2\nW = load('W')\ndef f(x): return x * K + len(W)\n"
    folder = snapshot(tmp_path / "s", source, {"W": [1, 2]})
    result, _ = run("exec", job(folder, tmp_path / "1", expression="f(3), K"))
    assert result == {"ok": True, "repr": "(8, 2)"}


def test_the_folder_is_a_package_wherever_it_lies(tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "build" / "_cellship"
    shutil.copytree(WORKER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    folder = snapshot(tmp_path / "s", "import _cellship, sys\nname = _cellship.__name__\n")
    expression = "name, [p for p in sys.path if p.endswith('_cellship')], 'command' in sys.modules"
    result, _ = run("exec", job(folder, tmp_path / "1", expression=expression), copy)
    assert result["repr"] == "('_cellship', [], False)"


def test_prints_go_to_stdout_and_errors_are_told(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "def f(x):\n    print('hello')\n    return 1 / x\n")
    result, printed = run("exec", job(folder, tmp_path / "1", expression="f(0)"))
    assert not result["ok"] and result["error"] == "ZeroDivisionError: division by zero"
    assert "source.py" in result["traceback"] and "return 1 / x" in result["traceback"]
    assert str(WORKER) not in result["traceback"]
    assert printed == "hello\n"


def test_main_is_the_namespace(tmp_path: Path) -> None:
    folder = snapshot(
        tmp_path / "s", "K = 3\ndef f():\n    import __main__\n    return __main__.K\n"
    )
    result, _ = run("exec", job(folder, tmp_path / "1", expression="f() + eval('K')"))
    assert result["repr"] == "6"


def test_an_async_answer_is_awaited(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "async def f(x): return x + 1\n")
    result, _ = run("exec", job(folder, tmp_path / "1", expression="f(1)"))
    assert result["repr"] == "2"


def test_home_work_and_variables(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "import os\n")
    expression = "os.environ['HOME'], os.getcwd(), os.environ['A'], os.environ['TMPDIR']"
    task = job(folder, tmp_path / "1", expression=expression, env={"A": "b"})
    result, _ = run("exec", task)
    assert eval(result["repr"]) == (task["home"], task["work"], "b", task["tmp"])


def test_captured_files_lie_in_the_work_folder(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "def f(): return open('data/a.txt').read()\n")
    (folder / "files").mkdir()
    (folder / "files" / "0").write_text("here")
    entry = {"name": "0", "path": "data/a.txt", "digest": "0" * 64, "size": 4}
    (folder / "files" / "manifest.json").write_text(json.dumps({"files": [entry]}))
    result, _ = run("exec", job(folder, tmp_path / "1", expression="f()"))
    assert result["repr"] == "'here'"


def test_a_captured_file_never_leaves_the_work_folder(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "")
    (folder / "files").mkdir()
    (folder / "files" / "0").write_text("here")
    entry = {"name": "0", "path": "../../out.txt", "digest": "0" * 64, "size": 4}
    (folder / "files" / "manifest.json").write_text(json.dumps({"files": [entry]}))
    with start("exec") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(
            json.dumps(job(folder, tmp_path / "1", expression="1")).encode() + b"\n"
        )
        process.stdin.flush()
        assert b"outside" in process.stdout.read()
    assert not (tmp_path / "out.txt").exists()


def test_buffers_are_mapped_and_private(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    folder = snapshot(tmp_path / "s", "from _cellship import load\nW = load('W')\n")
    whole = bytes(range(256)) * 64
    digest = "a" * 64
    (folder / "values" / "buffers" / digest).write_bytes(whole)
    stream = pickle.dumps(
        {"W": pickle.PickleBuffer(bytearray(whole))}, 5, buffer_callback=[].append
    )
    (folder / "values" / "graph.pkl").write_bytes(stream)
    manifest = {"buffers": {digest: len(whole)}, "order": [digest], "values": []}
    (folder / "values" / "manifest.json").write_text(json.dumps(manifest))
    expression = "type(W).__name__, W[5], [W.__setitem__(5, 9), W[5]][1]"
    result, _ = run("exec", job(folder, tmp_path / "1", expression=expression))
    assert result["repr"] == "('mmap', 5, 9)"
    assert (folder / "values" / "buffers" / digest).read_bytes() == whole
    (folder / "values" / "buffers" / digest).write_bytes(whole[:-1])
    result, _ = run("exec", job(folder, tmp_path / "2", expression="1"))
    assert not result["ok"] and "bytes long" in result["error"]


def admitted(folder: Path, scratch: Path, **more: Any) -> dict[str, Any]:
    settings = {"settings": {"entry": "f"}, "example_run": True, "tolerance": None}
    return run("admit", job(folder, scratch, **settings, **more))[0]


def test_admit_derives_the_schema(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "def f(x: int) -> str: return str(x)\n")
    report = admitted(folder, tmp_path / "1")
    assert report["ok"], report
    method = report["schema"]["methods"][""]
    assert method["input"]["properties"] == {"x": {"type": "integer"}}
    assert report["answers"] == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "import no_such_module\n",
            {"problem": "missing-module", "module": "no_such_module", "where": "source.py line 1"},
        ),
        (
            "def g():\n    raise ValueError('no')\ng()\n",
            {"problem": "raised", "message": "ValueError: no", "where": "source.py line 2"},
        ),
        ("import sys\nsys.exit(3)\n", {"problem": "raised", "message": "SystemExit: 3"}),
        ("def f(x, /): return x\n", {"problem": "refused", "code": "entry.positional-only"}),
    ],
)
def test_admit_says_what_stands_in_the_way(
    tmp_path: Path, source: str, problem: dict[str, str]
) -> None:
    report = admitted(snapshot(tmp_path / "s", source), tmp_path / "1")
    assert not report["ok"]
    assert {key: report[key] for key in problem} == problem


def test_asserts_of_a_pushed_version_must_hold(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "s", "def f(x): return x + 1\n")
    for number, wanted in enumerate((3, 4)):
        example = {"text": "f(2)", "kind": "assert", "arguments": {"x": 2}, "answer": None}
        check = {"check": "_answer == _operand_0", "operands": {"_operand_0": wanted}}
        text = json.dumps({"examples": [{**example, **check}]})
        (folder / "examples.json").write_text(text)
        report = admitted(folder, tmp_path / str(number))
        assert [answer["same"] for answer in report["answers"]] == [wanted == 3]


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    source = "import threading\ndef f():\n    print('waiting', flush=True)\n"
    source += "    threading.Event().wait()\n"
    folder = snapshot(tmp_path / "s", source)
    with start("exec") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(job(folder, tmp_path / "1", expression="f()")).encode())
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"waiting\n"
        process.stdin.close()
        process.wait(30)
    assert process.returncode == 1


def test_an_unknown_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(WORKER), "dance"], capture_output=True, env=dict(os.environ)
    )
    assert done.returncode == 2 and b"admit|exec|serve" in done.stderr
