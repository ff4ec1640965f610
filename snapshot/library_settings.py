"""Settings made on libraries: `pd.set_option(…)`, `decimal.getcontext().prec = 5`.

They are state of a module, which no value holds. Lines of that kind at the top level of a cell run
again in source.py if their module ships and all they read is written out. Seeds are no settings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from cellship.snapshot.items import Import, Item, Setting
from cellship.snapshot.names import dotted
from cellship.snapshot.pure import is_pure
from cellship.snapshot.refusal import Place
from cellship.snapshot.statements import Statement, Statements

STARTS = ("set", "use", "enable", "disable", "filterwarnings", "simplefilter", "basicConfig")
NEVER = ("seed", "set_start_method", "set_trace", "set_event_loop")
PRIVATE = ("os.environ", "sys.")  # values of variables are never stored; paths are this machine's


def settings_of(statements: Statements, items: Mapping[str, Item]) -> list[Setting]:
    """Lines to run again, in the order in which they ran."""
    found: list[Setting] = []
    for cell in statements.record.cells:
        for node in cell.tree().body if cell.succeeded is not False else ():
            names = list(setting(node))
            if names and all(isinstance(items.get(name), Import) for name in names):
                statement = Statement(cell, node)
                key = f"setting {len(found)}"
                place = Place(cell=cell.number, line=node.lineno)
                text = statement.text()
                found.append(Setting(key, statement.position, place, first=names, text=text))
    return found


def setting(node: ast.stmt) -> Iterator[str]:
    """Names that such a line reads; none if it is no setting."""
    match node:
        case ast.Expr(ast.Call(func=function, args=arguments, keywords=keywords)):
            parts = [*arguments, *(keyword.value for keyword in keywords)]
            if sets(dotted(function)) and all(is_pure(part) for part in parts):
                yield from names_of(node)
        case ast.Assign(targets=[target], value=value):
            if is_library_place(target) and is_pure(value):
                yield from names_of(node)


def sets(path: str) -> bool:
    """Whether a function's name says that it sets something."""
    name = path.rpartition(".")[2]
    calm = not any(word in name for word in NEVER) and not path.startswith("os.environ")
    return "." in path and name.startswith(STARTS) and calm


def is_library_place(target: ast.expr) -> bool:
    """`decimal.getcontext().prec`, `plt.rcParams["figure.dpi"]`."""
    match target:
        case ast.Attribute(value=ast.Call(func=function, args=[], keywords=[])):
            return "." in dotted(function)
        case ast.Subscript(value=ast.Attribute() as value, slice=index):
            path = dotted(value)
            return bool(path) and not path.startswith(PRIVATE) and is_pure(index)
    return False


def names_of(node: ast.stmt) -> Iterator[str]:
    yield from sorted({child.id for child in ast.walk(node) if isinstance(child, ast.Name)})
