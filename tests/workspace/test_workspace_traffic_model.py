"""The rules of traffic against a model that remembers every move and decides anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.workspace.stories import Story

from cellship.snapshot.errors import CellshipError, Refused


@dataclass(frozen=True)
class Made:
    """A commit that made an ordinary version."""

    number: int


@dataclass(frozen=True)
class Numbers:
    """A commit that wrote traffic as numbers."""

    shares: dict[int, int]


@dataclass(frozen=True)
class Latest:
    """A commit that wrote `latest` and made nothing; versions up to `newest` existed."""

    newest: int


class Traffic(RuleBasedStateMachine):
    """Any order of operations, with first starts that end when they like."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.moves: list[Made | Numbers | Latest] = []
        self.candidates: set[int] = set()
        self.named: set[int] = set()
        self.bad: set[int] = set()
        self.deleted: set[int] = set()
        self.hold = False
        self.protected = False

    def good(self, number: int) -> bool:
        ordinary = number not in self.candidates
        return ordinary and number not in self.bad and self.story.started[number] == "ok"

    def answer(self, moves: list[Made | Numbers | Latest]) -> dict[int, int]:
        """What the design says, word for word: a version that did not start moved nothing."""
        if not moves:
            return {}
        last = moves[-1]
        if isinstance(last, Numbers):
            return last.shares
        if isinstance(last, Made) and self.story.started[last.number] != "ok":
            return self.answer(moves[:-1])
        newest = last.number if isinstance(last, Made) else last.newest
        found = [number for number in range(1, newest + 1) if self.good(number)]
        return {found[-1]: 100} if found else {}

    def existing(self) -> list[int]:
        return [number for number in self.story.started if number not in self.deleted]

    def ended_well(self, number: int) -> bool:
        return self.story.started.get(number) == "ok" and number not in self.deleted

    @rule(
        start=st.sampled_from(["ok", "ok", "pending", "failed"]),
        candidate=st.booleans(),
        how=st.sampled_from(["by hand", "run all", "push", "gate", "schedule"]),
    )
    def deploy(self, start: str, candidate: bool, how: str) -> None:
        bound = how == "schedule" or (self.hold and how in ("push", "gate"))
        number = self.story.deploy(start, candidate=candidate, how=how)
        if candidate or bound or self.protected:
            self.candidates.add(number)
        else:
            self.moves.append(Made(number))
            self.hold = False

    @rule(data=st.data(), result=st.sampled_from(["ok", "failed"]))
    def first_start_ends(self, data: st.DataObject, result: str) -> None:
        waiting = [number for number, how in self.story.started.items() if how == "pending"]
        if waiting:
            self.story.started[data.draw(st.sampled_from(waiting))] = result

    @rule()
    def rollback(self) -> None:
        answering = self.answer(self.moves)
        older = [
            number
            for number in self.existing()
            if answering
            and number < max(answering)
            and self.ended_well(number)
            and number not in self.bad
            and (number not in self.candidates or number in self.named)
        ]
        if not older:
            with pytest.raises(Refused) as caught:
                self.story.rollback()
            assert caught.value.code == "workspace.nothing-older"
            return
        self.story.rollback()
        target = max([number for number in older if number in answering] or older)
        self.moved_by_rollback(target, answering)
        assert target < max(answering), "never forward"

    @rule(number=st.integers(1, 12))
    def rollback_to(self, number: int) -> None:
        answering = self.answer(self.moves)
        if not self.ended_well(number):
            with pytest.raises(CellshipError):
                self.story.rollback(number)
            return
        self.story.rollback(number)
        if answering == {number: 100}:
            self.bad -= {number}
        else:
            self.moved_by_rollback(number, answering)

    def moved_by_rollback(self, target: int, answering: dict[int, int]) -> None:
        self.bad = (self.bad - {target}) | {number for number in answering if number > target}
        self.moves.append(Numbers({target: 100}))
        self.named.add(target)
        self.hold = True

    @rule(number=st.integers(1, 12))
    def promote(self, number: int) -> None:
        if not self.ended_well(number):
            with pytest.raises(CellshipError):
                self.story.promote(number)
            return
        if self.answer(self.moves) != {number: 100}:
            self.moves.append(Numbers({number: 100}))
            self.named.add(number)
        self.bad -= {number}
        self.hold = False
        self.story.promote(number)

    @rule(number=st.integers(1, 12), other=st.integers(1, 12), share=st.integers(1, 99))
    def split(self, number: int, other: int, share: int) -> None:
        shares = {number: share, other: 100 - share} if number != other else {number: 100}
        if not all(self.ended_well(one) and one not in self.bad for one in shares):
            with pytest.raises(CellshipError):
                self.story.split(shares)
            return
        self.story.split(shares)
        if self.moves[-1:] != [Numbers(shares)]:
            self.moves.append(Numbers(shares))
        self.named |= set(shares)
        self.hold = False

    @rule()
    def pause(self) -> None:
        self.story.pause()

    @rule()
    def resume(self) -> None:
        self.story.resume()
        self.hold = False

    @rule()
    def protect(self) -> None:
        self.protected = not self.protected
        self.story.edit(protect=self.protected)

    @rule(number=st.integers(1, 12))
    def discard(self, number: int) -> None:
        waiting = number in self.candidates and number not in self.named | self.deleted
        if not waiting:
            with pytest.raises(CellshipError):
                self.story.discard(number)
            return
        self.story.discard(number)
        self.deleted.add(number)

    @precondition(lambda self: self.story.deployment.traffic is not None)
    @rule()
    def push_latest(self) -> None:
        self.story.edit(traffic=None)
        self.moves.append(Latest(max([0, *self.story.started])))
        self.hold = False

    @rule(number=st.integers(1, 12))
    def push_a_mark(self, number: int) -> None:
        if number in self.existing():
            marks = {**self.story.deployment.bad, number: self.story.by()}
            self.story.edit(bad=marks)
            self.bad.add(number)

    @invariant()
    def the_same_versions_answer(self) -> None:
        assert self.story.answering() == self.answer(self.moves)

    @invariant()
    def shares_are_whole(self) -> None:
        answering = self.story.answering()
        assert not answering or sum(answering.values()) == 100
        assert all(self.ended_well(number) for number in answering)

    @invariant()
    def candidates_answer_only_when_named(self) -> None:
        assert not (self.candidates - self.named) & set(self.story.answering())

    @invariant()
    def the_hold_is_the_same(self) -> None:
        assert (self.story.deployment.hold is not None) == self.hold

    @invariant()
    def the_marks_are_the_same(self) -> None:
        assert set(self.story.deployment.bad) == self.bad


Traffic.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestTraffic = Traffic.TestCase
