"""The bare git repository: objects, then tags, then the branch; each of them synced.

A crash between any two steps leaves objects that nothing names, or a tag whose commit is not on the
branch; neither is a version. `mend` takes such tags away.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, ReferenceFilter

from cellship.backend.workspace.first_commit import SHOWN_AS_BINARY
from cellship.backend.workspace.names import clean
from cellship.backend.workspace.versions import TAG, read_tag_message
from cellship.snapshot.errors import Refused

BRANCH = "refs/heads/main"
SERVICE = "Cellship"
STALE_AFTER = 60.0  # seconds; a git process holds the lock of a ref for milliseconds
PATIENCE = 5.0

pygit2.settings.enable_fsync_gitdir(True)


@dataclass(frozen=True)
class Tag:
    """An annotated tag that may be a version."""

    name: str
    number: int
    commit: str
    message: str
    tagger: str
    time: int


class Moved(Exception):
    """Another writer was faster: read again and decide again."""


class Bare:
    """One repository. Handles of libgit2 are not for several threads: each opens its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._tags: dict[tuple[str, str], Tag | None] = {}

    @property
    def repo(self) -> pygit2.Repository:
        """This thread's handle."""
        found: pygit2.Repository | None = getattr(self._threads, "repo", None)
        if found is None:
            found = self._threads.repo = pygit2.Repository(str(self.path))
        return found

    def init(self) -> None:
        """An empty repository; one that is there, or half there, is completed."""
        repo = pygit2.init_repository(str(self.path), bare=True, initial_head="main")
        config = repo.config
        config["core.fsync"] = "all"  # the same care by the git command as by libgit2
        config["core.bigFileThreshold"] = "1m"  # large files are incompressible here
        config["core.logAllRefUpdates"] = False
        config["transfer.fsckObjects"] = True
        config["receive.denyNonFastForwards"] = True  # numbers are never used twice
        config["receive.denyDeletes"] = True
        attributes = self.path / "info" / "attributes"
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_bytes(SHOWN_AS_BINARY)

    def head(self) -> str | None:
        """The commit that the branch stands on."""
        ref = self.repo.references.get(BRANCH)
        return str(ref.target) if ref is not None else None

    def tree(self, commit: str | None) -> pygit2.Tree | None:
        """The root of a commit's files."""
        found = self.repo[commit] if commit else None
        return found.tree if isinstance(found, pygit2.Commit) else None

    def unknown(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files whose content no commit ever had."""
        return {path: data for path, data in files.items() if pygit2.hash(data) not in self.repo}

    def commit(
        self, tree: pygit2.Oid, parent: str | None, message: str, author: str, now: datetime
    ) -> str:
        """Write a commit that nothing names yet."""
        parents = [pygit2.Oid(hex=parent)] if parent else []
        committer = signature(SERVICE, now)
        made = self.repo.create_commit(
            None, signature(author, now), committer, message, tree, parents
        )
        return str(made)

    def tag(self, name: str, commit: str, message: str, author: str, now: datetime) -> None:
        """Name a commit. A tag of that name was left by a crash, is no version, and makes way."""
        self.drop_tag(name)
        oid, kind = pygit2.Oid(hex=commit), ObjectType.COMMIT
        self._patiently(
            lambda: self.repo.create_tag(name, oid, kind, signature(author, now), message)
        )

    def drop_tag(self, name: str) -> None:
        """Take a tag away if it is there."""
        ref = self.repo.references.get(f"refs/tags/{name}")
        if ref is not None:
            self._patiently(ref.delete)

    def advance(self, old: str | None, new: str) -> None:
        """Move the branch from `old` to `new`. Raises Moved when it does not stand on `old`."""
        oid = pygit2.Oid(hex=new)
        ref = self.repo.references.get(BRANCH)
        if (str(ref.target) if ref is not None else None) != old:
            raise Moved
        if ref is None:
            self._patiently(lambda: self.repo.references.create(BRANCH, oid))
        else:
            self._patiently(lambda: ref.set_target(oid))

    def tags(self) -> Iterator[Tag]:
        """All annotated tags that are named like versions."""
        for ref in self.repo.references.iterator(ReferenceFilter.TAGS):
            tag = self._tag(ref.name, str(ref.target)) if TAG.fullmatch(ref.name) else None
            if tag:
                yield tag

    def clear_leftovers(self, older_than: float) -> None:
        """Remove lock files of refs and unfinished objects, at least this many seconds old."""
        newest = time.time() - older_than
        locks = [self.path / "packed-refs.lock", *(self.path / "refs").rglob("*.lock")]
        for file in [*locks, *(self.path / "objects").glob("tmp_object_git2_*")]:
            try:
                if file.stat().st_mtime <= newest:
                    file.unlink()
            except FileNotFoundError:
                continue

    def is_taken(self, name: str) -> bool:
        """Whether somebody made a tag of this name that is not one of ours."""
        ref = self.repo.references.get(f"refs/tags/{name}")
        if ref is None:
            return False
        tag = self._tag(ref.name, str(ref.target))
        return tag is None or read_tag_message(tag.message) is None

    def _tag(self, ref: str, oid: str) -> Tag | None:
        if (ref, oid) not in self._tags:
            self._tags[ref, oid] = self._read_tag(ref, oid)
        return self._tags[ref, oid]

    def _read_tag(self, ref: str, oid: str) -> Tag | None:
        tag, found = self.repo[oid], TAG.fullmatch(ref)
        if not isinstance(tag, pygit2.Tag) or tag.tagger is None or found is None:
            return None
        if f"refs/tags/{tag.name}" != ref:  # a second name for the tag of a version
            return None
        return Tag(
            name=found[1],
            number=int(found[2]),
            commit=str(tag.target),
            message=tag.message or "",
            tagger=tag.tagger.name,
            time=tag.tagger.time,
        )

    def _patiently(self, update: Callable[[], object]) -> None:
        """Change a ref; while the git command holds its lock file, wait a little."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                update()
                return
            except (pygit2.GitError, OSError) as error:
                if "modified" in str(error):
                    raise Moved from error
                if "lock" not in str(error):
                    raise
                if time.monotonic() > deadline:
                    raise _busy(error) from error
            self.clear_leftovers(STALE_AFTER)
            time.sleep(0.02)


def signature(person: str, now: datetime) -> pygit2.Signature:
    """A git signature of `ann` or `Ann Lee <ann@example.org>`."""
    person = clean(person)
    found = re.fullmatch(r"\s*([^<>]*?)\s*<([^<>\s]+@[^<>\s]+)>\s*", person)
    plain = re.sub(r"[<>\x00-\x1f\x7f]+", " ", found[1] if found else person).strip(" .,;:\"'\\")
    name = " ".join(plain.split()) or "unknown"
    email = found[2] if found else f"{re.sub(r'[^A-Za-z0-9.-]+', '.', name).strip('.')}@localhost"
    return pygit2.Signature(name, email, int(now.timestamp()), 0)


def _busy(error: Exception) -> Refused:
    return Refused(
        "Another program is writing to the workspace; nothing was changed.",
        code="workspace.busy",
        hint="Try again when it is done.",
        log_text=str(error),
    )
