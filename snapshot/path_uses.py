"""Find the expressions in code that name files to be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from cellship.snapshot.fold import UNKNOWN, Scope, dotted, fold

LONGEST = 4096
# calls whose argument is a path even if it is a folder or has no dot in it
# fmt: off
TAKE_PATHS = frozenset((
    "open", "Path", "listdir", "scandir", "walk", "glob", "iglob", "rglob", "iterdir",
    "fromfile", "load", "loadtxt", "genfromtxt", "memmap", "read_csv", "read_parquet",
    "read_json", "read_excel", "read_feather", "read_pickle", "read_table", "read_text",
    "read_bytes", "load_from_disk", "from_pretrained", "load_model", "load_dataset",
    "read_file", "imread", "safe_open", "load_file", "read_orc", "read_hdf", "read_stata",
    "read_sas", "read_fwf", "read_xml", "read_ipc", "scan_csv", "scan_parquet", "copytree",
    "copy", "copyfile", "connect", "exists", "isfile", "isdir", "ImageFolder", "open_dataset",
    "open_zarr", "File",
))
# fmt: on
WRITE_METHODS = frozenset({"write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir"})
# fmt: off
WRITE_CALLS = frozenset((
    "makedirs", "mkdir", "remove", "unlink", "rmtree", "save", "savez", "savez_compressed",
    "savetxt", "savefig", "imwrite", "imsave", "dump", "save_model", "save_pretrained",
    "save_to_disk", "save_file",
))
# fmt: on


@dataclass(frozen=True)
class PathUse:
    """A path that the code names. `certain`: used as a path, not only spelled like one."""

    value: str
    is_path: bool  # a pathlib object rather than text
    certain: bool
    line: int


def path_uses(source: str, namespace: Mapping[str, Any]) -> list[PathUse]:
    """The paths that `source` names, folded over `namespace`; none if it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    return list(_visit(tree, namespace, False))


def _visit(node: ast.AST, scope: Scope, certain: bool) -> Iterator[PathUse]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from _visit_function(node, scope)
        return
    value = fold(node, scope) if isinstance(node, ast.expr) else UNKNOWN
    use = _use(value, node, certain)
    if use is not None:
        yield use
        return
    if isinstance(node, ast.Call):
        yield from _visit_call(node, scope)
        return
    for child in _children(node):
        yield from _visit(child, scope, certain and isinstance(node, ast.List | ast.Tuple))


def _use(value: Any, node: ast.AST, certain: bool) -> PathUse | None:
    if not isinstance(value, str | PurePath):
        return None
    text = str(value)
    if not text or len(text) > LONGEST or "\0" in text or "\n" in text or "://" in text:
        return None
    is_path = isinstance(value, PurePath)
    return PathUse(text, is_path, certain or is_path, getattr(node, "lineno", 1))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is run: no annotations, no docstrings."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "ctx"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _visit_call(node: ast.Call, scope: Scope) -> Iterator[PathUse]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
    if isinstance(node.func, ast.Attribute) and not _writes_receiver(node, name):
        yield from _visit(node.func.value, scope, False)
    if name in WRITE_CALLS or name.startswith("to_") or _opens_for_writing(node, name, scope):
        return
    certain = name in TAKE_PATHS
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        yield from _visit(argument, scope, certain)


def _writes_receiver(node: ast.Call, name: str) -> bool:
    """`path.write_text(…)`, `path.open("w")`: the path is made, not read."""
    return name in WRITE_METHODS or (name == "open" and _mode(node, 0) in ("w", "a", "x"))


def _opens_for_writing(node: ast.Call, name: str, scope: Scope) -> bool:
    return name == "open" and _mode(node, 1) in ("w", "a", "x")


def _mode(node: ast.Call, at: int) -> str:
    """The first letter of the mode of an open: r, w, a, x."""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    given = given or node.args[at : at + 1]
    value = fold(given[0], {}) if given else "r"
    return value[:1] if isinstance(value, str) else "r"


def _visit_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> Iterator[PathUse]:
    inner = _local_scope(node, scope)
    defaults = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
    outside = defaults if isinstance(node, ast.Lambda) else [*node.decorator_list, *defaults]
    for each in outside:
        yield from _visit(each, scope, False)
    for statement in node.body if isinstance(node.body, list) else [node.body]:
        yield from _visit(statement, inner, False)


def _local_scope(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> dict[str, Any]:
    """The scope inside a function: parameters by their defaults, locals that are set once."""
    inner = {**scope, **dict.fromkeys(_bound(node), UNKNOWN), **_defaults(node.args, scope)}
    once: dict[str, list[ast.expr]] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Assign):
            for target in each.targets:
                if isinstance(target, ast.Name):
                    once.setdefault(target.id, []).append(each.value)
    stored = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _is_store(each)]
    for name, values in once.items():
        if stored.count(name) == 1 and inner.get(name) is UNKNOWN:
            inner[name] = fold(values[0], inner)
    return inner


def _defaults(arguments: ast.arguments, scope: Scope) -> dict[str, Any]:
    """Values that parameters have when the caller does not say otherwise."""
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    pairs = [*zip(last, arguments.defaults, strict=True)]
    pairs += [
        (argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    return {argument.arg: fold(default, scope) for argument, default in pairs}


def _bound(node: ast.AST) -> set[str]:
    """Names that a function binds itself; those that it declares global are not its own."""
    bound, outside = set(), set()
    for each in ast.walk(node):
        if isinstance(each, ast.arg):
            bound.add(each.arg)
        elif isinstance(each, ast.Name) and _is_store(each):
            bound.add(each.id)
        elif isinstance(each, ast.Global):
            outside.update(each.names)
    return bound - outside


def _is_store(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)
