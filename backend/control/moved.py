"""What moved, in the sentences of EXPERIENCE.md 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.names import version_name
from cellship.backend.workspace.traffic import live

Told = tuple[str, str]  # the sentence, and the line that takes it back


@dataclass(frozen=True)
class Seen:
    """A deployment at one moment: what git wants and who answers."""

    deployment: Deployment
    traffic: Mapping[int, int]


@dataclass(frozen=True)
class Moved:
    """One operation: before, after, and what it cost. `lost` is None where nobody counted."""

    name: str
    before: Seen
    after: Seen
    seconds: float
    lost: int | None
    in_effect: bool

    @property
    def live_after(self) -> int | None:
        return live(self.after.traffic)

    @property
    def left(self) -> list[int]:
        """Versions that answered before and answer no more."""
        return sorted(set(self.before.traffic) - set(self.after.traffic))

    @property
    def newly_bad(self) -> list[int]:
        return sorted(set(self.after.deployment.bad) - set(self.before.deployment.bad))

    def label(self, number: int | None) -> str:
        return version_name(self.name, number) if number else f"no version of {self.name}"

    def labels(self, numbers: list[int]) -> str:
        return " and ".join(self.label(number) for number in numbers)

    def answers_now(self) -> str:
        """`digits@1 answers now (0.09 s, 0 requests lost).`"""
        if not self.in_effect:
            return f"{self.label(self.live_after)} still answers; the change waits for its version."
        cost = f"{self.seconds:.2f} s"
        if self.lost is not None:
            cost += f", {self.lost} request{'' if self.lost == 1 else 's'} lost"
        return f"{self.label(self.live_after)} answers now ({cost})."


def told_rollback(moved: Moved) -> Told:
    if moved.before.traffic == moved.after.traffic and not moved.newly_bad:
        return f"{moved.label(moved.live_after)} answers already; nothing was moved.", ""
    said = [moved.answers_now()]
    if bad := moved.newly_bad:
        said.append(f"{moved.labels(bad)} {'is' if len(bad) == 1 else 'are'} marked bad.")
    back = live(moved.before.traffic)
    return " ".join(said), f"%cellship promote {moved.label(back)}" if back else ""


def told_promotion(moved: Moved) -> Told:
    if moved.before == moved.after:
        return f"{moved.label(moved.live_after)} answers all calls already.", ""
    back = live(moved.before.traffic)
    undo = f"%cellship promote {moved.label(back)}" if back and back != moved.live_after else ""
    if back and moved.live_after and back < moved.live_after:
        undo = f"%cellship rollback {moved.name}"
    return moved.answers_now(), undo


def told_split(moved: Moved) -> Told:
    shares = ", ".join(
        f"{moved.label(number)} {share} %" for number, share in sorted(moved.after.traffic.items())
    )
    back = live(moved.before.traffic)
    return f"Traffic: {shares}.", f"%cellship promote {moved.label(back)}" if back else ""


def told_pause(moved: Moved) -> Told:
    if moved.before.deployment.paused:
        return f"{moved.name} is paused already, {moved.before.deployment.paused}.", ""
    undo = f"%cellship resume {moved.name}"
    return f"{moved.name} is paused: callers get 503 and are told who paused it.", undo


def told_scale(moved: Moved) -> Told:
    before, after = moved.before.deployment.replicas_max, moved.after.deployment.replicas_max
    if before == after:
        return f"{moved.name} has {after} replicas already.", ""
    return f"{moved.name} has {after} replicas now, {before} before.", ""


def told_resume(moved: Moved) -> Told:
    before = moved.before.deployment
    if before.paused:
        said = f"{moved.label(moved.live_after)} answers again."
    elif before.hold:
        said = f"The hold on {moved.name} has ended; no traffic was moved."
    else:
        said = f"{moved.name} was neither paused nor held; nothing was changed."
    return said, f"%cellship pause {moved.name}" if before.paused else ""
