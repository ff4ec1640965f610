"""One callable of a snapshot: a CALL goes in, the frame that answers it comes out."""

from __future__ import annotations

import traceback
from typing import Any, Dict, List, Mapping, Tuple

from . import failures
from .codec import Mismatch, NotJson, decode_arguments, encode
from .frames import HEADER, LOSSY, MAX_FRAME, Kind, frame
from .logs import Logs
from .schema import is_async, refuse_kind
from .signature import Signature
from .simpler import type_name

ANSWER = int(Kind.ANSWER)


class Method:
    """Raises Unservable for a callable that cannot be an endpoint."""

    def __init__(self, entry: Any, names: Mapping[str, Any], deployment: str, logs: Logs) -> None:
        refuse_kind(entry)
        self.is_async = is_async(entry)
        self._entry = entry
        self._deployment = deployment
        self._logs = logs
        self._signature = Signature(entry, names)
        self._by_position = self._signature.by_position

    def call(self, stream: int, request_id: str, body: bytes) -> bytes:
        """Run a `def`; the frame to send. Whatever user code raises is the call's own failure."""
        try:
            arguments = decode_arguments(self._signature, body)
        except Mismatch as error:
            return failures.wrong_input(stream, self._deployment, error)
        try:
            if self._by_position:
                positional, arguments = self._split(arguments)
                value = self._entry(*positional, **arguments)
            else:
                value = self._entry(**arguments)
        except BaseException as error:
            return self._raised(stream, request_id, error)
        return self._answer(stream, value)

    async def call_async(self, stream: int, request_id: str, body: bytes) -> bytes:
        """As `call`, for an `async def`."""
        try:
            arguments = decode_arguments(self._signature, body)
        except Mismatch as error:
            return failures.wrong_input(stream, self._deployment, error)
        try:
            positional, arguments = self._split(arguments)
            value = await self._entry(*positional, **arguments)
        except BaseException as error:
            if type(error).__name__ == "CancelledError":  # asyncio is not imported for a `def`
                return failures.cancelled(stream)
            return self._raised(stream, request_id, error)
        return self._answer(stream, value)

    def _split(self, arguments: Dict[str, Any]) -> Tuple[List[Any], Dict[str, Any]]:
        """What goes by position, up to the first that was left out."""
        positional = []
        for name in self._by_position:
            if name not in arguments:
                break
            positional.append(arguments.pop(name))
        return positional, arguments

    def _answer(self, stream: int, value: Any) -> bytes:
        name = self._signature.name
        try:
            body, lossy = encode(value)
        except NotJson as error:
            return failures.not_json(stream, name, error)
        except Exception as error:  # a property or a serializer of the user raised
            self._log(error)
            return failures.not_json(stream, name, NotJson("", type_name(type(value))))
        if len(body) > MAX_FRAME - HEADER.size:
            return failures.too_large(stream, name, len(body))
        return frame(ANSWER, stream, body, LOSSY if lossy else 0)

    def _raised(self, stream: int, request_id: str, error: BaseException) -> bytes:
        self._log(error)
        return failures.raised(stream, self._signature.name, error, request_id)

    def _log(self, error: BaseException) -> None:
        """The traceback of user code, without the frame of ours that called it."""
        shown = error.__traceback__ and error.__traceback__.tb_next
        lines = traceback.format_exception(type(error), error, shown)
        self._logs.line("log", "ERROR", "".join(lines).rstrip("\n"))
