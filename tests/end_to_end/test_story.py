"""The story of the README, as a person lives it: real data, a real model, a real kernel."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from benchmarks.load import load
from tests.driver import Kernel, Service, until

MODEL = """\
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
X, y = load_digits(return_X_y=True)
model = RandomForestClassifier(n_estimators=50, random_state=0).fit(X[:1500], y[:1500])
"""
DEPLOY = """\
%%deploy digits
def predict(row: list[float]) -> int:
    "Which digit is on this 8x8 image?"
    return int(model.predict([row])[0])

assert predict(X[1600].tolist()) == 2
"""
EDITED = DEPLOY.replace("    return", '    print("a digit was asked for")\n    return')


@pytest.fixture
def row() -> list[float]:
    from sklearn.datasets import load_digits

    values: list[float] = load_digits(return_X_y=True)[0][1600].tolist()
    return values


def test_a_cell_becomes_a_live_versioned_endpoint(
    shared: Service, notebook: Kernel, row: list[float], tmp_path: Path
) -> None:
    notebook.run(MODEL)

    first = notebook.run(DEPLOY)
    assert first.text.startswith("digits@1 is live")
    assert "checked  predict(X[1600].tolist()) gave 2 there as here" in first.text
    assert "ships    predict (cell 3), model (cell 2, RandomForestClassifier" in first.text
    assert len(first.text.splitlines()) <= 8

    answer = shared.call("digits", row=row)
    assert (answer.status_code, answer.json()) == (200, 2)
    assert answer.headers["Cellship-Version"] == "digits@1"
    assert curl(shared.url("digits"), row, tmp_path) == 2

    with load(shared.url("digits"), json.dumps({"row": row})) as seen:
        second = notebook.run(EDITED)
        rolled = notebook.run("%cellship rollback digits")
    assert "digits@2 is live, was digits@1" in second.text
    assert "changed: predict, 1 line" in second.text
    assert rolled.text.startswith("digits@1 answers now")
    assert seen.failed == 0, seen.told
    assert {each.version for each in seen.answers} == {"digits@1", "digits@2"}

    assert shared.call("digits", row=row).headers["Cellship-Version"] == "digits@1"
    assert shared.call("digits@2", row=row).json() == 2
    logs = until(lambda: "a digit was asked for" in notebook.run("%cellship logs digits").text)
    assert logs

    again = notebook.run("%cellship promote digits@2")
    assert "digits@2" in again.text
    assert shared.call("digits", row=row).headers["Cellship-Version"] == "digits@2"

    same = notebook.run(EDITED)
    assert "This is digits@2 already; nothing shipped." in same.text
    assert [each["version"] for each in shared.listed("versions", "digits")] in ([1, 2], [2, 1])


def test_the_worker_has_its_own_environment(shared: Service, notebook: Kernel, name: str) -> None:
    notebook.run(
        f"%%deploy {name}\n"
        "import sys\n"
        "def where() -> list[str]:\n"
        "    return [sys.prefix, *sys.path]\n"
    )
    kernels = notebook.run("import sys; print(sys.prefix)").text.strip()
    workers = shared.call(name).json()
    assert not any(kernels in folder for folder in workers)
    assert str(shared.data) in workers[0]


def curl(url: str, row: list[float], folder: Path) -> object:
    """The answer that a shell gets, with nothing but the address and a body."""
    body = folder / "row.json"
    body.write_text(json.dumps({"row": row}))
    done = subprocess.run(["curl", "-s", url, "-d", f"@{body}"], capture_output=True, text=True)
    return json.loads(done.stdout)
