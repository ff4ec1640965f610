"""Writers that are killed: afterwards nothing is half there, and nothing blocks the next one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.workspace.bare import BRANCH
from cellship.backend.workspace.repository import Workspace
from cellship.snapshot.errors import Refused

Shop = Any
Git = Callable[..., str]
WRITER = Path(__file__).with_name("writer_process.py")
STEPS = ("commit", "tag", "after-tag", "advance", "after-advance", "drop_tag", "lock")


def start(shop: Shop, name: str, rounds: int, *fault: str) -> subprocess.Popen[str]:
    arguments = [str(shop.workspace.path), str(shop.snapshot()), name, str(rounds), *fault]
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(WRITER), *arguments], stdout=subprocess.PIPE, text=True
    )


def told(lines: Iterator[str]) -> tuple[list[int], set[int]]:
    """(made, deleted) as the process was told that they are done."""
    words = [line.split() for line in lines]
    made = [int(line[1]) for line in words if line[0] == "made"]
    return made, {int(line[1]) for line in words if line[0] == "deleted"}


def check(shop: Shop, git: Git, name: str, made: list[int], deleted: set[int]) -> None:
    """What a service does after a crash, and what must then be true."""
    path = shop.workspace.path
    workspace = Workspace(path)
    workspace.create()
    assert git(path, "fsck", "--strict", "--no-dangling") == ""
    record = workspace.record(name)
    numbers = [version.number for version in record.versions]
    assert set(made) - deleted <= set(numbers) | set(record.deployment.deleted)
    assert not deleted & set(numbers)
    tags = {tag for tag in git(path, "tag").split() if tag.startswith(f"{name}/")}
    assert tags == {f"{name}/v{number}" for number in numbers}
    for number in numbers:
        assert "source.py" in workspace.files(name, number)
    assert not list(path.rglob("*.lock")) or [path / "cellship.lock"] == list(path.rglob("*.lock"))
    assert not list((path / "objects").glob("tmp_*"))
    shop.workspace = workspace
    following = shop.ship(name)
    assert following > max([*made, *numbers])


@pytest.mark.parametrize("at", ["1", "4"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(shop: Shop, git: Git, step: str, at: str) -> None:
    shop.ship()
    process = start(shop, "digits", 9, step, at)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -9
    made, deleted = told(iter(output.splitlines()))
    check(shop, git, "digits", [1, *made], deleted)


@pytest.mark.parametrize("after", [1, 2, 5, 9, 14])
def test_killed_somewhere(shop: Shop, git: Git, after: int) -> None:
    shop.ship()
    process = start(shop, "digits", 1000)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    process.kill()
    rest, _ = process.communicate(timeout=60)
    made, deleted = told(iter([*lines, *rest.splitlines()]))
    check(shop, git, "digits", [1, *made], deleted)


def test_an_interrupted_begin_is_completed(tmp_path: Path, git: Git) -> None:
    path = tmp_path / "workspace.git"
    path.mkdir()
    (path / "HEAD").write_text("ref: refs/heads/main\n")
    workspace = Workspace(path)
    workspace.create()
    assert workspace.deployments() == []
    git(path, "fsck", "--strict")


def test_the_lock_of_a_live_git_is_respected(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ship()
    lock = shop.workspace.path / f"{BRANCH}.lock"
    lock.write_text("")
    monkeypatch.setattr("cellship.backend.workspace.bare.PATIENCE", 0.1)
    with pytest.raises(Refused) as caught:
        shop.ship()
    assert caught.value.code == "workspace.busy"
    assert lock.exists()
    monkeypatch.setattr("cellship.backend.workspace.bare.STALE_AFTER", 0)
    assert shop.ship() == 2, "old enough to be left over"
    assert not lock.exists()


def test_threads_get_numbers_in_the_order_of_commits(shop: Shop, git: Git) -> None:
    folders = [shop.snapshot(f"return {number}") for number in range(12)]
    others = [Workspace(shop.workspace.path), shop.workspace]

    def ship(at: int) -> int:
        return others[at % 2].commit_version(
            "digits", folders[at], {}, {}, f"author {at}", "", candidate=False, now=shop.clock
        )

    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(ship, range(12)))
    assert sorted(numbers) == list(range(1, 13))
    subjects = git(shop.workspace.path, "log", "--reverse", "--format=%s", "main").splitlines()[1:]
    assert [line.partition(":")[0] for line in subjects] == [f"digits@{n}" for n in range(1, 13)]
    assert others[0].record("digits") == shop.workspace.record("digits")
    by_author = {version.author: version.number for version in shop.workspace.versions("digits")}
    assert by_author == {f"author {at}": number for at, number in enumerate(numbers)}


def test_processes_take_turns(shop: Shop, git: Git) -> None:
    processes = [start(shop, "digits", 6) for _ in range(3)]
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    made = [number for output in outputs for number in told(iter(output.splitlines()))[0]]
    assert sorted(made) == list(range(1, 19)), "each number once"
    deleted = {number for output in outputs for number in told(iter(output.splitlines()))[1]}
    check(shop, git, "digits", made, deleted)


def test_readers_see_whole_versions_while_others_write(shop: Shop) -> None:
    shop.ship()
    with start(shop, "digits", 12) as process:
        while process.poll() is None:
            record = shop.workspace.record("digits")
            numbers = [version.number for version in record.versions]
            assert numbers == sorted(set(numbers))
            served = [version.number for version in record.versions if not version.candidate]
            assert "source.py" in shop.workspace.files("digits", served[-1])
    assert process.returncode == 0
    assert len(shop.workspace.versions("digits")) == 9
