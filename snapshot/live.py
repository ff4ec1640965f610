"""Objects that are one end of something outside the process: they cannot move."""

from __future__ import annotations

import io
import types
import weakref
from typing import Any

from cellship.snapshot.own_name import is_ours
from cellship.snapshot.refusal import Unshippable

MAKE_IT_THERE = "Make it inside the function, where the endpoint runs."
CONNECTIONS = frozenset(
    {
        "socket.socket",
        "ssl.SSLSocket",
        "sqlite3.Connection",
        "sqlite3.Cursor",
        "requests.sessions.Session",
        "httpx.Client",
        "httpx.AsyncClient",
        "aiohttp.client.ClientSession",
        "http.client.HTTPConnection",
        "http.client.HTTPSConnection",
        "urllib3.poolmanager.PoolManager",
        "psycopg.Connection",
        "psycopg2.extensions.connection",
        "pymysql.connections.Connection",
        "pymongo.mongo_client.MongoClient",
        "redis.client.Redis",
        "sqlalchemy.engine.base.Engine",
        "sqlalchemy.engine.base.Connection",
        "sqlalchemy.orm.session.Session",
        "duckdb.DuckDBPyConnection",
        "_duckdb.DuckDBPyConnection",
        "smtplib.SMTP",
        "ftplib.FTP",
        "paramiko.client.SSHClient",
    }
)
RUNNING = frozenset(
    {
        "threading.Thread",
        "subprocess.Popen",
        "multiprocessing.pool.Pool",
        "concurrent.futures.thread.ThreadPoolExecutor",
        "concurrent.futures.process.ProcessPoolExecutor",
        "_asyncio.Task",
        "_asyncio.Future",
        "asyncio.unix_events._UnixSelectorEventLoop",
    }
)


GENERATORS = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)

WEAK = (weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet)


def check_live(thing: Any) -> None:
    """Raises Unshippable for connections, open files, generators and what runs."""
    if is_ours(str(type(thing).__module__)):
        raise Unshippable(
            "capture.cellship-name",
            "What cellship made exists in the notebook only.",
            "Keep the data of it that the function needs.",
        )
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(thing).__mro__}
    if kinds & CONNECTIONS:
        raise Unshippable(
            "capture.live-connection",
            "A live connection cannot move to another process.",
            MAKE_IT_THERE,
        )
    if isinstance(thing, io.IOBase) and not isinstance(thing, io.BytesIO | io.StringIO):
        raise Unshippable(
            "capture.open-file",
            "An open file cannot move to another process.",
            "Open it inside the function, or keep what you read from it.",
        )
    if isinstance(thing, GENERATORS):
        raise Unshippable(
            "capture.generator",
            "A generator that has begun cannot move to another process.",
            "Keep a list of what it yields, or make it inside the function.",
        )
    if isinstance(thing, WEAK):
        raise Unshippable(
            "capture.weak-reference",
            f"A {type(thing).__name__} holds its items only while something else does.",
            "Keep them in a plain dict, list or set.",
        )
    if kinds & RUNNING or isinstance(thing, types.FrameType | types.TracebackType):
        raise Unshippable(
            "capture.running",
            f"A {type(thing).__name__} belongs to this process and cannot move to another.",
            MAKE_IT_THERE,
        )
