"""Which object of a cell is the entry (EXPERIENCE.md 2)."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cellship.magics.grammar import did_you_mean
from cellship.snapshot.errors import UsageProblem

NOTHING = "Nothing to call in this cell. End it with a function, or say --entry model.predict."
Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Entry:
    """An expression over the notebook's names; `note` says how it was chosen, if not plainly."""

    expression: str
    note: str = ""


def of_cell(source: str, name: str, option: str | None) -> Entry:
    """The entry of a cell given as plain Python (IPython's own syntax already translated).

    `--entry`; else the only def or class; else the one called NAME; else the last one.
    Raises UsageProblem if there is none, or if the cell cannot be parsed.
    """
    if option:
        return Entry(checked(option))
    names = definitions(parse(source, name))
    if not names:
        raise UsageProblem(NOTHING, code="line.no-entry")
    if len(names) == 1:
        return Entry(names[0])
    if (called := object_name(name)) in names:
        return Entry(called, f"entry: {called}, the one called like the deployment")
    return Entry(names[-1], f"entry: {names[-1]}, the last of {', '.join(names)}")


def parse(source: str, name: str) -> ast.Module:
    """The cell as a tree. With a SyntaxError IPython shows our frames, so it is told in words."""
    try:
        return ast.parse(source, f"%%deploy {name}")
    except SyntaxError as error:
        told = "".join(traceback.format_exception_only(error)).rstrip()
        raise UsageProblem(
            f"{told}\nNothing ran and nothing was shipped.", code="line.syntax"
        ) from error


def of_name(name: str, option: str | None, known: Sequence[str]) -> Entry:
    """The entry of `%deploy NAME`: `--entry`, else the object called NAME."""
    if option:
        return Entry(checked(option))
    called = object_name(name)
    if called in known:
        return Entry(called)
    raise UsageProblem(
        f"There is no object called {called} in this notebook.",
        code="line.no-entry",
        hint=f"{did_you_mean(called, known)} Say what to call: --entry model.predict".strip(),
    )


def checked(expression: str) -> str:
    """Raises UsageProblem unless it is a name, or attributes of one."""
    if all(part.isidentifier() for part in expression.split(".")):
        return expression
    raise UsageProblem(
        f'"{expression}" cannot be an entry. Name an object: --entry model.predict',
        code="line.no-entry",
    )


def check_callable(expression: str, namespace: Mapping[str, Any]) -> None:
    """Raises UsageProblem unless the expression names something that can be called."""
    root, *attributes = expression.split(".")
    if root not in namespace:
        raise UsageProblem(
            f"There is no object called {root} in this notebook.",
            code="line.no-entry",
            hint=did_you_mean(root, namespace),
        )
    found, path = namespace[root], root
    for attribute in attributes:
        if not hasattr(found, attribute):
            raise UsageProblem(
                f"{path} has no {attribute}.",
                code="line.no-entry",
                hint=did_you_mean(attribute, dir(found)),
            )
        found, path = getattr(found, attribute), f"{path}.{attribute}"
    if not callable(found):
        raise UsageProblem(
            f"{path} is a {type(found).__name__}, which cannot be called.",
            code="line.no-entry",
            hint=f"Say what answers: --entry {path}.{method_of(found)}",
        )


def method_of(thing: object) -> str:
    """The method that most likely answers."""
    likely = ("predict", "transform", "run", "forward", "score")
    return next((name for name in likely if callable(getattr(thing, name, None))), "predict")


def definitions(tree: ast.Module) -> list[str]:
    """Names of the top level's functions and classes, each once, by its last definition."""
    found = [node.name for node in tree.body if isinstance(node, Definition)]
    return list(reversed(dict.fromkeys(reversed(found))))


def object_name(name: str) -> str:
    """A Python name for a deployment's name: `churn-model` is `churn_model`."""
    return name.replace("-", "_")
