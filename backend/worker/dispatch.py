"""From the payload of a CALL to the method that it names."""

from __future__ import annotations

from typing import Dict, Tuple, Union

from . import failures
from .frames import BadFrame, parse_call
from .method import Method
from .streams import REQUEST_ID

Found = Union[bytes, Tuple[Method, str, bytes]]


class Methods:
    """The methods of a deployment by name; "" is the entry itself."""

    def __init__(self, deployment: str, methods: Dict[str, Method]) -> None:
        self._deployment = deployment
        self._methods = methods

    def find(self, stream: int, payload: bytes) -> Found:
        """(method, request id, body) of a call; the frame that refuses it where there is none.

        From here on what is printed belongs to this request.
        """
        try:
            name, request_id, body = parse_call(payload)
        except BadFrame as error:
            return failures.fail(stream, 400, "request.invalid", str(error))
        method = self._methods.get(name)
        if method is None:
            return failures.no_method(stream, self._deployment, name)
        # a tab or a line break would break the prefix of log lines
        REQUEST_ID.set(request_id if request_id.isprintable() and request_id else "-")
        return method, request_id, body
