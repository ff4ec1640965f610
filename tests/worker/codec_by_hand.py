"""Run by the Pythons of workers, which have neither pytest nor numpy: asserts on the codec."""

# ruff: noqa: UP006, UP007, UP035 (Python 3.8 has no other words, and evaluates hints)
import dataclasses
import datetime
import decimal
import enum
import importlib
import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple, TypedDict, Union

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "src"))
codec = importlib.import_module("cellship.backend.worker.codec")
schema = importlib.import_module("cellship.backend.worker.schema")


class Colour(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    left: float
    right: float = 0.0


class Row(TypedDict, total=False):
    a: int


@dataclasses.dataclass
class Node:
    value: int
    inner: List["Node"] = dataclasses.field(default_factory=list)


def f(
    row: List[float],
    node: Node,
    pair: Pair,
    colour: Colour,
    day: datetime.datetime,
    price: decimal.Decimal,
    names: Dict[int, str],
    parts: Tuple[int, str],
    every: Tuple[int, ...],
    some: Set[int],
    typed: Row,
    plain: list,  # type: ignore[type-arg]
    what: Union[int, str, None] = None,
    later: Optional["NotThere"] = None,  # type: ignore[name-defined]  # noqa: F821
    **rest: Any,
) -> Dict[str, int]:
    """Takes all there is."""
    raise NotImplementedError


SENT = (
    b'{"row": [1, 2.5], "node": {"value": 1, "inner": [{"value": 2}]}, "pair": [1],'
    b' "colour": "red", "day": "2020-01-01T00:00:00.25Z", "price": "1.10", "names": {"1": "a"},'
    b' "parts": [1, "a"], "every": [1, 2], "some": [2, 1], "typed": {"a": 1}, "plain": [[]],'
    b' "what": "x", "later": {"any": 1}, "more": 5}'
)

signature = schema.Signature(f, {})
built = codec.decode_arguments(signature, SENT)
assert built["row"] == [1.0, 2.5] and isinstance(built["row"][0], float)
assert built["node"] == Node(1, [Node(2)])
assert built["pair"] == Pair(1.0)
assert built["colour"] is Colour.RED
assert built["day"].microsecond == 250000 and built["day"].tzinfo is not None
assert built["price"] == decimal.Decimal("1.10")
assert built["names"] == {1: "a"}
assert built["parts"] == (1, "a") and built["every"] == (1, 2) and built["some"] == {1, 2}
assert built["later"] == {"any": 1} and built["more"] == 5

body, lossy = codec.encode({"all": built, "nan": float("nan")})
assert lossy
assert b'"day":"2020-01-01T00:00:00.250000+00:00"' in body
assert codec.encode([1, "a", None]) == (b'[1,"a",null]', False)

method = schema.derive(f, {})
assert method["doc"] == "Takes all there is."
assert method["input"]["required"][:2] == ["row", "node"]
assert method["input"]["properties"]["row"] == {"type": "array", "items": {"type": "number"}}
assert method["input"]["$defs"]["Node"]["properties"]["inner"]["items"] == {"$ref": "#/$defs/Node"}
assert method["output"] == {"type": "object", "additionalProperties": {"type": "integer"}}
