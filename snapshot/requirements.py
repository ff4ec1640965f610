"""Read the requirements file that `--packages FILE` names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from cellship.snapshot.closure import holds
from cellship.snapshot.distributions import Installed
from cellship.snapshot.errors import CaptureRefused

COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True)
class Asked:
    """One line of the file that holds here."""

    requirement: Requirement
    where: str  # "requirements.txt line 3"


def asked_for(file: Path) -> list[Asked]:
    """The requirements in `file` and in the files it includes. Raises CaptureRefused."""
    return [asked for asked in _read(file, set()) if holds(asked.requirement)]


def check_installed(asked: list[Asked], installed: Installed) -> None:
    """Raises CaptureRefused if a requirement is not met by what is installed."""
    for one in asked:
        found = installed.get(one.requirement.name)
        if found is None:
            raise _not_met(one, f"{one.requirement.name} is not installed here")
        if not one.requirement.specifier.contains(found.version, prereleases=True):
            raise _not_met(one, f"{found.shown} {found.version} is installed here")


def _not_met(one: Asked, what: str) -> CaptureRefused:
    return CaptureRefused(
        f"{one.where} asks for {one.requirement}; {what}.",
        code="capture.package-not-installed",
        hint=f'%pip install "{one.requirement}" or change that line.',
    )


def _read(file: Path, seen: set[Path]) -> Iterator[Asked]:
    if file.resolve() in seen:
        return
    seen.add(file.resolve())
    for number, line in enumerate(_lines(file), 1):
        where = f"{file.name} line {number}"
        if line.startswith(("-r", "--requirement")):
            yield from _read(file.parent / re.sub(r"^(-r|--requirement)[\s=]*", "", line), seen)
        elif line and not line.startswith("-"):  # options name indexes, and none is asked here
            yield Asked(_parse(line, where), where)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureRefused(
            f"--packages {file}: {getattr(error, 'strerror', None) or 'not a text file'}.",
            code="capture.packages-file",
            hint="Name a requirements file, or one of the words closure and all.",
        ) from error
    return [COMMENT.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]


def _parse(line: str, where: str) -> Requirement:
    try:
        return Requirement(re.split(r"\s--", line)[0].strip())
    except InvalidRequirement as error:
        raise CaptureRefused(
            f"{where} is not understood: {line}",
            code="capture.packages-file",
            hint="A line names an installed package: scikit-learn==1.9.1",
        ) from error
