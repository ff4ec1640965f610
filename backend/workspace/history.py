"""Reads what the branch says, commit by commit, and remembers it until the branch moves on.

A version is an annotated tag of ours on a commit of the branch, of a deployment that was not
deleted since. Only new commits are read, along first parents; of a rewritten branch all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pygit2

from cellship.backend.workspace import deployment_yaml, settings
from cellship.backend.workspace.bare import Bare, Tag
from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.life import Life
from cellship.backend.workspace.names import NAME
from cellship.backend.workspace.record import Record
from cellship.backend.workspace.versions import VersionRecord, read_tag_message

FOLDER = "deployments"
FILE = "deployment.yaml"


class History:
    """All deployments as the branch has them. Safe to use from several threads."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare
        self._lock = threading.Lock()
        self._head: str | None = None
        self._root: str | None = None
        self._lives: dict[str, Life] = {}
        self._records: dict[str, Record] = {}
        self._parsed: dict[str, Any] = {}

    def names(self) -> list[str]:
        """The deployments that exist, by name."""
        with self._lock:
            self._catch_up(None)
            return sorted(self._lives)

    def record(self, name: str) -> Record | None:
        """One deployment, None if there is none. Raises BadFile when git holds no readable one."""
        with self._lock:
            self._catch_up(None)
            life = self._lives.get(name)
            if life is None:
                return None
            if life.problem:
                raise life.problem
            if name not in self._records:
                self._records[name] = life.record(name)
            return self._records[name]

    def note(self, made: Iterable[Tag]) -> None:
        """Read on after a commit of this process that made these tags, and no others."""
        with self._lock:
            self._catch_up(list(made))

    def _catch_up(self, made: list[Tag] | None) -> None:
        head = self._bare.head()
        if head == self._head:
            return
        new, rewritten = self._new_commits(head)
        if rewritten:
            self._lives, self._records, self._root = {}, {}, None
        if made is None or len(new) != 1:
            made = list(self._bare.tags())
        tags: dict[str, list[Tag]] = {}
        for tag in made:
            tags.setdefault(tag.commit, []).append(tag)
        self._head = None  # should reading fail, all is read anew next time
        for commit in reversed(new):
            self._read(commit, tags.get(str(commit.id), []))
        self._head = head

    def _new_commits(self, head: str | None) -> tuple[list[pygit2.Commit], bool]:
        """Commits since the last look, newest first, and whether they replace all that was read."""
        found: list[pygit2.Commit] = []
        at = head
        while at is not None and at != self._head:
            commit = self._bare.repo[at]
            assert isinstance(commit, pygit2.Commit)
            found.append(commit)
            at = str(commit.parent_ids[0]) if commit.parent_ids else None
        return found, at is None

    def _read(self, commit: pygit2.Commit, tags: list[Tag]) -> None:
        old, new = self._entries(self._root), self._entries(str(commit.tree_id))
        touched = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        for name in touched | {tag.name for tag in tags}:
            self._records.pop(name, None)
            if name not in new:
                self._lives.pop(name, None)
                continue
            life = self._lives.setdefault(name, Life())
            mine = [tag for tag in tags if tag.name == name]
            self._step(life, commit, new[name], mine)
        self._root = str(commit.tree_id)

    def _entries(self, root: str | None) -> dict[str, str]:
        """The tree of each deployment in the tree of a commit."""
        tree = self._bare.repo[root] if root else None
        if not isinstance(tree, pygit2.Tree) or FOLDER not in tree:
            return {}
        folder = tree[FOLDER]
        assert isinstance(folder, pygit2.Tree)
        folders = (entry for entry in folder if isinstance(entry, pygit2.Tree))
        return {
            str(entry.name): str(entry.id) for entry in folders if NAME.fullmatch(entry.name or "")
        }

    def _step(self, life: Life, commit: pygit2.Commit, tree: str, tags: list[Tag]) -> None:
        life.updated, life.commit = utc(commit.commit_time), str(commit.id)
        made = [found for tag in tags if (found := self._version(tag, tree))]
        wanted = life.deployment
        try:
            wanted = self._parse(tree, FILE, deployment_yaml.from_yaml, Deployment())
            life.problem = None
        except BadFile as problem:
            life.problem = problem  # what was readable last goes on
        life.step(wanted, made)

    def _version(self, tag: Tag, tree: str) -> VersionRecord | None:
        read = read_tag_message(tag.message)
        if read is None:
            return None
        subject, facts = read
        return VersionRecord(
            number=tag.number,
            digest=facts.digest,
            created=utc(tag.time),
            author=tag.tagger,
            message=subject.partition(": ")[2] or subject,
            candidate=bool(facts.candidate_because),
            candidate_because=facts.candidate_because,
            notebook=facts.notebook,
            cell=facts.cell,
            how=facts.how,
            bytes_moved=facts.bytes_moved,
            lease=facts.lease,
            commit=tag.commit,
            settings=self._parse(tree, "settings.yaml", settings.from_yaml, {}),
        )

    def _parse(self, tree: str, path: str, read: Any, default: Any) -> Any:
        """What a small file of a deployment's tree says; equal files are read once."""
        folder = self._bare.repo[tree]
        assert isinstance(folder, pygit2.Tree)
        if path not in folder:
            return default
        blob = folder[path]
        assert isinstance(blob, pygit2.Blob)
        key = f"{path} {blob.id}"
        if key not in self._parsed:
            self._parsed[key] = read(blob.data.decode("utf-8", "replace"))
        return self._parsed[key]


def utc(seconds: int) -> str:
    """ISO 8601 of a git time."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
