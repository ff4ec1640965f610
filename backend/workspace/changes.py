"""What changed between two versions, in words for a line of output and as a text to read."""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellship.backend.workspace.settings import from_yaml

Files = Mapping[str, bytes]
SOURCE = "source.py"
TEXTS = (
    SOURCE,
    "settings.yaml",
    "values/manifest.json",
    "files/manifest.json",
    "examples.json",
    "schema.json",
)


@dataclass(frozen=True)
class Diff:
    """`changed`: `predict, 1 line`, `packages: numpy 2.1 -> 2.2`; `text`: a unified diff."""

    changed: tuple[str, ...]
    text: str


def diff(old: Files, new: Files, old_label: str, new_label: str) -> Diff:
    """What lies between two versions, each given as its files in git."""
    return Diff(changed(old, new), text(old, new, old_label, new_label))


def changed(old: Files, new: Files) -> tuple[str, ...]:
    """In words, the most telling first; empty when both ship the same."""
    values = dict(_values(old, new))
    code = [words for name, words in _source(old, new) if name not in values]
    parts = [*code, *values.values()]
    parts += [*_files(old, new), *_packages(old, new), *_settings(old, new)]
    if not parts and old.get("values/graph.pkl") != new.get("values/graph.pkl"):
        parts.append("values")
    if old.get("examples.json") != new.get("examples.json"):
        parts.append("examples")
    return tuple(parts)


def text(old: Files, new: Files, old_label: str, new_label: str) -> str:
    """The code and the manifests as a unified diff, as git would show them."""
    parts: list[str] = []
    for path in TEXTS:
        lines = difflib.unified_diff(
            _lines(old.get(path)),
            _lines(new.get(path)),
            f"{old_label}/{path}",
            f"{new_label}/{path}",
        )
        parts += lines
    return "".join(parts)


def _source(old: Files, new: Files) -> Iterator[tuple[str, str]]:
    """(name, words) of each definition that differs."""
    before, after = _definitions(old.get(SOURCE, b"")), _definitions(new.get(SOURCE, b""))
    for name in after:
        if name not in before:
            yield name, f"{name} (new)"
        elif lines := _changed_lines(before[name], after[name]):
            yield name, f"{name}, {lines} line{'s' if lines > 1 else ''}"
    for name in before:
        if name not in after:
            yield name, f"{name} (gone)"


def _definitions(source: bytes) -> dict[str, list[str]]:
    """Lines of each top-level definition or assignment by name; all imports together."""
    text_ = source.decode("utf-8", "replace")
    try:
        body = ast.parse(text_).body
    except (SyntaxError, ValueError):  # code for a newer Python than the service runs on
        return {SOURCE: text_.splitlines()}
    lines = text_.splitlines()
    found: dict[str, list[str]] = {}
    for node in body:
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        for name in _names(node):
            found.setdefault(name, []).extend(lines[first - 1 : node.end_lineno])
    return found


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return ["imports"]
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return names or ["other lines"]


def _changed_lines(old: list[str], new: list[str]) -> int:
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in codes if kind != "equal")


def _values(old: Files, new: Files) -> Iterator[tuple[str, str]]:
    """(name, words) of each value that differs."""
    path, key = "values/manifest.json", "name"
    before, after = (_by(_json(files, path), "values", key) for files in (old, new))
    yield from _differing(before, after)


def _files(old: Files, new: Files) -> Iterator[str]:
    path, key = "files/manifest.json", "path"
    before, after = (
        {at: entry.get("digest") for at, entry in _by(_json(files, path), "files", key).items()}
        for files in (old, new)
    )
    for at, words in _differing(before, after):
        yield words.replace(at, at.rpartition("/")[2], 1)


def _packages(old: Files, new: Files) -> Iterator[str]:
    first, second = _json(old, "snapshot.json"), _json(new, "snapshot.json")
    before, after = _by(first, "packages", "name"), _by(second, "packages", "name")
    words = [
        _package(name, before.get(name), after.get(name)) for name in sorted({*before, *after})
    ]
    if told := [word for word in words if word]:
        yield f"packages: {', '.join(told)}"
    if first.get("python") != second.get("python"):
        yield f"Python {first.get('python')} -> {second.get('python')}"


def _package(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old == new:
        return ""
    if old is None or new is None:
        known = new or old or {}
        return f"{name} {known.get('version', '')}".rstrip() + (" (new)" if new else " (gone)")
    if old.get("version") != new.get("version"):
        return f"{name} {old.get('version')} -> {new.get('version')}"
    return f"{name} (edited)" if old.get("tree") != new.get("tree") else ""


def _settings(old: Files, new: Files) -> Iterator[str]:
    before, after = (from_yaml(files.get("settings.yaml", b"").decode()) for files in (old, new))
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if keys:
        yield "settings: " + ", ".join(
            f"{key} {_shown(before.get(key))} -> {_shown(after.get(key))}" for key in keys
        )


def _shown(value: Any) -> str:
    return "unset" if value is None else json.dumps(value) if not isinstance(value, str) else value


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in new:
        if name not in old:
            yield name, f"{name} (new)"
        elif old[name] != new[name]:
            yield name, name
    for name in old:
        if name not in new:
            yield name, f"{name} (gone)"


def _by(manifest: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    return {
        str(entry.get(name)): entry for entry in manifest.get(key) or () if isinstance(entry, dict)
    }


def _json(files: Files, path: str) -> dict[str, Any]:
    try:
        found = json.loads(files.get(path, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lines(data: bytes | None) -> list[str]:
    lines = (data or b"").decode("utf-8", "replace").splitlines(keepends=True)
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
