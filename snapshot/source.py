"""source.py: what the entry needs, readable, in an order that runs."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence

from cellship.snapshot.items import (
    Alias,
    Constant,
    Definition,
    Import,
    Inner,
    Item,
    Overlay,
    Patch,
    Setting,
    Value,
)
from cellship.snapshot.names import annotations_in
from cellship.snapshot.shapes import described
from cellship.snapshot.shell_code import replaced

POSTPONED = "from __future__ import annotations"


def write_source(items: Sequence[Item], sizes: Mapping[str, int]) -> str:
    """The text of source.py. `sizes`: bytes of each value, for the comments of its load lines."""
    postponed = all_postponed(items)
    load = loader(items)
    body = [block for item in items for block in blocks(item, postponed, sizes, load)]
    overlays = [line for item in items for line in overlay_lines(item, load)]
    head = [*([POSTPONED] if postponed else []), *imports(items, load)]
    sections = [section for section in (head, body, overlays) if section]
    return spaced([block for section in sections for block in section])


def loader(items: Sequence[Item]) -> str:
    """What source.py calls `_cellship.load`: another name if the notebook has one of its own."""
    return "load" if all(item.key != "load" for item in items) else "_cellship_load"


def imports(items: Sequence[Item], load: str) -> list[str]:
    if not any(loads(item) for item in items):
        return []
    return ["from _cellship import load" + (f" as {load}" if load != "load" else "")]


def loads(item: Item) -> bool:
    if isinstance(item, Definition):
        return any(overlay.text is None and not overlay.removed for overlay in item.overlays)
    return isinstance(item, Value) or (isinstance(item, Patch) and item.text is None)


def all_postponed(items: Sequence[Item]) -> bool:
    """Whether one future import at the top is right for all definitions."""
    found = [item.postponed for item in items if isinstance(item, Definition)]
    return bool(found) and all(found)


def blocks(item: Item, postponed: bool, sizes: Mapping[str, int], load: str) -> Iterator[str]:
    """The statements of one item."""
    if isinstance(item, Import | Setting | Constant | Inner):
        yield item.text
    elif isinstance(item, Value):
        comment = described(item.thing, sizes.get(item.key, 0))
        yield f"{item.key} = {load}({json.dumps(item.key)})  # {comment}"
    elif isinstance(item, Alias):
        yield f"{item.key} = {item.of}"
    elif isinstance(item, Patch):
        yield f"{item.path} = {item.text or f'{load}({json.dumps(item.path)})'}"
    elif isinstance(item, Definition):
        yield from definition(item, postponed)


def definition(item: Definition, postponed: bool) -> Iterator[str]:
    yield quoted(item.text) if item.postponed and not postponed else item.text
    yield from item.after
    if item.key != item.name:
        cell = item.place.cell
        yield f"{item.key} = {item.name}  # as cell {cell} made it; bound again since"
        yield f"del {item.name}"


def overlay_lines(item: Item, load: str) -> Iterator[str]:
    for overlay in getattr(item, "overlays", ()):
        yield overlay_line(overlay, load)


def overlay_line(overlay: Overlay, load: str) -> str:
    if overlay.removed:
        return f"del {overlay.path}"
    value = overlay.text or f"{load}({json.dumps(overlay.name)})"
    return f"{overlay.path}({value})" if overlay.call else f"{overlay.path} = {value}"


def quoted(text: str) -> str:
    """Annotations as text, for one definition whose cell postponed them while others did not."""
    nodes = sorted(annotations_in(ast.parse(text)), key=start, reverse=True)
    for node in nodes:
        text = replaced(text, node, repr(ast.unparse(node)))
    return text


def start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def spaced(blocks: list[str]) -> str:
    """Definitions stand apart by two empty lines, other statements by none."""
    parts: list[str] = []
    before = ""
    for block in blocks:
        if before:
            parts.append(gap(before, block))
        parts.append(block)
        before = block
    return "".join(parts) + "\n"


def gap(before: str, block: str) -> str:
    if is_long(before) or is_long(block):
        return "\n\n\n"
    if is_import(before) != is_import(block):
        return "\n\n"
    return "\n"


def is_long(block: str) -> bool:
    return "\n" in block or block.startswith(("def ", "class ", "async ", "@"))


def is_import(block: str) -> bool:
    return block.startswith(("import ", "from "))
