"""Who answers, and where a rollback goes."""

from __future__ import annotations

import pytest
from tests.workspace.stories import Story

from cellship.backend.workspace import traffic
from cellship.snapshot.errors import CellshipError, NotFound, Refused, UsageProblem


def deployed(*starts: str) -> Story:
    story = Story()
    for start in starts:
        story.deploy(start)
    return story


def test_nothing_answers_before_the_first_version_has_started() -> None:
    assert deployed("pending").answering() == {}
    assert deployed("failed").answering() == {}
    assert deployed("ok").answering() == {1: 100}


def test_the_newest_version_that_started_answers() -> None:
    story = deployed("ok", "ok", "pending")
    assert story.answering() == {2: 100}
    story.started[3] = "ok"
    assert story.answering() == {3: 100}


def test_what_answered_goes_on_for_good_when_a_version_fails() -> None:
    story = deployed("ok", "ok", "ok")
    story.rollback(1)
    story.deploy("pending")
    assert story.answering() == {1: 100}, "neither 3, marked bad, nor 2, which never was asked for"
    story.started[4] = "failed"
    assert story.answering() == {1: 100}
    story.deploy("failed")
    assert story.answering() == {1: 100}
    story.deploy("ok")
    assert story.answering() == {6: 100}


def test_a_split_goes_on_until_the_new_version_has_started() -> None:
    story = deployed("ok", "ok")
    story.split({1: 90, 2: 10})
    story.deploy("pending")
    assert story.answering() == {1: 90, 2: 10}
    story.started[3] = "ok"
    assert story.answering() == {3: 100}


def test_a_candidate_gets_no_traffic_by_itself() -> None:
    story = deployed("ok")
    story.deploy(candidate=True)
    assert story.answering() == {1: 100}
    assert Story().answering() == {}
    story.promote(2)
    assert story.answering() == {2: 100}
    assert story.deployment.traffic == {2: 100}


def test_a_first_version_may_be_a_candidate() -> None:
    story = Story()
    story.deploy(candidate=True)
    assert story.answering() == {}
    story.promote(1)
    assert story.answering() == {1: 100}


def test_a_version_marked_bad_by_an_edit_loses_latest() -> None:
    story = deployed("ok", "ok", "ok")
    story.edit(bad={3: story.by()})
    assert story.answering() == {2: 100}


def test_an_edit_back_to_latest_forgets_the_numbers() -> None:
    story = deployed("ok", "ok", "ok")
    story.split({1: 100})
    story.deploy("failed")
    story.split({2: 100})
    story.edit(traffic=None)
    assert story.answering() == {3: 100}


def test_a_revert_of_a_rollback_undoes_it() -> None:
    story = deployed("ok", "ok")
    before = story.deployment
    story.rollback()
    assert story.answering() == {1: 100}
    story.commit(before)
    assert story.answering() == {2: 100}
    assert story.deployment.hold is None
    assert story.deployment.bad == {}


def test_rollback_goes_further_back_and_never_forward() -> None:
    story = deployed("ok", "ok", "failed", "ok")
    story.rollback()
    assert story.answering() == {2: 100}
    story.rollback()
    assert story.answering() == {1: 100}
    assert set(story.deployment.bad) == {4, 2}
    with pytest.raises(Refused) as caught:
        story.rollback()
    assert (
        caught.value.message
        == "digits@1 is the oldest version of digits; %cellship pause digits stops it."
    )


def test_rollback_of_the_only_version_says_what_stops_it() -> None:
    with pytest.raises(Refused) as caught:
        deployed("ok").rollback()
    assert caught.value.message == "digits has only version 1; %cellship pause digits stops it."


def test_rollback_says_why_older_versions_do_not_do() -> None:
    story = deployed("ok", "failed")
    story.deploy(candidate=True)
    story.deploy()
    story.edit(bad={1: story.by()})
    with pytest.raises(Refused) as caught:
        story.rollback()
    assert caught.value.message == (
        "Nothing older than digits@4 can answer: digits@3 is a candidate that never served, "
        "digits@2 did not start, digits@1 is marked bad; %cellship pause digits stops it."
    )


def test_rollback_with_nothing_answering() -> None:
    with pytest.raises(Refused, match="No version of digits answers"):
        deployed("failed").rollback()


def test_a_deploy_after_a_rollback_skips_what_was_rolled_away_from() -> None:
    story = deployed("ok", "ok")
    story.rollback()
    story.deploy()
    assert story.answering() == {3: 100}
    assert story.previous() == 1
    story.rollback()
    assert story.answering() == {1: 100}
    assert set(story.deployment.bad) == {2, 3}


def test_a_promotion_takes_the_mark_off_and_undoes_a_rollback() -> None:
    story = deployed("ok", "ok")
    story.rollback(because="wrong digits")
    assert str(story.deployment.bad[2]) == "by ann, 2026-11-20 12:00 UTC: wrong digits"
    story.promote(2)
    assert story.answering() == {2: 100}
    assert story.deployment.bad == {}
    assert story.deployment.hold is None
    assert story.previous() == 1


def test_a_promoted_candidate_can_be_rolled_back_to() -> None:
    story = deployed("ok")
    story.deploy(candidate=True)
    story.promote(2)
    story.deploy()
    assert story.previous() == 2


def test_a_rollback_of_a_canary_leaves_the_others() -> None:
    story = deployed("ok", "ok", "ok", "ok")
    story.split({2: 90, 4: 10})
    assert story.previous() == 2, "what answers beside it, before 3, which answers no more"
    story.rollback()
    assert story.answering() == {2: 100}
    assert set(story.deployment.bad) == {4}


def test_a_rollback_to_a_named_version() -> None:
    story = deployed("ok", "ok", "ok")
    story.rollback(1)
    assert story.answering() == {1: 100}
    assert set(story.deployment.bad) == {3}
    story.rollback(3)
    assert story.answering() == {3: 100}
    assert story.deployment.bad == {}, "named, so its mark comes off; 1 was not rolled away from"


def test_a_named_rollback_can_be_repeated() -> None:
    story = deployed("ok", "ok")
    story.rollback(1)
    after = story.deployment
    story.rollback(1)
    assert story.deployment == after


@pytest.mark.parametrize("move", ["rollback", "promote"])
def test_only_what_started_can_be_named(move: str) -> None:
    story = deployed("ok", "failed", "pending", "ok")
    go = getattr(story, move)
    with pytest.raises(Refused, match=r"digits@2 did not start; it cannot answer\."):
        go(2)
    with pytest.raises(Refused, match="digits@3 is still starting"):
        go(3)
    with pytest.raises(NotFound, match=r"digits has no version 7\. It has versions 1 to 4\."):
        go(7)


def test_a_hold_binds_what_no_person_ships() -> None:
    story = deployed("ok", "ok")
    story.rollback()
    for how in ("gate", "push", "schedule"):
        story.deploy(how=how)
        assert story.answering() == {1: 100}
        assert story.record.versions[-1].candidate
    story.deploy(how="run all")
    assert story.answering() == {6: 100}
    assert story.deployment.hold is None


def test_pushed_versions_move_traffic_without_a_hold() -> None:
    story = deployed("ok")
    story.deploy(how="push")
    assert story.answering() == {2: 100}


def test_a_scheduled_run_and_a_protected_deployment_make_candidates() -> None:
    story = deployed("ok")
    story.deploy(how="schedule")
    assert story.answering() == {1: 100}
    story.edit(protect=True)
    story.deploy()
    assert story.answering() == {1: 100}


def test_resume_ends_a_hold_and_moves_nothing() -> None:
    story = deployed("ok", "ok")
    story.rollback()
    story.pause()
    assert story.deployment.paused is not None
    story.resume()
    assert (story.deployment.hold, story.deployment.paused) == (None, None)
    assert story.answering() == {1: 100}


def test_a_pause_keeps_traffic_and_the_first_who_paused() -> None:
    story = deployed("ok")
    story.pause()
    first = story.deployment.paused
    story.pause()
    assert story.deployment.paused == first
    story.deploy()
    assert story.deployment.paused == first, "a deploy does not end a pause"
    assert story.answering() == {2: 100}


def test_an_edit_of_traffic_ends_a_hold_for_good() -> None:
    story = deployed("ok", "ok")
    story.rollback()
    hold = story.deployment.hold
    story.edit(traffic={2: 100}, hold=hold)
    assert story.deployment.hold is None
    story.edit(description="other words", hold=hold)
    assert story.deployment.hold is None, "the file still has it, and it stays ended"
    story.rollback()
    assert story.deployment.hold is not None


def test_two_rollbacks_in_the_same_second_hold() -> None:
    story = deployed("ok", "ok", "ok")
    story.rollback()
    story.commits -= 1
    story.rollback()
    assert story.answering() == {1: 100}
    assert story.deployment.hold is not None


def test_shares_must_add_up_and_name_good_versions() -> None:
    story = deployed("ok", "ok", "failed")
    with pytest.raises(UsageProblem, match="these add up to 90"):
        story.split({1: 90})
    with pytest.raises(UsageProblem):
        story.split({1: 150, 2: -50})
    with pytest.raises(Refused, match="did not start"):
        story.split({1: 50, 3: 50})
    story.rollback(1)
    with pytest.raises(Refused, match="digits@2 is marked bad by ann"):
        story.split({1: 50, 2: 50})
    story.split({1: 100, 3: 0})
    assert story.deployment.traffic == {1: 100}
    assert story.deployment.hold is None


def test_only_a_waiting_candidate_is_deleted_alone() -> None:
    story = deployed("ok")
    story.deploy(candidate=True)
    story.deploy(candidate=True)
    story.discard(2)
    assert [version.number for version in story.record.versions] == [1, 3]
    story.promote(3)
    for number in (1, 3):
        with pytest.raises(Refused, match="is not a waiting candidate"):
            story.discard(number)
    with pytest.raises(CellshipError, match="has no version 2"):
        story.discard(2)


def same(story: Story, digest: str) -> int | None:
    found = traffic.equal_to_newest(
        story.deployment, story.record.versions, story.started, digest, {}
    )
    return found.number if found else None


def bad(story: Story, digest: str) -> int | None:
    found = traffic.equal_to_bad(story.deployment, story.record.versions, digest, {})
    return found.number if found else None


def test_the_newest_version_is_not_shipped_twice_while_it_answers_alone() -> None:
    story = Story()
    story.deploy(digest="a")
    story.deploy(digest="b")
    assert same(story, "b") == 2
    assert same(story, "a") is None, "equal to an older one: a new version"
    story.deploy(digest="c", candidate=True)
    assert same(story, "b") == 2
    assert same(story, "c") is None, "a candidate is not what answers"
    story.split({1: 50, 2: 50})
    assert same(story, "b") is None


def test_a_version_that_failed_is_shipped_again() -> None:
    story = Story()
    story.deploy(digest="a")
    story.deploy("failed", digest="b")
    assert same(story, "b") is None


def test_what_is_marked_bad_is_not_shipped_again() -> None:
    story = Story()
    story.deploy(digest="a")
    story.deploy(digest="b")
    story.rollback()
    assert bad(story, "b") == 2
    assert bad(story, "a") is None
    assert same(story, "a") is None, "the newest ordinary version is 2"
    story.promote(2)
    assert bad(story, "b") is None


def test_live_is_the_largest_share_and_of_equals_the_newest() -> None:
    assert traffic.live({1: 90, 2: 10}) == 1
    assert traffic.live({1: 50, 2: 50}) == 2
    assert traffic.live({}) is None
