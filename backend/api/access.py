"""Who may call the API: the owner's token, from a page of our own, under a name of ours."""

from __future__ import annotations

import hashlib
import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from cellship.backend.api.errors import answer

HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Access:
    """Every route has one policy in this release: the token that `run/backend.json` holds (0600).

    Loopback is reachable by any page in the user's browser, so a foreign Host or Origin is refused
    before the token is looked at.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._digest = hashlib.sha256(f"Bearer {token}".encode()).digest()
        self._hosts = {f"{host}:{port}".encode() for host in HOSTS}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refusal = self._refusal(headers)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: dict[bytes, bytes]) -> ASGIApp | None:
        if headers.get(b"host", b"") not in self._hosts:
            return answer(
                421, "api.foreign-host", "This service does not answer to that Host name."
            )
        if b"origin" in headers and headers[b"origin"] not in self._origins:
            return answer(403, "api.foreign-origin", "Requests from other sites are refused.")
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return answer(403, "api.foreign-origin", "Requests from other sites are refused.")
        given = hashlib.sha256(headers.get(b"authorization", b"")).digest()
        if not hmac.compare_digest(given, self._digest):
            hint = (
                "The owner's token is in run/backend.json of the data folder, or in CELLSHIP_TOKEN."
            )
            return answer(401, "api.token", "A token is needed, and this is not it.", hint)
        return None
