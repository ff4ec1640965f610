"""Classes that source.py cannot define again, and what stands in class bodies."""

from __future__ import annotations

import copyreg
import enum
import types
from typing import Any

from cellship.snapshot.refusal import Unshippable
from cellship.snapshot.standin import build

# made anew by the class statement, or by whoever reads them
# fmt: off
MADE_AGAIN = frozenset((
    "__dict__", "__weakref__", "__abstractmethods__", "_abc_impl", "__subclasshook__",
    "__slotnames__",
    "__static_attributes__", "__firstlineno__", "__annotate__", "__annotate_func__",
    "__annotations_cache__",
))
# fmt: on
FIRST = ("__module__", "__qualname__", "__doc__", "__slots__")
# fmt: off
ENUM_OWN = frozenset((
    "_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_",
    "_hashable_values_", "_unhashable_values_map_", "_member_type_", "_value_repr_",
    "_generate_next_value_", "__new__", "_new_member_", "_use_args_", "_boundary_",
    "_flag_mask_", "_all_bits_", "_singles_mask_", "_inverted_", "_sort_order_", "__format__",
    "__reduce_ex__", "__str__", "__repr__",
))
# fmt: on


def class_(thing: type) -> Any:
    """A class by value: built empty, then filled, so that its methods may name it."""
    refuse_hooks(thing)
    first = {name: vars(thing)[name] for name in FIRST if vars(thing).get(name) is not None}
    if isinstance(thing, enum.EnumMeta):
        return enumeration(thing, first)
    made = (type(thing), thing.__name__, bases_of(thing), first)
    return build.class_, made, entries(thing), None, None, build.fill_class


def refuse_hooks(thing: type) -> None:
    """A hook of the notebook's own would run a second time when the class is built again."""
    hooked = any(
        "__init_subclass__" in vars(base) and base.__module__ == "__main__"
        for base in thing.__mro__[1:]
    )
    if hooked or (type(thing).__module__ == "__main__" and not isinstance(thing, enum.EnumMeta)):
        raise Unshippable(
            "capture.class-hook",
            f"Building class {thing.__name__} again would run the hook of its base or metaclass.",
            "Define the class at the top level of a cell, and let the hook change only the class.",
        )


def bases_of(thing: type) -> tuple[Any, ...]:
    found: tuple[Any, ...] = thing.__dict__.get("__orig_bases__", thing.__bases__)
    return found


def entries(thing: type) -> dict[str, Any]:
    """What the finished class holds, apart from what its statement makes."""
    return {
        name: value
        for name, value in vars(thing).items()
        if name not in MADE_AGAIN and name not in FIRST and not made_by_slots(thing, value)
    }


def made_by_slots(thing: type, value: Any) -> bool:
    described = isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType)
    return described and getattr(value, "__objclass__", thing) is thing


def enumeration(thing: Any, first: dict[str, Any]) -> Any:
    members: dict[str, Any] = {name: member._value_ for name, member in thing.__members__.items()}
    own = {
        name: value
        for name, value in entries(thing).items()
        if name not in ENUM_OWN and name not in members
    }
    made = (type(thing), thing.__name__, thing.__bases__, first, members)
    return build.enum_, made, own, None, None, build.fill_class


def exception(thing: BaseException) -> Any:
    """An exception of the notebook's own, without calling its __init__ again."""
    kind = type(thing)
    if kind.__module__ != "__main__" or kind.__reduce__ is not BaseException.__reduce__:
        return NotImplemented
    return copyreg.__newobj__, (kind, *thing.args), dict(vars(thing)) or None  # type: ignore[attr-defined]


def property_(thing: property) -> Any:
    """A property."""
    return property, (thing.fget, thing.fset, thing.fdel, thing.__doc__)


def static_method(thing: Any) -> Any:
    """A static method as it stands in a class."""
    return staticmethod, (thing.__func__,)


def class_method(thing: Any) -> Any:
    """A class method as it stands in a class."""
    return classmethod, (thing.__func__,)
