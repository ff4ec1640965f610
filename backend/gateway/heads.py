"""What the headers of a request may ask for, and who may send it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from cellship.backend.gateway.problem import Problem

# names as clients spell them: what is kept, and b"" for what most clients send and nobody asks for;
# any other spelling is looked up in lower case
KEPT = {
    name: name.lower()
    for known in (b"Host", b"Content-Length", b"X-Request-Id", b"Expect", b"Origin", b"Upgrade")
    for name in (known, known.lower())
}
KEPT |= {
    name: name.lower()
    for known in (b"Sec-Fetch-Site", b"Content-Encoding", b"Connection", b"Transfer-Encoding")
    for name in (known, known.lower())
}
KEPT |= {
    name: b""
    for known in (b"Content-Type", b"User-Agent", b"Accept", b"Accept-Encoding")
    for name in (known, known.lower())
}
PLAIN = frozenset((b"host", b"content-length"))  # these alone ask for nothing more
Headers = Mapping[bytes, bytes]


def check_host(headers: Headers, hosts: frozenset[bytes], old_http: bool) -> None:
    """Only names that the gateway was told: so no page elsewhere can rebind its name to us."""
    host = headers.get(b"host")
    if host is None and old_http:
        return
    if host is None:
        raise Problem(400, "request.host", "The request has no Host header.")
    if host.lower() not in hosts:
        known = ", ".join(sorted(name.decode() for name in hosts))
        said = host.decode("latin-1")[:100]
        raise Problem(
            421, "request.host", f"This gateway does not answer for {said}.", f"Use {known}."
        )


def check_absolute(url: bytes, hosts: frozenset[bytes]) -> None:
    """The host of `POST http://host/name` counts as well."""
    parts = urlsplit(url)
    if parts.scheme != b"http" or parts.netloc.lower() not in hosts:
        raise Problem(421, "request.host", "This gateway does not answer for that address.")


def check_site(headers: Headers, hosts: frozenset[bytes]) -> None:
    """A browser says where a request comes from: only our own pages may call."""
    origin = headers.get(b"origin")
    foreign = origin is not None and not (
        origin.lower().startswith(b"http://") and origin.lower()[7:] in hosts
    )
    if foreign or headers.get(b"sec-fetch-site", b"").lower() == b"cross-site":
        where = origin.decode("latin-1")[:100] if origin else "another site"
        raise Problem(
            403,
            "request.cross-site",
            f"Requests from pages of {where} are refused.",
            "Call from a program, or from a page behind the same address.",
        )


def check_wishes(headers: Headers) -> bool:
    """Whether the sender waits for "100 Continue". Raises Problem for what is not spoken here."""
    if b"upgrade" in headers:
        raise Problem(400, "request.upgrade", "This gateway speaks HTTP/1.1 and nothing else.")
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise malformed("of transfer encodings only chunked is known")
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding != b"identity":
        message = f"A body in {encoding.decode('latin-1')[:40]} is not understood."
        raise Problem(415, "request.encoding", message, "Send the JSON as it is.")
    expected = headers.get(b"expect")
    if expected is None:
        return False
    if expected.lower() != b"100-continue":
        message = f"Expect: {expected.decode('latin-1')[:40]} cannot be met."
        raise Problem(417, "request.expectation", message)
    return True


def too_large(limit: int) -> Problem:
    message = f"The body is larger than {limit / 2**20:g} MiB."
    return Problem(413, "request.too-large", message, "Send less at once.")


def head_too_large(limit: int) -> Problem:
    message = f"The headers are larger than {limit / 2**10:g} KiB."
    return Problem(431, "request.head-too-large", message)


def too_slow(limit: float) -> Problem:
    message = f"The request did not arrive whole within {limit:g} s."
    return Problem(408, "request.too-slow", message)


def too_many() -> Problem:
    message = "Too many connections are open."
    return Problem(503, "gateway.full", message, "Close some, or try again in a moment.")


def too_much_at_once() -> Problem:
    message = "The bodies of all calls that are being worked on are too large together."
    retry = {"Retry-After": "1"}
    return Problem(503, "gateway.full", message, "Try again in a moment.", headers=retry)


def malformed(reason: str) -> Problem:
    return Problem(400, "request.malformed", f"This is not an HTTP request: {reason}.")
