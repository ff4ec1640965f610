"""What schema.json says of an entry, from its type hints."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Dict, Mapping

from .hints import Hints, Unknown
from .signature import Signature, Unservable, global_names, name_of, read_signature

__all__ = ["Signature", "Unservable", "derive"]


def derive(entry: Any, namespace: Mapping[str, Any]) -> Dict[str, Any]:
    """One method of schema.json. Raises Unservable for what cannot be an endpoint.

    `namespace` holds the names of the snapshot, for quoted hints.
    """
    refuse_kind(entry)
    signature = Signature(entry, namespace)
    return {
        "doc": doc(entry),
        "input": signature.schema(),
        "output": output(entry, namespace),
        "parameters": [
            {"name": name, "required": required} for name, (_, required) in signature.fields.items()
        ],
        "async": is_async(entry),
    }


def refuse_kind(entry: Any) -> None:
    """Raise Unservable for what is no function, or not yet served."""
    if inspect.isclass(entry):
        raise Unservable(
            "entry.class",
            "{} is a class; an endpoint is a function.".format(entry.__qualname__),
            "Make an object of it in the notebook, and ship a method: --entry model.predict",
        )
    if not callable(entry):
        raise Unservable(
            "entry.not-callable",
            "The entry is a value of type {}, which cannot be called.".format(
                type(entry).__qualname__
            ),
            "Name a function, or a method of an object: --entry model.predict",
        )
    if any(
        test(called(entry)) for test in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    ):
        raise Unservable(
            "entry.generator",
            "{} is a generator; answers that stream are not served yet.".format(name_of(entry)),
            "Return a list of what it yields.",
        )


def is_async(entry: Any) -> bool:
    """Whether calling the entry gives something to await."""
    return inspect.iscoroutinefunction(called(entry))


def called(entry: Any) -> Any:
    """The function that runs when the entry is called."""
    while isinstance(entry, functools.partial):
        entry = entry.func
    if inspect.isfunction(entry) or inspect.ismethod(entry) or inspect.isbuiltin(entry):
        return entry
    return type(entry).__call__


def doc(entry: Any) -> str:
    """The docstring, without its indentation; "" where there is none."""
    while isinstance(entry, functools.partial):
        entry = entry.func
    return inspect.getdoc(entry) or ""


def output(entry: Callable[..., Any], namespace: Mapping[str, Any]) -> Dict[str, Any]:
    """JSON Schema of the answer; {} where the hint says nothing that JSON knows."""
    hints = Hints({**namespace, **global_names(entry)}, "serialization")
    try:
        shape = hints.shape(read_signature(entry).return_annotation)
    except Unknown:
        return {}
    return {**shape.schema, **hints.root}
