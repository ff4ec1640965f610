"""The workspace as git: what is committed, how it reads, what can be rebuilt from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cellship.backend.workspace.bare import Bare
from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.repository import Workspace
from cellship.snapshot.errors import CellshipError, NotFound, Refused, UsageProblem

Shop = Any
Git = Callable[..., str]
BUFFER, OID = "ab" * 32, "cd" * 32


def test_a_new_workspace_has_attributes_and_a_page_about_itself(shop: Shop, git: Git) -> None:
    path = shop.workspace.path
    assert set(git(path, "ls-tree", "--name-only", "main").split()) == {
        ".gitattributes",
        "README.md",
    }
    head = shop.workspace.head()
    shop.workspace.create()
    assert shop.workspace.head() == head
    assert shop.workspace.deployments() == []


def test_a_version_is_one_commit_and_a_tag(shop: Shop, git: Git) -> None:
    path, before = shop.workspace.path, shop.workspace.head()
    shop.ship(author="Ann Lee <ann@example.org>", message="looks at edges first")
    assert git(path, "rev-list", "--count", f"{before}..main").strip() == "1"
    assert git(path, "rev-parse", "digits/v1^{commit}") == git(path, "rev-parse", "main")
    assert git(path, "cat-file", "-t", "digits/v1").strip() == "tag"
    log = git(path, "log", "-1", "--format=%an <%ae>|%cn|%s", "main").strip()
    assert log == "Ann Lee <ann@example.org>|Cellship|digits@1: looks at edges first"


def test_the_record_of_a_version(shop: Shop) -> None:
    shop.ship(notebook="fraud/churn.ipynb", cell=4, how="run all", bytes_moved=2048, digest="d1")
    [version] = shop.workspace.versions("digits")
    assert (version.number, version.digest, version.author) == (1, "d1", "ann")
    assert (version.notebook, version.cell, version.how) == ("fraud/churn.ipynb", 4, "run all")
    assert (version.bytes_moved, version.candidate) == (2048, False)
    assert version.created == "2026-11-20T12:00:01Z"
    assert version.settings == {"entry": "predict"}
    assert version.message == "first version"
    assert shop.workspace.updated("digits") == version.created


def test_commits_say_what_changed(shop: Shop, git: Git) -> None:
    shop.ship(body="return 1")
    shop.ship(body="return 2")
    shop.ship(body="return 1")
    shop.ship(
        body="return 1", settings={"entry": "predict", "timeout": 30}, notebook="q.ipynb", cell=4
    )
    subjects = git(shop.workspace.path, "log", "--format=%s", "main").splitlines()
    assert subjects == [
        "digits@4: changed settings: timeout unset -> 30",
        "digits@3: changed predict, 1 line",
        "digits@2: changed predict, 1 line",
        "digits@1: first version",
        "Begin the workspace",
    ]
    body = git(shop.workspace.path, "log", "-1", "--format=%b", "main").strip()
    assert body == "Shipped-From: q.ipynb, cell 4"


def test_a_lease_makes_one_version(shop: Shop) -> None:
    assert shop.ship(lease="l1", body="return 1") == 1
    head = shop.workspace.head()
    assert shop.ship(lease="l1", body="return 1") == 1
    assert shop.workspace.head() == head
    assert shop.ship(lease="l2", body="return 1") == 2


def test_the_same_again_says_so(shop: Shop, git: Git) -> None:
    shop.ship(body="return 1", start="failed")
    shop.ship(body="return 1")
    subject = git(shop.workspace.path, "log", "-1", "--format=%s", "main").strip()
    assert subject == "digits@2: same as digits@1"
    assert shop.traffic() == {2: 100}
    assert Workspace(shop.workspace.path).record("digits") == shop.workspace.record("digits")


def test_a_rollback_is_one_small_commit(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship()
    shop.rollback(because="wrong on empty rows")
    message = git(shop.workspace.path, "log", "-1", "--format=%B", "main").strip()
    assert message == (
        "Roll digits back to digits@1\n\nwrong on empty rows\n\nMarked-Bad: digits@2"
    )
    changed = git(shop.workspace.path, "diff-tree", "--name-only", "-r", "main~1", "main").split()
    assert changed == ["deployments/digits/deployment.yaml"]
    assert shop.traffic() == {1: 100}


def test_moves_that_move_nothing_make_no_commit(shop: Shop) -> None:
    shop.ship()
    head = shop.workspace.head()
    shop.promote(1)
    shop.rollback(1)
    shop.workspace.resume("digits", author="ann", now=shop.now())
    assert shop.workspace.head() == head


def test_a_move_tells_what_was_before(shop: Shop) -> None:
    shop.ship()
    shop.ship()
    change = shop.workspace.rollback(
        "digits", None, shop.started, author="ann", now=shop.now(), because="no"
    )
    assert change.before.deployment.traffic is None
    assert change.after.deployment.traffic == {1: 100}
    assert change.after == shop.workspace.record("digits")


def test_settings_of_the_deployment_stay_when_versions_go_back(shop: Shop) -> None:
    shop.ship(replicas=2)
    shop.ship(moving={"access": "token", "description": "digits of cheques"})
    shop.rollback()
    deployment = shop.workspace.deployment("digits")
    assert (deployment.replicas_min, deployment.replicas_max) == (2, 2)
    assert (deployment.access, deployment.description) == ("token", "digits of cheques")
    shop.workspace.configure("digits", {"protect": True}, author="ann", now=shop.now())
    assert shop.workspace.deployment("digits").protect
    with pytest.raises(BadFile, match="unknown key protekt"):
        shop.workspace.configure("digits", {"protekt": True}, author="ann", now=shop.now())


def test_pause_and_resume(shop: Shop) -> None:
    shop.ship()
    shop.workspace.pause("digits", author="ann", now=shop.now(), because="maintenance")
    paused = shop.workspace.deployment("digits").paused
    assert paused is not None
    assert (paused.by, paused.why) == ("ann", "maintenance")
    shop.workspace.resume("digits", author="ann", now=shop.now())
    assert shop.workspace.deployment("digits").paused is None


def test_a_candidate_says_why_in_its_tag(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship(candidate=True)
    assert "\nCandidate: no\n" in git(shop.workspace.path, "cat-file", "-p", "digits/v1")
    assert "\nCandidate: asked for\n" in git(shop.workspace.path, "cat-file", "-p", "digits/v2")
    assert [version.candidate for version in shop.workspace.versions("digits")] == [False, True]
    assert shop.traffic() == {1: 100}


def test_numbers_are_never_used_twice(shop: Shop, git: Git) -> None:
    shop.ship()
    shop.ship(candidate=True)
    shop.workspace.delete_candidate("digits", 2, shop.started, author="ann", now=shop.now())
    assert [version.number for version in shop.workspace.versions("digits")] == [1]
    assert git(shop.workspace.path, "tag").split() == ["digits/v1"]
    assert shop.ship() == 3
    gone = shop.workspace.delete("digits", author="ann", now=shop.now())
    assert [version.number for version in gone.versions] == [1, 3]
    assert shop.workspace.deployments() == []
    assert git(shop.workspace.path, "tag") == ""
    with pytest.raises(NotFound, match="There is no deployment digits"):
        shop.workspace.record("digits")
    assert Workspace(shop.workspace.path).deployments() == []
    assert shop.ship() == 4
    shop.workspace.delete("digits", author="ann", now=shop.now())
    shop.workspace = Workspace(shop.workspace.path)
    assert shop.ship() == 5
    assert [version.number for version in shop.workspace.versions("digits")] == [5]


def test_a_new_life_begins_without_the_old_marks(shop: Shop) -> None:
    shop.ship()
    shop.ship()
    shop.rollback()
    shop.workspace.delete("digits", author="ann", now=shop.now())
    shop.ship()
    assert shop.traffic() == {3: 100}
    deployment = shop.workspace.deployment("digits")
    assert (deployment.bad, deployment.hold) == ({}, None)
    with pytest.raises(Refused, match="digits has only version 3; %cellship pause digits stops it"):
        shop.rollback()


def test_another_process_reads_the_same(shop: Shop) -> None:
    shop.ship()
    shop.ship("churn")
    shop.ship()
    shop.rollback()
    shop.ship(candidate=True)
    shop.ship(start="failed")
    for name in ("digits", "churn"):
        fresh = Workspace(shop.workspace.path).record(name)
        assert fresh == shop.workspace.record(name)
    assert shop.workspace.deployments() == ["churn", "digits"]


def test_what_another_process_wrote_is_read(shop: Shop) -> None:
    other = Workspace(shop.workspace.path)
    assert other.deployments() == []
    shop.ship()
    assert [version.number for version in other.versions("digits")] == [1]
    shop.ship()
    shop.rollback()
    assert other.record("digits") == shop.workspace.record("digits")


def test_bad_names_make_nothing(shop: Shop) -> None:
    head = shop.workspace.head()
    for name in ("../up", "a/b", "Churn Model", "x" * 300, ""):
        with pytest.raises(UsageProblem):
            shop.ship(name)
    assert shop.workspace.head() == head


def test_people_with_strange_names_can_ship(shop: Shop) -> None:
    for author in (
        "",
        "  ",
        "<>",
        "ann\nlee",
        "Zoë 模型",
        "a <b>",
        "…",
        "Ann <ann@x.org> <b@y>",
        "\ud800\0",
    ):
        shop.ship(author=author)
    assert all(version.author for version in shop.workspace.versions("digits"))


def test_strange_words_are_kept_as_far_as_they_can_be(shop: Shop, git: Git) -> None:
    shop.ship(message="a\0b\ud800c\x1b[31m\nCandidate: no", notebook="n\nSnapshot: x", digest="d")
    shop.ship()
    shop.rollback(because="\ud800 \0 \x85 why: |\n  - x")
    assert shop.workspace.versions("digits")[0].digest == "d"
    assert shop.workspace.versions("digits")[0].notebook == "n Snapshot: x"
    why = shop.workspace.deployment("digits").bad[2].why
    assert "why: |\n  - x" in why
    assert Workspace(shop.workspace.path).record("digits") == shop.workspace.record("digits")
    git(shop.workspace.path, "fsck", "--strict")


def test_a_clock_set_back_changes_no_order(shop: Shop) -> None:
    shop.ship()
    shop.clock = shop.clock.replace(year=2001)
    shop.ship()
    shop.rollback()
    shop.clock = shop.clock.replace(year=1999)
    shop.ship()
    assert shop.traffic() == {3: 100}
    assert [version.number for version in shop.workspace.versions("digits")] == [1, 2, 3]
    assert Workspace(shop.workspace.path).record("digits") == shop.workspace.record("digits")


def test_a_full_disk_is_a_sentence(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ship()
    head = shop.workspace.head()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Bare, "advance", full)
        with pytest.raises(CellshipError, match="disk of the data folder is full") as caught:
            shop.ship()
    assert caught.value.code == "workspace.disk-full"
    assert shop.workspace.head() == head
    assert shop.ship() == 2, "the tag of the version that never was made way"


def test_links_and_strange_names_are_refused(shop: Shop) -> None:
    folder = shop.snapshot()
    (folder / "link.py").symlink_to(folder / "source.py")
    with pytest.raises(Refused, match=r"link\.py cannot be part of it"):
        shop.ship(folder=folder)
    (folder / "link.py").unlink()
    (folder / "values" / ".gitattributes").write_text("* filter=evil\n")
    with pytest.raises(Refused, match="cannot be part of it"):
        shop.ship(folder=folder)


def test_large_files_must_be_in_the_store(shop: Shop) -> None:
    folder = shop.snapshot(**{f"values/buffers/{BUFFER}": b"12345"})
    with pytest.raises(Refused, match="is not in the store"):
        shop.ship(folder=folder)
    with pytest.raises(Refused, match="cannot be a large file"):
        shop.ship(folder=folder, blobs={"source.py": (OID, 5)})
    shop.ship(folder=folder, blobs={f"values/buffers/{BUFFER}": (OID, 5)})
    stored = shop.workspace.files("digits", 1)[f"values/buffers/{BUFFER}"]
    assert stored.decode() == (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 5\n"
    )


def test_a_lease_cannot_bring_settings_of_its_own(shop: Shop) -> None:
    shop.ship(
        folder=shop.snapshot(**{"deployment.yaml": "protect: true\n", "settings.yaml": "x: 1"})
    )
    assert not shop.workspace.deployment("digits").protect
    assert shop.workspace.versions("digits")[0].settings == {"entry": "predict"}


def test_a_diff_tells_and_shows(shop: Shop) -> None:
    shop.ship(body="return 1")
    shop.ship(body="return 2")
    found = shop.workspace.diff("digits", 1, 2)
    assert found.changed == ("predict, 1 line",)
    assert "--- digits@1/source.py\n+++ digits@2/source.py\n" in found.text
    assert "-    return 1\n+    return 2\n" in found.text
    with pytest.raises(NotFound, match="digits has no version 3"):
        shop.workspace.diff("digits", 1, 3)
