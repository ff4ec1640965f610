"""What is loaded in the kernel must be what lies on disk: the disk is what ships.

A module that was edited, upgraded or patched after its import behaves differently here and in a
worker. That would be a silent wrong answer, so it is refused.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from inspect import getattr_static
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from packaging.version import InvalidVersion, Version

from cellship.snapshot.distributions import Distribution
from cellship.snapshot.errors import CaptureRefused

NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)


def check_packages(distributions: Iterable[Distribution]) -> None:
    """Raises CaptureRefused if another version is loaded than is installed."""
    for distribution in distributions:
        module = sys.modules.get(distribution.name.replace("-", "_"))
        loaded = vars(module).get("__version__") if module else None
        if isinstance(loaded, str) and _other(loaded, distribution.version):
            raise CaptureRefused(
                f"{distribution.shown} {loaded} is loaded in this kernel, "
                f"{distribution.version} is installed.",
                code="capture.package-changed",
                hint="Restart the kernel and run the notebook again, so that both are the same.",
            )


def check_local(modules: Mapping[str, str], replayed: Collection[str] = ()) -> None:
    """Raises CaptureRefused if a loaded local module (name -> file) is not what its file says.

    `replayed` names attributes that are set again where the module is loaded: "helpers.DEBUG".
    """
    for name, file in modules.items():
        module = sys.modules.get(name)
        if isinstance(module, ModuleType) and file.endswith(".py"):
            difference = _difference(module, file, replayed)
            if difference:
                raise _changed(name, file, difference)


def _other(loaded: str, installed: str) -> bool:
    """Whether two versions differ; a shorter one that agrees as far as it goes does not."""
    try:
        one, two = Version(loaded).release, Version(installed).release
    except InvalidVersion:
        return False
    common = min(len(one), len(two))
    return one[:common] != two[:common]


def _difference(module: ModuleType, file: str, replayed: Collection[str]) -> str:
    """What of the module differs from its file: a function's or a constant's name, or ""."""
    try:
        text = Path(file).read_bytes()
        tree = ast.parse(text)
        code = compile(text, file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return "the file, which cannot be read as Python now,"
    on_disk = set(_codes(code))  # codes compare equal whatever file name they carry
    for name, function in _functions(module):
        if os.path.abspath(function.__code__.co_filename) != file:
            continue
        if function.__code__ not in on_disk:
            return f"{name}()"
    changed = [
        name
        for name, wanted in _constants(tree).items()
        if _differs(vars(module).get(name, wanted), wanted)
        and f"{module.__name__}.{name}" not in replayed
    ]
    return changed[0] if changed else ""


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """Functions and methods that the module defines."""
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            for inner, method in list(vars(value).items()):
                yield from ((f"{name}.{inner}", function) for function in _unwrapped(method))
        else:
            yield from ((name, function) for function in _unwrapped(value))


def _unwrapped(value: object) -> Iterator[FunctionType]:
    if isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            yield from _unwrapped(part)
        return
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value
    inner = getattr_static(value, "__wrapped__", None) if callable(value) else None
    if inner is not None:
        yield from _unwrapped(inner)


def _differs(live: object, wanted: object) -> bool:
    return type(live) is not type(wanted) or repr(live) != repr(wanted)


def _constants(tree: ast.Module) -> dict[str, object]:
    """Names bound once, at the file's top level, to a literal, that no function rebinds."""
    bound = list(_bound(tree))
    found = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if "*" in bound:  # an import of everything may bind any name
        return {}
    return {name: value for name, value in found.items() if bound.count(name) == 1}


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that the file binds anywhere, once per place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, NAMED) and node.name:
            yield node.name


def _changed(name: str, file: str, difference: str) -> CaptureRefused:
    return CaptureRefused(
        f"{difference} of {name} is not what {file} says: the file was edited after it was "
        "imported here, or the module was changed from outside.",
        code="capture.module-changed",
        hint=f"import importlib, {name}; importlib.reload({name})   or restart the kernel.",
    )
