"""Magics and shell commands inside functions: plain Python, the worker's own, or refused."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.refusal import Place

# they set up a notebook, and mean nothing in a worker
QUIET_MAGICS = frozenset(
    {"matplotlib", "config", "autoreload", "load_ext", "reload_ext", "precision"}
)
TIMED = frozenset({"time", "prun"})
SHELL = frozenset({"system", "getoutput"})


@dataclass(frozen=True)
class PlainCode:
    """A definition without magics; `commands` are shell commands that the worker will run."""

    text: str
    commands: tuple[str, ...] = ()


def without_magics(text: str, place: Place) -> PlainCode:
    """`%time y = g(x)` becomes `y = g(x)`. Raises CaptureRefused for what has no meaning there."""
    if "get_ipython" not in text:
        return PlainCode(text)
    commands = []
    for node, method in reversed(list(shell_calls(ast.parse(text)))):
        where = Place(place.reader, place.cell, (place.line or 1) + node.lineno - 1)
        words = [a.value for a in node.args if isinstance(a, ast.Constant)]
        if method in SHELL:
            commands.append(command(words, where))
        elif method == "run_line_magic" and len(words) == 2 and words[0] in TIMED:
            text = replaced(text, node, plain(str(words[1]), where))
        elif method != "run_line_magic" or not words or words[0] not in QUIET_MAGICS:
            raise magic_refused(str(words[0]) if words else method, where)
    return PlainCode(text, tuple(reversed(commands)))


def shell_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Calls of methods of `get_ipython()`, in the order of the text."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name("get_ipython")), attr=name)
            ):
                found.append((node, name))
    yield from sorted(found, key=lambda each: (each[0].lineno, each[0].col_offset))


def command(words: Sequence[object], where: Place) -> str:
    text = str(words[0]) if words else "$"
    if "{" in text or "$" in text:
        raise CaptureRefused(
            f"{where.reader} runs a shell command with Python values in it    {where.text()}\n"
            "  IPython fills them in; a worker has no IPython.",
            code="capture.shell-escape",
            hint="Call subprocess.run([...], capture_output=True, text=True) instead.",
        )
    return text


def plain(body: str, where: Place) -> str:
    """The timed statement itself. Raises CaptureRefused if it is no Python."""
    try:
        ast.parse(body)
    except SyntaxError:
        raise magic_refused("time", where) from None
    return body


def magic_refused(name: str, where: Place) -> CaptureRefused:
    return CaptureRefused(
        f"{where.reader} uses the magic %{name.lstrip('%')}    {where.text()}\n"
        "  Magics exist in notebooks only.",
        code="capture.magic-in-function",
        hint="Take the line out of the function, or write it in plain Python.",
    )


def replaced(text: str, node: ast.expr, by: str) -> str:
    """`text` with the source of `node` replaced."""
    lines = text.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset or 0 :].decode()
    return "\n".join([*lines[:first], head + by + tail, *lines[last + 1 :]])
