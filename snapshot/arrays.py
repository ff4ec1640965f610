"""numpy arrays and torch tensors as stretches of memory: what shares memory goes on sharing it.

The first pass over all values notes where each array lies; arrays that overlap become views of one
region. numpy and torch are used only if the notebook has imported them.
"""

from __future__ import annotations

import pickle
import sys
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from cellship.snapshot.refusal import Unshippable
from cellship.snapshot.standin import build


@dataclass
class Region:
    """Memory from address `start` to `end`; `holder` keeps it alive."""

    start: int
    end: int
    holder: Any
    members: int = 1

    def __reduce__(self) -> Any:
        return build.region, (pickle.PickleBuffer(memory(self.start, self.end, self.holder)),)


@dataclass
class Arrays:
    """Where the arrays of one capture lie."""

    regions: list[Region] = field(default_factory=list)
    shared: list[Region] = field(default_factory=list)
    storages: dict[int, Any] = field(default_factory=dict)
    noting: bool = True

    def reduce(self, thing: Any) -> Any:
        """How to build an array or a tensor again; None for types that are neither."""
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None and type(thing) in (numpy.ndarray, numpy.memmap):
            return NotImplemented if thing.dtype.hasobject else self.array(thing)
        if torch is not None and isinstance(thing, torch.Tensor):
            return Tensors(self, torch).reduce(thing)
        return None

    def array(self, thing: Any) -> Any:
        start, end = extent(thing)
        region = self.place(start, end, thing)
        if thing.nbytes == 0 or (region.members == 1 and sparse(thing, start, end)):
            return self.copied(thing)
        shape, strides = thing.shape, thing.strides
        offset = address(thing) - region.start
        writable = bool(thing.flags.writeable)
        return build.array, (region, thing.dtype, shape, strides, offset, writable)

    def copied(self, thing: Any) -> Any:
        """An array that shares its memory with nothing that ships: its items, without the gaps."""
        order = "F" if thing.flags.f_contiguous and not thing.flags.c_contiguous else "C"
        data = memoryview(thing.tobytes(order=order))
        return build.array_in_order, (Copy(data), thing.dtype, thing.shape, order)

    def place(self, start: int, end: int, holder: Any) -> Region:
        if self.noting:
            self.regions.append(Region(start, end, holder))
            return self.regions[-1]
        at = bisect_right(self.shared, start, key=lambda region: region.start) - 1
        if at >= 0 and end <= self.shared[at].end:
            return self.shared[at]
        return Region(start, end, holder)

    def settle(self) -> None:
        """After the first pass: overlapping stretches become one region each."""
        self.noting = False
        for region in sorted(self.regions, key=lambda found: (found.start, -found.end)):
            last = self.shared[-1] if self.shared else None
            if last is not None and region.start < last.end:
                last.end = max(last.end, region.end)
                last.members += 1
            elif region.end > region.start:
                self.shared.append(Region(region.start, region.end, region.holder))


class Copy:
    """Bytes that were copied out of an array."""

    def __init__(self, data: memoryview) -> None:
        self.data = data

    def __reduce__(self) -> Any:
        return build.region, (pickle.PickleBuffer(bytearray(self.data)),)


@dataclass(frozen=True)
class Tensors:
    """Tensors by their storages: tied weights and views stay tied."""

    arrays: Arrays
    torch: Any

    def reduce(self, thing: Any) -> Any:
        torch = self.torch
        if type(thing) is torch.nn.Parameter:
            return build.parameter, (thing.data, thing.requires_grad), attributes(thing)
        if type(thing) is not torch.Tensor or thing.layout != torch.strided or thing.is_quantized:
            return NotImplemented
        if thing.grad_fn is not None:
            raise Unshippable(
                "capture.graph-tensor",
                "A tensor that is the result of a computation with gradients cannot ship.",
                "Use tensor.detach().",
            )
        return self.tensor(thing)

    def tensor(self, thing: Any) -> Any:
        host = thing.detach().cpu()
        storage = self.storage(host)
        dtype = str(host.dtype).partition(".")[2]
        size, stride = tuple(host.shape), tuple(host.stride())
        made = (storage, dtype, host.storage_offset(), size, stride, thing.requires_grad)
        return build.tensor, made, attributes(thing)

    def storage(self, host: Any) -> Storage:
        found = host.untyped_storage()
        start = found.data_ptr()
        known = self.arrays.storages.get(start) if start else None
        if known is None or known.size != found.nbytes():
            known = Storage(start, found.nbytes(), host, self.arrays)
            self.arrays.storages[start] = known
        return known


@dataclass
class Storage:
    """The memory of tensors."""

    start: int
    size: int
    holder: Any
    arrays: Arrays

    def __reduce__(self) -> Any:
        return build.storage, (self.arrays.place(self.start, self.start + self.size, self.holder),)


def attributes(thing: Any) -> Any:
    return dict(thing.__dict__) or None


def address(thing: Any) -> int:
    return int(thing.__array_interface__["data"][0])


def extent(thing: Any) -> tuple[int, int]:
    """First and last address (exclusive) of an array's items."""
    low = high = address(thing)
    if thing.nbytes == 0:
        return low, low
    for length, stride in zip(thing.shape, thing.strides, strict=True):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return low, high + int(thing.itemsize)


def sparse(thing: Any, start: int, end: int) -> bool:
    """Whether the array uses little of the memory that it spans."""
    return bool(end - start > 2 * thing.nbytes)


def memory(start: int, end: int, holder: Any) -> Any:
    """The bytes at these addresses, as a flat buffer that keeps `holder` alive."""
    import ctypes

    if start == end:
        return bytearray()
    flat = (ctypes.c_ubyte * (end - start)).from_address(start)
    flat.holder = holder  # type: ignore[attr-defined]
    return memoryview(flat).cast("B")
