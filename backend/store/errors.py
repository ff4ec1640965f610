"""What the store refuses, and why; each says what to do next."""

from __future__ import annotations

from cellship.snapshot.errors import NotFound, Refused


class WrongDigest(Refused):
    """Bytes are not what their name says."""

    def __init__(self, what: str, found: str) -> None:
        super().__init__(
            f"{what} does not hold what its name says (found {found[:12]}…).",
            code="store.wrong-digest",
            hint="A file changed while it was captured, or the copy was cut short. Ship again.",
        )


class NotPlain(Refused):
    """Something in a lease that is not a plain file or folder of its own."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            f"{path} in a lease is {what}; only plain files of their own are taken.",
            code="store.not-plain",
            hint="Copy the bytes into the lease; links and special files stay outside.",
        )


class WrongByteCode(Refused):
    """Byte code that does not belong to the tree it came with."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"Byte code {path}: {why}.",
            code="store.wrong-byte-code",
            hint="Ship again; byte code is made anew. It is never needed, only faster.",
        )


class DiskFull(Refused):
    """Not enough room."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            code="store.disk-full",
            hint="Make room on that disk, or delete deployments that are no longer needed "
            "(cellship delete NAME). What is live goes on answering.",
        )


class BadName(Refused):
    """A digest or a lease id that is none."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:80]!r} is not a digest.",
            code="store.bad-name",
            hint="A digest is 64 hexadecimal digits, a lease id 32.",
        )


class NoSuchBytes(NotFound):
    """A digest that the store does not hold."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The store holds nothing called {digest[:12]}….",
            code="store.no-bytes",
            hint="Ship the cell again from a notebook that still has it, or restore a backup.",
        )


class NoSuchLease(NotFound):
    """A lease that ended."""

    def __init__(self, lease: str) -> None:
        super().__init__(
            f"The lease {lease[:12]}… ended; its bytes are gone.",
            code="store.no-lease",
            hint="Ship again.",
        )
