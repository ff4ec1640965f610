"""deployment.yaml and settings.yaml, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.deployment_yaml import BadFile, from_yaml, to_yaml
from cellship.backend.workspace.settings import check
from cellship.backend.workspace.settings import from_yaml as settings_from_yaml
from cellship.backend.workspace.settings import to_yaml as settings_to_yaml
from cellship.snapshot.errors import UsageProblem

# what `clean` leaves; files written by hand may hold more
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
times = st.datetimes().map(lambda time: f"{time.replace(microsecond=0).isoformat()}Z")
marks = st.builds(Mark, texts, times, texts)
by_number = st.dictionaries(st.integers(1, 300), marks, max_size=3)


@st.composite
def shares(draw: st.DrawFn) -> dict[int, int]:
    numbers = draw(st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True))
    first = draw(st.integers(1, 100 - len(numbers) + 1)) if len(numbers) > 1 else 100
    rest = 100 - first
    found = {numbers[0]: first}
    for at, number in enumerate(numbers[1:]):
        left = len(numbers) - 2 - at
        found[number] = draw(st.integers(1, rest - left)) if left else rest
        rest -= found[number]
    return found


deployments = st.builds(
    Deployment,
    traffic=st.none() | shares(),
    hold=st.none() | marks,
    bad=by_number,
    paused=st.none() | marks,
    deleted=by_number,
    protect=st.booleans(),
    replicas_min=st.integers(0, 3),
    replicas_max=st.integers(3, 9),
    access=st.sampled_from([None, "open", "token"]),
    keep=st.dictionaries(st.sampled_from(["versions", "days", "logs"]), st.integers(0, 90)),
    description=texts,
)


@given(deployments)
def test_what_is_written_is_read(deployment: Deployment) -> None:
    assert from_yaml(to_yaml(deployment)) == deployment


def test_a_fresh_deployment_is_one_setting() -> None:
    assert to_yaml(Deployment()) == "traffic:\n  latest: 100\n"
    assert from_yaml("") == Deployment()


def test_a_file_reads_well() -> None:
    by = Mark("ann", "2026-11-20T12:00:00Z", "wrong on empty rows")
    text = to_yaml(Deployment(traffic={7: 10, 6: 90}, bad={5: by}, replicas_max=2))
    assert text == (
        "traffic:\n  6: 90\n  7: 10\n"
        "bad:\n  5:\n    by: ann\n    at: '2026-11-20T12:00:00Z'\n    why: wrong on empty rows\n"
        "replicas:\n  min: 1\n  max: 2\n"
    )


def test_a_time_written_by_hand_may_lack_quotes() -> None:
    hold = from_yaml("hold: {by: ann, at: 2026-11-20}").hold
    assert hold == Mark("ann", "2026-11-20")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trafic: {latest: 100}", "unknown key trafic. Did you mean traffic?"),
        ("traffic: {latest: 50}", "traffic: the number of a version wanted, got latest"),
        ("traffic: {1: 50, 2: 40}", "traffic: shares that add up to 100 wanted, got 90"),
        ("traffic: {1: 150, 2: -50}", "traffic: a whole share from 0 to 100 wanted, got 150"),
        ("traffic: {1: 100.0}", "traffic: a whole share"),
        ("traffic: {true: 100}", "traffic: the number of a version wanted, got True"),
        ("traffic: 3", "traffic: `latest: 100`, or shares"),
        ("hold: ann", "hold: by, at and why wanted"),
        ("bad: {2: ann}", "bad 2: by, at and why wanted"),
        ("protect: 1", "protect: true or false wanted, got 1"),
        ("replicas: {min: 3, max: 1}", "replicas: min 3 is more than max 1"),
        ("replicas: -1", "replicas: a number from 0 wanted, got -1"),
        ("access: everybody", "access: open or token wanted, got everybody"),
        ("- 1", "keys and values wanted"),
        ("a: [", "not YAML"),
        ("!!python/object/apply:os.system [ls]", "not YAML"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(BadFile) as caught:
        from_yaml(text)
    assert told in caught.value.message


@pytest.mark.parametrize(("text", "both"), [("0", (0, 0)), ("4", (4, 4)), ("{max: 4}", (4, 4))])
def test_replicas_may_be_one_number(text: str, both: tuple[int, int]) -> None:
    found = from_yaml(f"replicas: {text}")
    assert (found.replicas_min, found.replicas_max) == both


def test_settings_are_compared_without_what_is_unset() -> None:
    one = check({"timeout": 60, "entry": "predict", "gpu": None, "env": {"B": "2", "A": "1"}})
    assert one == check({"entry": "predict", "env": {"A": "1", "B": "2"}, "timeout": 60})
    assert list(one) == ["entry", "env", "timeout"]
    assert settings_from_yaml(settings_to_yaml(one)) == one


def test_settings_survive_their_file() -> None:
    settings = {"entry": "m.predict", "methods": ("a", "b"), "env": {"X": "no"}, "secrets": ["Y"]}
    assert settings_from_yaml(settings_to_yaml(settings)) == check(settings)


def test_a_setting_that_no_version_has_is_refused() -> None:
    with pytest.raises(UsageProblem, match=r"no setting timout\. Did you mean timeout\?"):
        check({"entry": "predict", "timout": 3})
