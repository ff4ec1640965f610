"""Live state that running a definition again would not give."""

from __future__ import annotations

import abc
import ast
import types
from collections.abc import Iterator, Mapping
from typing import Any

from cellship.snapshot.items import Decisions, Definition, Overlay
from cellship.snapshot.literals import MISSING, gives, literal
from cellship.snapshot.reduce_classes import MADE_AGAIN
from cellship.snapshot.statements import FunctionNode, bound_names, first_line

# fmt: off
BODY_OWN = MADE_AGAIN | frozenset((
    "__module__", "__qualname__", "__doc__", "__annotations__", "__orig_bases__",
    "__parameters__", "__slots__", "__classcell__", "__match_args__", "__hash__",
    "__type_params__",
))
# fmt: on


DESCRIBED = (types.MemberDescriptorType, types.GetSetDescriptorType)


def overlays_of(
    item: Definition, namespace: Mapping[str, Any], decisions: Decisions
) -> list[Overlay]:
    """What to set after the statement ran, by path. Defaults may be cut out of the text."""
    predicted = dict(predict(item, namespace))
    for name in decisions.overlays.get(item.key, ()):
        predicted.setdefault(name, live_value(item.thing, name))
    found = [overlay(item.key, name, thing) for name, thing in predicted.items()]
    found += [
        Overlay(f"{item.key}.{name}", None, None, removed=True)
        for name in decisions.removed.get(item.key, ())
    ]
    found += virtual_subclasses(item)
    return sorted(found, key=lambda each: (each.path, each.number))


def virtual_subclasses(item: Definition) -> list[Overlay]:
    """`Base.register(Other)`: what an abstract class was told to count as its subclasses."""
    if not isinstance(item.thing, abc.ABCMeta) or not hasattr(abc, "_get_dump"):
        return []
    live = [reference() for reference in vars(abc)["_get_dump"](item.thing)[0]]
    classes = sorted(
        (c for c in live if c is not None), key=lambda c: (c.__module__, c.__qualname__)
    )
    path = f"{item.key}.register"
    return [Overlay(path, c, None, call=True, number=n) for n, c in enumerate(classes)]


def overlay(key: str, name: str, thing: Any) -> Overlay:
    return Overlay(f"{key}.{name}", thing, literal(thing))


def live_value(thing: Any, name: str) -> Any:
    return (
        vars(thing).get(name, getattr(thing, name, None))
        if name in vars(thing)
        else getattr(thing, name)
    )


def predict(item: Definition, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, live value) of what is known to differ before anything has run."""
    node = item.statement.node if item.statement else None
    thing = item.thing
    if isinstance(thing, types.FunctionType):
        if (
            isinstance(node, FunctionNode)
            and thing.__code__.co_name == node.name
            and is_its_own(item)
        ):
            yield from function_state(item, node.args, namespace)
            yield from thing.__dict__.items()
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from function_state(item, node.value.args, namespace)
            yield from thing.__dict__.items()
    elif isinstance(thing, type) and isinstance(node, ast.ClassDef) and is_plain(thing, node):
        yield from class_state(thing, node, namespace, item)


def is_its_own(item: Definition) -> bool:
    """Whether the live function is what the `def` itself made, not a decorator's wrapper."""
    code, statement = item.thing.__code__, item.statement
    if statement is None:
        return False
    place = (statement.cell.filename, first_line(statement.node))
    return (code.co_filename, code.co_firstlineno) == place


def function_state(
    item: Definition, arguments: ast.arguments, namespace: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    thing = item.thing
    live = thing.__defaults__ or ()
    differing = [
        node
        for node, value in zip(arguments.defaults, live, strict=False)
        if not gives(node, value, namespace)
    ]
    if differing or len(live) != len(arguments.defaults):
        yield "__defaults__", thing.__defaults__
    keywords = thing.__kwdefaults__ or {}
    written = {
        argument.arg: node
        for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if node is not None
    }
    other = [n for k, n in written.items() if not gives(n, keywords.get(k, MISSING), namespace)]
    if other or keywords.keys() != written.keys():
        yield "__kwdefaults__", thing.__kwdefaults__
    cut_out(item, differing + other)


def cut_out(item: Definition, nodes: list[ast.expr]) -> None:
    """Replace default expressions by `...`: their values are set afterwards, nothing runs twice."""
    statement = item.statement
    if statement is None or item.text.startswith("if True:"):
        return
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        item.text = without(item.text, node, first_line(statement.node), shift(statement.node))


def shift(node: ast.stmt) -> int:
    return node.col_offset


def without(text: str, node: ast.expr, base: int, indent: int) -> str:
    lines = text.split("\n")
    start, end = node.lineno - base, (node.end_lineno or node.lineno) - base
    head = lines[start].encode()[: node.col_offset - indent].decode()
    tail = lines[end].encode()[(node.end_col_offset or 0) - indent :].decode()
    return "\n".join([*lines[:start], head + "..." + tail, *lines[end + 1 :]])


def is_plain(thing: type, node: ast.ClassDef) -> bool:
    """Whether nothing but the class body makes the class: no decorator, metaclass or hook."""
    hooks = any("__init_subclass__" in vars(base) for base in thing.__mro__[1:-1])
    return type(thing) in (type, abc.ABCMeta) and not node.decorator_list and not hooks


def class_state(
    thing: type, node: ast.ClassDef, namespace: Mapping[str, Any], item: Definition
) -> Iterator[tuple[str, Any]]:
    known: set[str] = {*BODY_OWN}
    simple = True
    for child in node.body:
        known.update(bound_names(child))
        simple = simple and not isinstance(child, ast.If | ast.For | ast.With | ast.Try | ast.While)
        for name, value in differing_entries(thing, child, namespace, item):
            yield name, value
    for name, value in vars(thing).items():
        if simple and name not in known and not isinstance(value, DESCRIBED):
            yield name, value


def differing_entries(
    thing: type, child: ast.stmt, namespace: Mapping[str, Any], item: Definition
) -> Iterator[tuple[str, Any]]:
    match child:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            differs = gives(value, vars(thing).get(name, MISSING), namespace) is False
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            differs = gives(value, vars(thing).get(name, MISSING), namespace) is False
        case ast.FunctionDef(name=name, decorator_list=[]):
            differs = replaced(vars(thing).get(name), child, item)
        case _:
            return
    if differs and name in vars(thing) and name not in BODY_OWN:
        yield name, vars(thing)[name]


def replaced(live: Any, node: ast.stmt, item: Definition) -> bool:
    """Whether another function stands where the body defined one."""
    if not isinstance(live, types.FunctionType) or item.statement is None:
        return not isinstance(live, staticmethod | classmethod)
    code = live.__code__
    return (code.co_filename, code.co_firstlineno) != (
        item.statement.cell.filename,
        first_line(node),
    )
