"""Files named by paths in the code."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from cellship.snapshot import files
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.files import Code, find, find_files
from cellship.snapshot.request import CaptureRequest


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    for path in ("data/labels.txt", "data/deep/more.csv", "model.bin", "notes", "b.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"content of {path}")
    return tmp_path


def request(**options: Any) -> CaptureRequest:
    return CaptureRequest(name="score", entry="score", **options)


def found(
    source: str, cwd: Path, namespace: dict[str, Any] | None = None, **options: Any
) -> list[str]:
    code = [Code(source, cwd, 3)]
    return [file.path for file in find_files(request(**options), code, namespace or {}, cwd)]


@dataclass
class Config:
    root: str = "data"


BOTH = ["data/deep/more.csv", "data/labels.txt"]


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("open('data/labels.txt')", ["data/labels.txt"]),
        ("open('./data/../data/labels.txt')", ["data/labels.txt"]),
        ("def f():\n    with open(file='model.bin', mode='rb') as f: return f", ["model.bin"]),
        ("pd.read_parquet('data/deep/more.csv')", ["data/deep/more.csv"]),
        ("open(Path('data') / 'labels.txt')", ["data/labels.txt"]),
        ("open(pathlib.Path('data', 'labels.txt').resolve())", ["data/labels.txt"]),
        ("(Path('data') / 'deep' / 'more.csv').read_text()", ["data/deep/more.csv"]),
        ("open(os.path.join('data', 'labels.txt'))", ["data/labels.txt"]),
        ("open(os.path.join(os.getcwd(), 'data', 'labels.txt'))", ["data/labels.txt"]),
        ("open(f'{ROOT}/labels.txt')", ["data/labels.txt"]),
        ("open(ROOT + '/labels.txt')", ["data/labels.txt"]),
        ("open('%s/labels.txt' % ROOT)", ["data/labels.txt"]),
        ("open(CONFIG['labels'])", ["data/labels.txt"]),
        ("open(f'{SETTINGS.root}/labels.txt')", ["data/labels.txt"]),
        ("open(FOLDER / 'labels.txt')", ["data/labels.txt"]),
        ("def f(path='data/labels.txt'): return open(path)", ["data/labels.txt"]),
        ("def f(name='labels.txt'): return open(FOLDER / name)", ["data/labels.txt"]),
        ("def f():\n    base = Path('data')\n    return open(base / 'labels.txt')", BOTH),
        ("class A:\n    def __init__(self):\n        self.p = 'b.json'", ["b.json"]),
        ("f = lambda: open('b.json')", ["b.json"]),
        ("def f(name): return (FOLDER / name).read_text()", BOTH),
        ("glob.glob('data/*.txt')", ["data/labels.txt"]),
        ("glob.glob('data/**/*.csv', recursive=True)", ["data/deep/more.csv"]),
        ("os.listdir('data')", BOTH),
        ("open('notes')", ["notes"]),
        ("for p in ['model.bin', 'b.json']: open(p)", ["b.json", "model.bin"]),
    ],
)
def test_paths_that_are_read_are_found(source: str, paths: list[str], cwd: Path) -> None:
    namespace = {
        "ROOT": "data",
        "CONFIG": {"labels": "data/labels.txt"},
        "SETTINGS": Config(),
        "FOLDER": Path("data"),
    }
    namespace["SETTINGS"].root = "data"  # type: ignore[attr-defined]
    assert found(source, cwd, namespace) == paths


@pytest.mark.parametrize(
    "source",
    [
        "open('b.json', 'w')",
        "open('b.json', mode='a')",
        "Path('b.json').write_text('x')",
        "Path('b.json').open('w')",
        "df.to_csv('b.json')",
        "fig.savefig('b.json')",
        "os.makedirs('data')",
        "open('absent.txt')",
        "row['notes']",
        "row['data']",
        "'''b.json'''",
        "def f(x: 'b.json') -> 'b.json': pass",
        "requests.get('https://host/b.json')",
        "def f(ROOT): return open(ROOT + '/labels.txt')",
        "open('/proc/self/status')",
        "open('/etc/hostname')",
        "this is no Python (",
        "open('b.json\\0')",
        "open('" + "x" * 5000 + "')",
    ],
)
def test_other_text_is_left_alone(source: str, cwd: Path) -> None:
    assert found(source, cwd, {"ROOT": "data"}) == []


def test_a_captured_file_is_its_bytes(cwd: Path, tmp_path: Path) -> None:
    (one,) = find_files(request(), [Code("open('b.json')", cwd, 3)], {}, cwd)
    assert one.blob.digest == blake3(b"content of b.json").hexdigest()
    assert one.why == "cell 3, line 1"
    one.blob.write(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "content of b.json"
    assert (tmp_path / "copy").stat().st_nlink == 1


def test_the_cwd_of_the_cell_counts_where_the_file_is_not_here(cwd: Path) -> None:
    code = [Code("open('labels.txt')", cwd / "data", 2)]
    assert [file.path for file in find_files(request(), code, {}, cwd)] == ["labels.txt"]


def test_asked_files_ship_and_refused_ones_do_not(cwd: Path) -> None:
    assert found("", cwd, files=("notes", "data")) == [*BOTH, "notes"]
    assert found("open('b.json')", cwd, no_files=("b.json",)) == []
    assert found("os.listdir('data')", cwd, no_files=("data",)) == []


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("open(HERE + '/b.json')", "capture.absolute-path", ["cell 3, line 1", "'b.json'"]),
        ("open(BASE / name)", "capture.absolute-path", ["cell 3"]),
        ("open('../elsewhere.txt')", "capture.file-outside", ["elsewhere.txt", "cell 3"]),
        ("open('.env')", "capture.secret-file", [".env", "cell 3", "--no-file"]),
        ("open('keys/id_rsa')", "capture.secret-file", ["id_rsa"]),
        ("open('.git/config')", "capture.secret-file", [".git/config"]),
        ("\n\nopen('big.bin')", "capture.file-too-large", ["big.bin", "line 3", "--file big.bin"]),
        ("os.listdir('many')", "capture.too-many-files", ["many", "201", "--no-file many"]),
    ],
)
def test_refusals_name_cell_line_and_fix(
    source: str, code: str, words: list[str], cwd: Path
) -> None:
    for name in (".env", "keys/id_rsa", ".git/config", *(f"many/{n}.txt" for n in range(201))):
        (cwd / name).parent.mkdir(exist_ok=True)
        (cwd / name).write_text("x")
    (cwd.parent / "elsewhere.txt").write_text("x")
    with open(cwd / "big.bin", "wb") as big:
        big.truncate(files.FILE_LIMIT + 1)
    namespace = {"HERE": str(cwd), "BASE": cwd}
    with pytest.raises(CaptureRefused) as refused:
        found(source, cwd, namespace)
    assert refused.value.code == code
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_asked_for_lifts_the_limits(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_LIMIT", 5)
    monkeypatch.setattr(files, "TOTAL_LIMIT", 20)
    monkeypatch.setattr(files, "FOLDER_LIMIT", 1)
    assert found("open('b.json')", cwd, files=("b.json", "data")) == ["b.json", *BOTH]


def test_all_together_have_a_limit(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TOTAL_LIMIT", 20)
    with pytest.raises(CaptureRefused, match="together") as refused:
        found("open('b.json'); open('model.bin')", cwd)
    assert refused.value.code == "capture.files-too-large"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("absent", "capture.file-not-found"),
        ("../x", "capture.file-outside"),
        (".env", "capture.secret-file"),
    ],
)
def test_what_cannot_be_asked_for(option: str, code: str, cwd: Path) -> None:
    (cwd.parent / "x").write_text("")
    (cwd / ".env").write_text("")
    with pytest.raises(CaptureRefused) as refused:
        found("", cwd, files=(option,))
    assert refused.value.code == code


def test_system_files_are_noted(cwd: Path) -> None:
    noted = find(request(), [Code("open('/etc/passwd')", cwd, 3)], {}, cwd).notes
    assert noted == [
        "/etc/passwd (cell 3, line 1) belongs to the system; "
        "the worker sees that of its own machine"
    ]


def test_secrets_and_caches_inside_a_folder_stay(cwd: Path) -> None:
    for name in ("data/.env", "data/__pycache__/a.pyc", "data/.git/config"):
        (cwd / name).parent.mkdir(exist_ok=True)
        (cwd / name).write_text("x")
    os.mkfifo(cwd / "data/pipe")
    assert found("os.listdir('data')", cwd) == BOTH
