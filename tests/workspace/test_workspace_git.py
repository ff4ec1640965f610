"""The workspace and the git command: clones, pushes, packs, what is never committed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.repository import Workspace
from cellship.snapshot.errors import Refused

Shop = Any
Git = Callable[..., str]
BUFFER, OID = "ab" * 32, "cd" * 32


def test_history_reads_well(shop: Shop, git: Git) -> None:
    shop.ship(body="return 1", blobs={f"values/buffers/{BUFFER}": (OID, 5)})
    shop.ship(body="return 2", blobs={f"values/buffers/{BUFFER}": ("ef" * 32, 6)})
    text = git(shop.workspace.path, "log", "-p", "-1", "main")
    assert "-    return 1\n+    return 2\n" in text
    assert f"-oid sha256:{OID}\n-size 5\n" in text


def test_pickles_are_not_shown(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship(folder=shop.snapshot(**{"values/graph.pkl": b"\x80\x05]."}))
    told = "Binary files a/deployments/digits/values/graph.pkl and"
    assert told in git(shop.workspace.path, "log", "-p", "-1", "main")
    clone = shop.root.parent / "clone"
    git(shop.root, "clone", str(shop.workspace.path), str(clone), GIT_LFS_SKIP_SMUDGE="1")
    assert told in git(clone, "log", "-p", "-1")


def test_a_rewritten_branch_is_read_anew(shop: Shop, git: Git) -> None:
    shop.ship()
    kept = shop.workspace.head()
    shop.ship()
    git(shop.workspace.path, "update-ref", "refs/heads/main", kept)
    assert [version.number for version in shop.workspace.versions("digits")] == [1]
    assert shop.ship() == 2


def test_packed_repositories_are_read_and_written(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship(candidate=True)
    git(shop.workspace.path, "gc", "--quiet", "--prune=now")
    assert shop.ship() == 3
    shop.workspace.delete_candidate("digits", 2, shop.started, author="ann", now=shop.now())
    fresh = Workspace(shop.workspace.path)
    assert [version.number for version in fresh.versions("digits")] == [1, 3]
    git(shop.workspace.path, "fsck", "--strict")


def test_tags_of_other_people_are_left_alone(shop: Shop, git: Git) -> None:
    shop.ship()
    path = shop.workspace.path
    git(path, "tag", "digits/v2", "main")
    git(path, "tag", "-am", "release\n\nCandidate: yes", "digits/v3", "main")
    git(path, "update-ref", "refs/tags/digits/v9", git(path, "rev-parse", "digits/v1").strip())
    git(path, "tag", "v1.0", "main")
    before = git(path, "show-ref", "--tags")
    assert shop.ship() == 4
    for reader in (shop.workspace, Workspace(path)):
        assert [version.number for version in reader.versions("digits")] == [1, 4]
    after = git(path, "show-ref", "--tags")
    assert set(before.splitlines()) < set(after.splitlines())


def test_an_unreadable_file_stops_changes_of_that_deployment_only(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship("churn")
    clone = shop.root.parent / "clone"
    git(shop.root, "clone", str(shop.workspace.path), str(clone), GIT_LFS_SKIP_SMUDGE="1")
    (clone / "deployments/digits/deployment.yaml").write_text("trafic: {latest: 100}\n")
    git(clone, "commit", "-qam", "Slip")
    git(clone, "push", "-q")
    with pytest.raises(BadFile, match="unknown key trafic"):
        shop.workspace.record("digits")
    with pytest.raises(BadFile):
        shop.ship()
    assert shop.workspace.record("churn").versions
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "-q")
    assert shop.traffic() == {1: 100}


def test_a_pushed_revert_undoes_a_rollback(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship()
    shop.rollback()
    clone = shop.root.parent / "clone"
    git(shop.root, "clone", str(shop.workspace.path), str(clone), GIT_LFS_SKIP_SMUDGE="1")
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "-q")
    assert shop.traffic() == {2: 100}
    assert shop.workspace.deployment("digits").hold is None
    assert shop.workspace.deployment("digits").bad == {}


def test_a_pushed_edit_of_traffic_ends_a_hold(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship()
    shop.rollback()
    clone = shop.root.parent / "clone"
    git(shop.root, "clone", str(shop.workspace.path), str(clone), GIT_LFS_SKIP_SMUDGE="1")
    file = clone / "deployments/digits/deployment.yaml"
    file.write_text(file.read_text().replace("1: 100", "1: 50\n  2: 50"))
    git(clone, "commit", "-qam", "Try digits@2 again")
    git(clone, "push", "-q")
    assert shop.traffic() == {1: 50, 2: 50}
    assert shop.workspace.deployment("digits").hold is None


def test_nothing_of_a_secret_stays(shop: Shop, git: Git) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    objects = sorted(shop.workspace.path.rglob("objects/??/*"))
    head = shop.workspace.head()
    with pytest.raises(Refused) as caught:
        shop.ship(body=f"return {token!r}")
    assert caught.value.code == "workspace.secret-found"
    assert "GitHub token in source.py, line 5" in caught.value.message
    assert token not in str(caught.value)
    assert token[:12] not in str(caught.value)
    with pytest.raises(Refused, match=r"values/graph\.pkl"):
        stream = b"\x80\x05\x8c" + bytes([len(token)]) + token.encode() + b"\x94."
        shop.ship(folder=shop.snapshot(**{"values/graph.pkl": stream}))
    with pytest.raises(Refused, match=r"settings\.yaml"):
        shop.ship(settings={"entry": "predict", "env": {"TOKEN": token}})
    manifest = {"files": [{"name": "0", "path": "conf/.env", "digest": "d", "size": 3}]}
    with pytest.raises(Refused, match=r"a file of secrets in conf/\.env"):
        shop.ship(folder=shop.snapshot(**{"files/manifest.json": json.dumps(manifest)}))
    assert sorted(shop.workspace.path.rglob("objects/??/*")) == objects
    assert shop.workspace.head() == head


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_a_clone_with_git_lfs_has_good_pointers(shop: Shop, git: Git, tmp_path: Path) -> None:
    files = {"files": [{"name": "0", "path": "a.csv", "digest": "d", "size": 7}]}
    blobs = {
        f"values/buffers/{BUFFER}": (OID, 5),
        "files/0": ("ef" * 32, 7),
        "files/1": ("01" * 32, 0),
        "values/graph.pkl": ("23" * 32, 10**7),
    }
    shop.ship(folder=shop.snapshot(**{"files/manifest.json": json.dumps(files)}), blobs=blobs)
    shop.ship("small")
    clone = tmp_path / "clone"
    git(tmp_path, "lfs", "install")
    git(tmp_path, "clone", str(shop.workspace.path), str(clone), GIT_LFS_SKIP_SMUDGE="1")
    tracked = set(git(clone, "lfs", "ls-files", "--name-only").split())
    assert tracked == {
        f"deployments/digits/values/buffers/{BUFFER}",
        "deployments/digits/files/0",
        "deployments/digits/values/graph.pkl",
    }
    git(clone, "lfs", "fsck", "--pointers")
    assert git(clone, "status", "--porcelain") == ""


def test_a_clone_without_git_lfs_is_whole(shop: Shop, git: Git, tmp_path: Path) -> None:
    shop.ship(blobs={f"values/buffers/{BUFFER}": (OID, 5)})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", str(shop.workspace.path), str(clone))
    pointer = clone / f"deployments/digits/values/buffers/{BUFFER}"
    assert pointer.read_text().startswith("version https://git-lfs.github.com/spec/v1\n")
    assert (clone / "deployments/digits/values/graph.pkl").read_bytes() == b"\x80\x05N."
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "tag").split() == ["digits/v1"]
