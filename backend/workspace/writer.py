"""Writes to the repository: one writer at a time, who decides on what the branch says then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pygit2

from cellship.backend.workspace import deployment_yaml, first_commit
from cellship.backend.workspace.bare import SERVICE, Bare, Moved, Tag, signature
from cellship.backend.workspace.deployment import Deployment, mark
from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.history import FILE, FOLDER, History
from cellship.backend.workspace.lock import Left, WriterLock
from cellship.backend.workspace.record import Record
from cellship.backend.workspace.trees import put, write_tree
from cellship.backend.workspace.versions import read_tag_message, tag_name
from cellship.backend.workspace.yaml_text import dump, load
from cellship.snapshot.errors import CellshipError

Result = TypeVar("Result")
DELETED = "deleted"
TRIES = 100
NO_SPACE = "No space left on device"


@dataclass(frozen=True)
class Signed:
    """Who commits, and when (with a time zone)."""

    author: str
    now: datetime


class Writer:
    """All that changes the repository goes through `run`."""

    def __init__(self, bare: Bare, history: History) -> None:
        self._bare = bare
        self._history = history
        self._lock = WriterLock(bare.path / "cellship.lock")

    def create(self, now: datetime) -> None:
        """Make repository and first commit, if they are not there; mend what a crash left."""
        self._bare.path.mkdir(parents=True, exist_ok=True)
        with self._lock.hold() as left:
            if not self._begun():
                self._bare.init()
                _sync_folder(self._bare.path)
            self._mend(left)
            if self._bare.head() is None:
                tree = write_tree(self._bare.repo, first_commit.FILES)
                self._advance(None, tree, first_commit.MESSAGE, Signed(SERVICE, now))

    def run(self, work: Callable[[], Result]) -> Result:
        """Do `work` as the only writer; from its beginning again if the branch moved meanwhile."""
        with self._lock.hold() as left:
            self._mend(left)
            for _ in range(TRIES):
                try:
                    return work()
                except Moved:
                    continue
                except (pygit2.GitError, OSError) as error:
                    if NO_SPACE not in str(error):
                        raise
                    raise disk_full(error) from error
        raise CellshipError("The workspace moves too fast to be written.", code="workspace.busy")

    def next_number(self, name: str, record: Record | None) -> int:
        """One more than the highest number ever given under this name."""
        used = [version.number for version in record.versions] if record else []
        deleted = record.deployment.deleted if record else {}
        number = 1 + max([0, *used, *deleted, self._highest_deleted(name)])
        while self._bare.is_taken(tag_name(name, number)):
            number += 1
        return number

    def set_deployment(
        self, before: Record, wanted: Deployment, message: str, signed: Signed
    ) -> None:
        """Commit deployment.yaml; take away the tags of versions that it deletes."""
        name = before.name
        blob = self._bare.repo.create_blob(deployment_yaml.to_yaml(wanted).encode())
        self._commit({f"{FOLDER}/{name}/{FILE}": blob}, message, signed)
        for number in wanted.deleted.keys() - before.deployment.deleted.keys():
            self._bare.drop_tag(tag_name(name, number))

    def add_version(
        self,
        name: str,
        number: int,
        files: Mapping[str, bytes],
        message: str,
        tag: str,
        signed: Signed,
    ) -> None:
        """Commit all files of a deployment with the version that they make."""
        repo, head = self._bare.repo, self._bare.head()
        path = f"{FOLDER}/{name}"
        root = self._root_with(head, {path: write_tree(repo, files)})
        commit = self._bare.commit(root, head, message, signed.author, signed.now)
        self._bare.tag(tag_name(name, number), commit, tag, signed.author, signed.now)
        self._bare.advance(head, commit)
        who = signature(signed.author, signed.now)
        self._history.note([Tag(name, number, commit, tag, who.name, who.time)])

    def remove(self, record: Record, message: str, signed: Signed) -> None:
        """Commit the end of a deployment and the highest number it used; take its tags away."""
        name = record.name
        last = max(self.next_number(name, record) - 1, 0)
        told = mark(signed.author, signed.now)
        note = dump({"highest": last, "by": told.by, "at": told.at})
        blob = self._bare.repo.create_blob(note.encode())
        changes = {f"{FOLDER}/{name}": None, f"{DELETED}/{name}.yaml": blob}
        self._commit(changes, message, signed)
        for version in record.versions:
            self._bare.drop_tag(tag_name(name, version.number))

    def _commit(
        self, changes: Mapping[str, pygit2.Oid | None], message: str, signed: Signed
    ) -> None:
        head = self._bare.head()
        self._advance(head, self._root_with(head, changes), message, signed)
        self._history.note([])

    def _advance(self, head: str | None, tree: pygit2.Oid, message: str, signed: Signed) -> None:
        commit = self._bare.commit(tree, head, message, signed.author, signed.now)
        self._bare.advance(head, commit)

    def _root_with(self, head: str | None, changes: Mapping[str, pygit2.Oid | None]) -> pygit2.Oid:
        tree = self._bare.tree(head)
        root = tree.id if tree is not None else None
        for path, entry in changes.items():
            root = put(self._bare.repo, root, path, entry)
        assert root is not None  # .gitattributes stays
        return root

    def _highest_deleted(self, name: str) -> int:
        tree, path = self._bare.tree(self._bare.head()), f"{DELETED}/{name}.yaml"
        if tree is None or path not in tree:
            return 0
        note = tree[path]
        found = load(note.data) if isinstance(note, pygit2.Blob) else None
        return int(found.get("highest", 0)) if isinstance(found, dict) else 0

    def _begun(self) -> bool:
        return (self._bare.path / "HEAD").is_file() and (self._bare.path / "config").is_file()

    def _mend(self, left: Left) -> None:
        """After a writer that did not end well: its files, and tags that are no versions."""
        if left is Left.DONE:
            return
        if left is Left.DIED:
            self._bare.clear_leftovers(older_than=0)
        for tag in list(self._bare.tags()):
            if read_tag_message(tag.message) and not self._is_version(tag):
                self._bare.drop_tag(tag_name(tag.name, tag.number))

    def _is_version(self, tag: Tag) -> bool:
        try:
            record = self._history.record(tag.name)
        except BadFile:
            return True  # nothing is taken away from what cannot be read
        versions = record.versions if record else ()
        return any(version.commit == tag.commit for version in versions)


def disk_full(error: Exception) -> CellshipError:
    """The sentence for a disk without room."""
    return CellshipError(
        "The disk of the data folder is full; nothing was changed.",
        code="workspace.disk-full",
        hint="Make room, then repeat it.",
        log_text=str(error),
    )


def _sync_folder(folder: Path) -> None:
    """libgit2 syncs objects and refs; a new repository has a few more files."""
    for path in [folder / "HEAD", folder / "config", folder / "refs", folder, folder.parent]:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
