"""One line, from text to a command: splitting, parsing, and mistakes met half-way."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from cellship.magics import later
from cellship.magics.grammar import did_you_mean
from cellship.snapshot.errors import UsageProblem

ARGUMENT = re.compile(r"[^\W\d]\w*=(?!=)")
OPENING, CLOSING, QUOTES = "([{", ")]}", "'\""


def split(line: str) -> list[str]:
    """Words as a shell splits them."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageProblem(f"The line ends inside a quote: {line}", code="line.quote") from error


def split_python(line: str) -> list[str]:
    """Words of Python: a space inside brackets or quotes does not split, and quotes stay."""
    words, word, depth, quote = [], "", 0, ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote and not escaped(line, place) else quote
        elif sign in QUOTES:
            quote = sign
        else:
            depth += (sign in OPENING) - (sign in CLOSING)
        if sign.isspace() and not quote and depth <= 0:
            words.append(word)
            word = ""
        else:
            word += sign
    return [found for found in (*words, word) if found]


def arguments(words: Sequence[str]) -> list[str]:
    """Words of Python joined to one per argument: `n=len(X) + 1` has spaces and is one."""
    joined: list[str] = []
    for word in words:
        if joined and not ARGUMENT.match(word):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def escaped(line: str, place: int) -> bool:
    before = line[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def invoke(command: click.Command, words: Sequence[str], shown: str, obj: Any) -> Any:
    """Run a command on words; UsageProblem where they are not understood."""
    try:
        with command.make_context(shown, list(words), obj=obj) as context:
            return command.invoke(context)
    except click.exceptions.Exit:
        return None
    except click.UsageError as error:
        understand(error, shown)


def understand(error: click.UsageError, shown: str) -> NoReturn:
    """click's complaint in our words: what was wrong, the near miss, where the help is."""
    path = error.ctx.command_path if error.ctx is not None else shown
    if isinstance(error, click.NoSuchOption):
        raise unknown_option(error, path) from None
    message = error.format_message().replace("\n", " ")
    raise UsageProblem(message, code="line.usage", hint=f"{path} --help") from None


def unknown_option(error: click.NoSuchOption, path: str) -> UsageProblem:
    name = error.option_name
    if path.endswith("deploy") and name in later.DEPLOY_OPTIONS:
        return later.refuse_option(name, path)
    near = did_you_mean(name, options(error.ctx.command)) if error.ctx is not None else ""
    return UsageProblem(
        f"{path} has no option {name}. {near}".rstrip(), code="line.option", hint=f"{path} --help"
    )


def options(command: click.Command) -> list[str]:
    """All option names of a command that help shows."""
    return [
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
    ]
