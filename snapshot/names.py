"""Names that a piece of source reads, by `symtable`: `co_names` would mix attributes in."""

from __future__ import annotations

import ast
import dis
import symtable
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

EAGER = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
BODIES = frozenset({"class", "type parameter", "type parameters"})
DYNAMIC = frozenset({"globals", "eval", "exec", "getattr", "vars", "locals", "__import__"})


@dataclass(frozen=True)
class Names:
    """What a statement reads from its globals. All tuples are sorted.

    at_definition: read when the statement itself runs. at_call: read later, by a body.
    shadowed: perhaps read when it runs, by a class body that then assigns the same name.
    optional: found in strings, in quoted annotations, or guarded by `except NameError`.
    assigned: globals that a body assigns. chains: dotted reads, `xml.dom.minidom`.
    """

    at_definition: tuple[str, ...]
    at_call: tuple[str, ...]
    shadowed: tuple[str, ...]
    optional: tuple[str, ...]
    assigned: tuple[str, ...]
    chains: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted({*self.at_definition, *self.at_call}))


@lru_cache(maxsize=4096)
def names_in(source: str, postponed: bool = False) -> Names:
    """Names of a statement. `postponed`: annotations are not evaluated (`from __future__`)."""
    tree = ast.parse(source)
    quoted = set(annotation_names(tree, postponed))
    text = ast.unparse(Unannotated(postponed).visit(tree))
    now: set[str] = set()
    later: set[str] = set()
    assigned: set[str] = set()
    shadowed: set[str] = set()
    gather(symtable.symtable(text, "<names>", "exec"), True, now, later, assigned, shadowed)
    optional = quoted | assigned | set(dynamic_names(tree)) | (guarded_names(tree) & later)
    return Names(
        at_definition=tuple(sorted(now)),
        at_call=tuple(sorted(later - guarded_names(tree))),
        shadowed=tuple(sorted(shadowed - now)),
        optional=tuple(sorted(optional - now)),
        assigned=tuple(sorted(assigned)),
        chains=tuple(sorted(set(chains_in(tree)))),
    )


def gather(
    table: symtable.SymbolTable,
    eager: bool,
    now: set[str],
    later: set[str],
    assigned: set[str],
    shadowed: set[str],
) -> None:
    module = table.get_type() == "module"
    for symbol in table.get_symbols():
        name = symbol.get_name()
        if (module and symbol.is_referenced()) or (
            not module and symbol.is_global() and symbol.is_referenced()
        ):
            (now if eager else later).add(name)
        if eager and table.get_type() == "class" and symbol.is_local() and symbol.is_referenced():
            shadowed.add(name)  # `K = K + 1` in a class body reads the global first
        if not module and symbol.is_declared_global() and symbol.is_assigned():
            assigned.add(name)
    for child in table.get_children():
        runs_now = child.get_type() in BODIES or child.get_name() in EAGER
        gather(child, eager and runs_now, now, later, assigned, shadowed)


class Unannotated(ast.NodeTransformer):
    """Takes away annotations that are never evaluated: of locals, and all of them if postponed."""

    def __init__(self, postponed: bool) -> None:
        self.postponed = postponed
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.function(node)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if self.postponed:
            node.returns = None
            for argument in arguments_of(node):
                argument.annotation = None
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        depth, self.depth = self.depth, 0
        self.generic_visit(node)
        self.depth = depth
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self.depth or self.postponed:
            node.annotation = ast.Constant(None)
        self.generic_visit(node)
        return node


def arguments_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    found = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [*found, *(arg for arg in (node.args.vararg, node.args.kwarg) if arg)]


def annotations_in(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns
        annotation = getattr(node, "annotation", None)
        if isinstance(annotation, ast.expr):
            yield annotation


def annotation_names(tree: ast.AST, postponed: bool) -> Iterator[str]:
    """Names in quoted annotations, in all of them if postponed: readers of hints need them."""
    for annotation in annotations_in(tree):
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name) and postponed:
                yield node.id
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from expression_names(node.value)


def expression_names(text: str) -> Iterator[str]:
    """Names in a string that reads as an expression."""
    if len(text) > 1000:
        return
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def dynamic_names(tree: ast.AST) -> Iterator[str]:
    """Names in string constants, where the code looks names up while it runs."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not (used & DYNAMIC or "__main__" in used or imports_main(tree)):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from expression_names(node.value)
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "__main__"
        ):
            yield node.attr


def imports_main(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name == "__main__" for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "__main__":
            return True
    return False


def guarded_names(tree: ast.AST) -> set[str]:
    """Names read under `try: … except NameError`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any("NameError" in caught(h) for h in node.handlers):
            found |= {n.id for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name)}
    return found


def caught(handler: ast.ExceptHandler) -> str:
    return ast.unparse(handler.type) if handler.type else "NameError"


def chains_in(tree: ast.AST) -> Iterator[str]:
    """Dotted reads that begin with a name, longest first: `xml.dom.minidom.parseString`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (chain := dotted(node)):
            yield chain


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain on a name; "" of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def line_of(source: str, name: str) -> int:
    """The line, from 1, where `source` first reads `name`; 1 if it does not say."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == name:
            return node.lineno
    return 1


def names_of_code(code: types.CodeType) -> tuple[str, ...]:
    """Globals that a code object without source reads, its inner functions included."""
    found = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(names_of_code(constant))
    return tuple(sorted(found))
