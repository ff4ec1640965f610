"""Modules that code needs without importing them: libraries choose them by a word or a call.

`pd.read_parquet` imports pyarrow when it is called. A few common cases are known here; the trial
run proves the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from cellship.snapshot.packages import installed

# the first of each group that is installed here is what the library would take
CALLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "read_parquet": (("pyarrow", "fastparquet"),),
    "to_parquet": (("pyarrow", "fastparquet"),),
    "read_feather": (("pyarrow",),),
    "to_feather": (("pyarrow",),),
    "read_orc": (("pyarrow",),),
    "read_excel": (("openpyxl",), ("xlrd",), ("python_calamine",)),
    "to_excel": (("openpyxl", "xlsxwriter"),),
    "read_hdf": (("tables",),),
    "to_hdf": (("tables",),),
    "read_html": (("lxml", "html5lib"), ("bs4",)),
    "read_xml": (("lxml",),),
    "to_xml": (("lxml",),),
    "to_markdown": (("tabulate",),),
    "read_sql": (("sqlalchemy",),),
    "read_sql_query": (("sqlalchemy",),),
    "plot": (("matplotlib",),),
    "hist": (("matplotlib",),),
    "boxplot": (("matplotlib",),),
}
WORDS: dict[str, str] = {
    "pyarrow": "pyarrow",
    "fastparquet": "fastparquet",
    "openpyxl": "openpyxl",
    "calamine": "python_calamine",
    "xlsxwriter": "xlsxwriter",
    "numexpr": "numexpr",
    "numba": "numba",
    "h5netcdf": "h5netcdf",
    "netcdf4": "netCDF4",
    "zarr": "zarr",
}
SCHEMES: dict[str, str] = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "hf": "huggingface_hub",
    "postgresql": "psycopg2",
    "postgresql+psycopg2": "psycopg2",
    "postgresql+psycopg": "psycopg",
    "postgresql+asyncpg": "asyncpg",
    "mysql+pymysql": "pymysql",
    "mysql": "MySQLdb",
    "duckdb": "duckdb_engine",
    "snowflake": "snowflake.sqlalchemy",
}
KEYWORDS: dict[str, str] = {"device_map": "accelerate"}


def modules_named(source: str, cwd: Path) -> dict[str, str]:
    """Installed modules (name -> why) that calls and texts in `source` stand for."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for groups, why in _named(tree):
        for group in groups:
            module = next((module for module in group if installed(module, cwd)), None)
            if module:
                found.setdefault(module, why)
    return found


def _named(tree: ast.AST) -> Iterator[tuple[Iterable[tuple[str, ...]], str]]:
    """Groups of modules of which the first installed one is needed, with the reason."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield CALLS.get(name, ()), f"{name}()"
            for keyword in node.keywords:
                module = KEYWORDS.get(keyword.arg or "")
                yield ([(module,)] if module else []), f"{keyword.arg}="
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = _of_text(node.value)
            yield ([(module,)] if module else []), f"{node.value[:40]!r}"


def _of_text(text: str) -> str | None:
    """`pyarrow`, `int64[pyarrow]`, `s3://bucket/key`"""
    scheme, found, _ = text.partition("://")
    if found:
        return SCHEMES.get(scheme)
    word = text[text.find("[") + 1 : -1] if text.endswith("]") and "[" in text else text
    return WORDS.get(word)
