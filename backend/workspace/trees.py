"""Trees of git objects: one entry replaced, everything else shared with the tree before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pygit2
from pygit2.enums import FileMode

Content = Mapping[str, bytes]


@dataclass
class _Folder:
    files: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


def write_tree(repo: pygit2.Repository, content: Content) -> pygit2.Oid:
    """The tree that holds just these files, by path."""
    root = _Folder()
    for path, data in content.items():
        *parents, name = path.split("/")
        folder = root
        for parent in parents:
            folder = folder.folders.setdefault(parent, _Folder())
        folder.files[name] = data
    return _write(repo, root)


def put(
    repo: pygit2.Repository, tree: pygit2.Oid | None, path: str, entry: pygit2.Oid | None
) -> pygit2.Oid | None:
    """`tree` with the object at `path` replaced, or without it when `entry` is None.

    Folders that become empty go. None for a tree without entries.
    """
    name, _, rest = path.partition("/")
    builder = repo.TreeBuilder(tree) if tree is not None else repo.TreeBuilder()
    old = builder.get(name)
    if rest:
        entry = put(repo, old.id if old is not None else None, rest, entry)
        mode = FileMode.TREE
    else:
        mode = _mode(repo, entry)
    if entry is not None:
        builder.insert(name, entry, mode)
    elif old is not None:
        builder.remove(name)
    return builder.write() if len(builder) else None


def _write(repo: pygit2.Repository, folder: _Folder) -> pygit2.Oid:
    builder = repo.TreeBuilder()
    for name, data in folder.files.items():
        builder.insert(name, repo.create_blob(data), FileMode.BLOB)
    for name, inner in folder.folders.items():
        builder.insert(name, _write(repo, inner), FileMode.TREE)
    return builder.write()


def _mode(repo: pygit2.Repository, entry: pygit2.Oid | None) -> FileMode:
    is_tree = entry is not None and isinstance(repo[entry], pygit2.Tree)
    return FileMode.TREE if is_tree else FileMode.BLOB


def files_of(tree: pygit2.Tree, prefix: str = "") -> dict[str, bytes]:
    """Content of each file under a tree, by path."""
    found: dict[str, bytes] = {}
    for entry in tree:
        path = f"{prefix}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            found |= files_of(entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob):
            found[path] = entry.data
    return found
