"""One result in three forms: text always, HTML for a page, plain data for programs."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# the page's own colours, so that a dark theme stays dark
STYLE = (
    "font-family: var(--jp-code-font-family, monospace); "
    "font-size: var(--jp-code-font-size, 13px); "
    "color: var(--jp-content-font-color1, inherit); white-space: pre-wrap; margin: 0"
)
QUIET = "color: var(--jp-content-font-color2, inherit)"
CELL = "padding: 0 1.5em 0 0; text-align: left; color: var(--jp-content-font-color1, inherit)"


class View:
    """A result. Subclasses say `text`; `html` and `data` where they can say more."""

    mime = ""  # of `data`, where a page may want more than text

    def text(self) -> str:
        raise NotImplementedError

    def html(self) -> str:
        return preformatted(self.text())

    def data(self) -> Any:
        return None

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text(), "text/html": self.html()}
        if self.mime:
            bundle[self.mime] = self.data()
        return bundle


@dataclass(frozen=True, repr=False)
class Message(View):
    """A few lines."""

    content: str

    def text(self) -> str:
        return self.content


@dataclass(frozen=True, repr=False)
class Table(View):
    """Rows under headings; `empty` is said where there are none. `--json` prints `rows`."""

    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    rows: tuple[Mapping[str, Any], ...]
    empty: str = ""

    def text(self) -> str:
        if not self.cells:
            return self.empty
        return "\n".join(aligned([self.columns, *self.cells]))

    def html(self) -> str:
        if not self.cells:
            return preformatted(self.empty)
        head = "".join(f'<th style="{CELL}">{escape(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{row_html(row)}</tr>" for row in self.cells)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def data(self) -> list[Mapping[str, Any]]:
        return list(self.rows)


def row_html(row: Sequence[str]) -> str:
    return "".join(f'<td style="{CELL}">{escape(cell)}</td>' for cell in row)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def preformatted(text: str) -> str:
    """The text as HTML, its first line stronger than the rest."""
    first, _, rest = text.partition("\n")
    quiet = f'\n<span style="{QUIET}">{escape(rest)}</span>' if rest else ""
    return f'<pre style="{STYLE}"><strong>{escape(first)}</strong>{quiet}</pre>'


def escape(text: str) -> str:
    return html.escape(text, quote=True)
