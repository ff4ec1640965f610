"""What changed, in words."""

from __future__ import annotations

import json

import pytest

from cellship.backend.workspace.changes import changed, diff

SOURCE = """import math

LIMIT = 3


@once
def predict(x):
    "Doc"
    return x + LIMIT


class Model:
    def fit(self):
        pass
"""


def files(source: str = SOURCE, **more: object) -> dict[str, bytes]:
    found = {
        "source.py": source.encode(),
        "values/graph.pkl": b"1",
        "settings.yaml": b"entry: predict\n",
    }
    for name, content in more.items():
        path = {"values": "values/manifest.json", "files": "files/manifest.json"}.get(
            name, f"{name}.json"
        )
        found[path] = json.dumps(content).encode()
    return found


def edited(old: str, new: str) -> dict[str, bytes]:
    assert old in SOURCE
    return files(SOURCE.replace(old, new))


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (files(), ()),
        (edited("x + LIMIT", "x - LIMIT"), ("predict, 1 line",)),
        (edited("@once", "@twice"), ("predict, 1 line",)),
        (edited('    "Doc"\n', '    "Doc"\n    x = 1\n    x = 2\n'), ("predict, 2 lines",)),
        (edited("LIMIT = 3", "LIMIT = 4"), ("LIMIT, 1 line",)),
        (edited("import math", "import math, os"), ("imports, 1 line",)),
        (edited("def predict", "def score"), ("score (new)", "predict (gone)")),
        (edited("        pass", "        return 1"), ("Model, 1 line",)),
        (edited("def predict(x):", "def predict(x) -> :"), ("source.py (new)",)),
    ],
)
def test_changes_of_code(new: dict[str, bytes], words: tuple[str, ...]) -> None:
    assert changed(files(), new)[: len(words) or 1] == words


def value(name: str, *buffers: str) -> dict[str, object]:
    return {"name": name, "type": "ndarray", "buffers": list(buffers)}


def test_changes_of_values() -> None:
    old = files(values={"values": [value("model", "a"), value("scaler", "b"), value("old")]})
    new = files(values={"values": [value("model", "c"), value("scaler", "b"), value("new")]})
    assert changed(old, new) == ("model", "new (new)", "old (gone)")


def test_a_value_is_not_told_twice_for_its_load_line() -> None:
    old = files(f"{SOURCE}model = load()  # 1\n", values={"values": [value("model", "a")]})
    new = files(f"{SOURCE}model = load()  # 2\n", values={"values": [value("model", "b")]})
    assert changed(old, new) == ("model",)


def test_values_that_only_the_graph_tells_apart() -> None:
    assert changed(files(), files() | {"values/graph.pkl": b"2"}) == ("values",)


def test_changes_of_packages_files_settings_and_examples() -> None:
    def package(name: str, version: str, tree: str = "t") -> dict[str, str]:
        return {"name": name, "version": version, "tree": tree}

    old_packages = [
        package("scikit-learn", "1.9.0"),
        package("mine", "0", "a"),
        package("six", "1"),
    ]
    new_packages = [
        package("scikit-learn", "1.9.1"),
        package("mine", "0", "b"),
        package("xgboost", "3"),
    ]
    old = files(
        snapshot={"python": "3.11.7", "packages": old_packages},
        files={"files": [{"path": "data/labels.txt", "digest": "a"}]},
        examples={"examples": []},
    )
    new = files(
        snapshot={"python": "3.12.1", "packages": new_packages},
        files={
            "files": [{"path": "data/labels.txt", "digest": "b"}, {"path": "n.csv", "digest": "c"}]
        },
        examples={"examples": [1]},
    )
    new["settings.yaml"] = b"entry: predict\ntimeout: 30\nenv: {A: b}\n"
    assert changed(old, new) == (
        "labels.txt",
        "n.csv (new)",
        "packages: mine (edited), scikit-learn 1.9.0 -> 1.9.1, six 1 (gone), xgboost 3 (new)",
        "Python 3.11.7 -> 3.12.1",
        'settings: timeout unset -> 30, env unset -> {"A": "b"}',
        "examples",
    )


def test_what_cannot_be_read_is_no_error() -> None:
    broken = {"source.py": b"\xff\xfe(", "values/manifest.json": b"{", "snapshot.json": b"[]"}
    assert changed(broken, broken) == ()
    assert changed(broken, files())


def test_the_text_is_a_unified_diff_of_what_people_read() -> None:
    found = diff(files(), edited("x + LIMIT", "x - LIMIT"), "digits@1", "digits@2")
    assert found.text.startswith("--- digits@1/source.py\n+++ digits@2/source.py\n@@ ")
    assert "-    return x + LIMIT\n+    return x - LIMIT\n" in found.text
    no_end = diff({"source.py": b"a"}, {"source.py": b"b"}, "x", "y")
    assert no_end.text.endswith("-a\n+b\n")
