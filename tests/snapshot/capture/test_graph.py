"""The pickle stream: what is put in comes out, with its identities, in the worker's own reader."""

from __future__ import annotations

import importlib.util
import io
import pickle
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellship.backend import worker
from cellship.snapshot.arrays import Arrays
from cellship.snapshot.graph import Graph, Nowhere
from cellship.snapshot.standin import BUILDERS, standing_in
from cellship.snapshot.state import digest

np = pytest.importorskip("numpy")


class Alone:
    """Answers a pickler for values that need no notebook."""

    def reference(self, thing: Any) -> str | None:
        return None

    def module(self, name: str) -> None:
        pass

    def reads(self, function: types.FunctionType) -> dict[str, Any] | None:
        return None

    def code(self, code: types.CodeType) -> tuple[str, str] | None:
        return None

    def remade(self, thing: Any) -> None:
        pass

    def keep(self, target: Any) -> None:
        pass


@pytest.fixture(scope="module")
def cellship_worker() -> Iterator[types.ModuleType]:
    """The worker's package under the name that streams know it by."""
    folder = Path(worker.__file__).parent
    spec = importlib.util.spec_from_file_location(
        "_cellship", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["_cellship"] = package
    spec.loader.exec_module(package)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "_cellship"]:
        del sys.modules[name]


def stream(*values: Any) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """What a capture writes of these values, one dump each."""
    arrays = Arrays()
    first = Graph(Nowhere(), Alone(), arrays)
    file = io.BytesIO()
    with standing_in():
        for value in values:
            first.dump(value)
        arrays.settle()
        graph = Graph(file, Alone(), arrays)
        for value in values:
            graph.dump(value)
    return file.getvalue(), graph.buffers


def round_trip(package: types.ModuleType, *values: Any) -> list[Any]:
    data, buffers = stream(*values)
    reader = sys.modules["_cellship.values"].Stream
    found = reader(io.BytesIO(data), buffers=[bytearray(buffer.raw()) for buffer in buffers])
    return [found.load() for _ in values]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.tuples(inner, inner)
        | st.sets(st.integers() | st.text())
        | st.frozensets(st.tuples(st.integers(), st.text()))
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=100)
@given(value=plain)
def test_plain_values(cellship_worker: types.ModuleType, value: Any) -> None:
    (found,) = round_trip(cellship_worker, value)
    assert digest(found) == digest(value)


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(["<f8", ">i4", "?", "<U3", "<M8[ns]", "i1"]),
    shape=st.lists(st.integers(0, 4), max_size=3),
    flips=st.lists(st.sampled_from([1, -1, 2]), min_size=3, max_size=3),
    order=st.sampled_from("CF"),
)
def test_arrays(
    cellship_worker: types.ModuleType, kind: str, shape: list[int], flips: list[int], order: Any
) -> None:
    count = int(np.prod(shape)) if shape else 1
    whole = np.arange(count).astype(kind).reshape(shape, order=order)
    steps = (slice(None, None, step) for step in flips[: len(shape)])
    part = whole[(..., *steps)]
    found, again = round_trip(cellship_worker, whole, part)
    for one, other in ((found, whole), (again, part)):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes()
        assert one.flags.writeable
    assert np.shares_memory(found, again) == np.shares_memory(whole, part)


def test_identity_is_kept_across_names(cellship_worker: types.ModuleType) -> None:
    shared: list[Any] = [1]
    shared.append(shared)
    group = {1, 2}
    one, other, sets = round_trip(cellship_worker, {"a": shared}, (shared,), [group, group])
    assert one["a"] is other[0] is other[0][1]
    assert sets[0] is sets[1] and sets[0] == {1, 2}


def test_large_buffers_lie_outside_and_small_ones_inside() -> None:
    data, buffers = stream(np.zeros(100_000), np.zeros(10))
    assert [buffer.raw().nbytes for buffer in buffers] == [800_000]
    assert len(data) < 2_000


def test_a_lone_view_does_not_bring_what_it_is_a_part_of() -> None:
    _, buffers = stream(np.zeros((1000, 1000))[3])
    assert sum(buffer.raw().nbytes for buffer in buffers) == 8_000


def test_a_column_brings_its_items_only() -> None:
    _, buffers = stream(np.zeros((1000, 1000))[:, 3])
    assert sum(buffer.raw().nbytes for buffer in buffers) == 8_000


def test_read_only_arrays_stay_read_only(cellship_worker: types.ModuleType) -> None:
    made = np.arange(2000)
    made.flags.writeable = False
    assert not round_trip(cellship_worker, made)[0].flags.writeable


def test_sets_are_written_in_one_order() -> None:
    one = {f"name {n}" for n in range(50)}
    other = {f"name {n}" for n in reversed(range(50))}
    assert stream(one)[0] == stream(other)[0]


def test_process_things(cellship_worker: types.ModuleType) -> None:
    lock, rlock = threading.Lock(), threading.RLock()
    values = {"l": [lock, lock], "r": rlock, "e": threading.Event()}
    (found,) = round_trip(cellship_worker, values)
    assert found["l"][0] is found["l"][1] and type(found["l"][0]) is type(lock)
    with found["l"][0], found["r"]:
        found["e"].set()


def test_a_mapping_proxy_shows_the_same_dict(cellship_worker: types.ModuleType) -> None:
    shown = {"a": 1}
    (found,) = round_trip(cellship_worker, [shown, types.MappingProxyType(shown)])
    found[0]["b"] = 2
    assert found[1]["b"] == 2


def test_every_builder_exists_in_workers(cellship_worker: types.ModuleType) -> None:
    assert [name for name in BUILDERS if not hasattr(cellship_worker, name)] == []
    assert set(BUILDERS) <= set(cellship_worker.__all__)


def test_the_kernel_has_no_such_module_afterwards() -> None:
    before = sys.modules.pop("_cellship", None)
    with standing_in():
        assert "_cellship" in sys.modules
    assert "_cellship" not in sys.modules
    if before is not None:
        sys.modules["_cellship"] = before
