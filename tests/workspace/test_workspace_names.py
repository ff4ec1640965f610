"""Names of deployments, and words for versions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.workspace.stories import version

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.names import NAME, check_name, no_deployment, suggest
from cellship.backend.workspace.versions import (
    VersionFacts,
    one_line,
    read_tag_message,
    tag_message,
)
from cellship.backend.workspace.words import find_version, split_name
from cellship.snapshot.errors import NotFound, UsageProblem


@pytest.mark.parametrize("name", ["a", "7", "churn", "churn-model-2", "a" * 63])
def test_a_name_that_can_be_one_is_returned(name: str) -> None:
    assert check_name(name) == name


def test_a_refused_name_comes_with_a_suggestion() -> None:
    with pytest.raises(UsageProblem) as caught:
        check_name("Churn Model")
    assert caught.value.message == '"Churn Model" cannot be a name. Try churn-model.'


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "..",
        "../etc",
        "-a",
        "a-",
        "a_b",
        "ÄÖ",
        "模型",
        "a" * 64,
        "x" * 300,
        "a\nb",
        "a.lock",
    ],
)
def test_what_is_no_folder_ref_or_label_is_refused(name: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_name(name)
    assert len(caught.value.message) < 200
    assert "\n" not in caught.value.message


@given(st.text(max_size=400))
def test_a_suggestion_is_a_name_or_nothing(text: str) -> None:
    suggestion = suggest(text)
    assert suggestion == "" or re.fullmatch(NAME, suggestion)


def test_an_unknown_deployment_names_the_nearest() -> None:
    assert no_deployment("digit", ["digits", "churn"]).message == (
        "There is no deployment digit. Did you mean digits?"
    )
    assert no_deployment("digit", []).message == (
        "There is no deployment digit. Nothing is deployed yet."
    )


def test_name_and_version_are_told_apart() -> None:
    assert split_name("churn@7") == ("churn", "7")
    assert split_name("churn") == ("churn", None)
    with pytest.raises(UsageProblem):
        split_name("churn@")


VERSIONS = [version(1), version(2), version(3, candidate=True), version(4)]
STARTED = {1: "ok", 2: "ok", 3: "ok", 4: "failed"}


def find(word: str) -> int:
    return find_version("churn", word, Deployment(), VERSIONS, STARTED, {2: 100})


@pytest.mark.parametrize(
    ("word", "number"),
    [
        *(("3", 3), ("v3", 3), ("churn@3", 3), ("churn@v3", 3), ("live", 2), ("churn@live", 2)),
        *(("previous", 1), ("latest", 2), (" latest ", 2), ("4", 4)),
    ],
)
def test_words_for_versions(word: str, number: int) -> None:
    assert find(word) == number


@pytest.mark.parametrize(
    ("word", "kind", "told"),
    [
        ("lates", UsageProblem, '"lates" is no version of churn. Did you mean latest?'),
        ("9", NotFound, "churn has no version 9. It has versions 1 to 4."),
        ("0", NotFound, "churn has no version 0. It has versions 1 to 4."),
        ("other@3", UsageProblem, '"other@3" is a version of other, not of churn.'),
        ("", UsageProblem, '"" is no version of churn.'),
        ("-1", UsageProblem, '"-1" is no version of churn.'),
        ("٣", UsageProblem, '"٣" is no version of churn.'),
    ],
)
def test_words_that_mean_none(word: str, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as caught:
        find(word)
    assert getattr(caught.value, "message", "") == told


def test_words_for_what_nothing_is() -> None:
    nothing = Deployment(bad={1: Mark("ann", "2026-11-20T12:00:00Z")})
    with pytest.raises(NotFound, match="No version of churn answers"):
        find_version("churn", "live", nothing, [version(1)], {1: "ok"}, {})
    with pytest.raises(NotFound, match="has no version to roll back to"):
        find_version("churn", "previous", nothing, [version(1)], {1: "ok"}, {})
    with pytest.raises(NotFound, match="no good version"):
        find_version("churn", "latest", nothing, [version(1)], {1: "ok"}, {})


@given(
    st.builds(
        VersionFacts,
        digest=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        candidate_because=st.sampled_from(["", "asked for", "hold by ann: no\nCandidate: no"]),
        notebook=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30),
        cell=st.none() | st.integers(0, 10**6),
        how=st.sampled_from(["", "by hand", "run all"]),
        bytes_moved=st.integers(0, 10**12),
    ),
    st.text(max_size=80),
)
def test_the_message_of_a_tag_says_what_it_was_given(facts: VersionFacts, subject: str) -> None:
    read = read_tag_message(tag_message(f"churn@7: {subject}", facts))
    assert read is not None
    found = read[1]
    assert found.candidate_because == " ".join(facts.candidate_because.split())
    assert found.notebook == one_line(facts.notebook)
    assert (found.digest, found.cell, found.how) == (facts.digest, facts.cell, facts.how)
    assert found.bytes_moved == facts.bytes_moved


def test_a_tag_of_somebody_else_is_no_version() -> None:
    assert read_tag_message("release\n\nnothing of ours\n") is None
