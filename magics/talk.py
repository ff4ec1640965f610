"""`call`, `exec`, `logs`: asking an endpoint, a snapshot, a worker's output."""

from __future__ import annotations

import json
from typing import Any

import click

from cellship.magics import origin
from cellship.magics.calling import Endpoint, endpoint
from cellship.magics.grammar import Target, target, version_word
from cellship.magics.line import arguments as joined_arguments
from cellship.magics.line import split_python
from cellship.magics.log_lines import Follow, shown
from cellship.magics.params import TARGET
from cellship.magics.session import Session
from cellship.snapshot.errors import CellshipError, UsageProblem

AS_TYPED = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(context_settings=AS_TYPED)
@click.argument("name")
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@click.pass_obj
def call(session: Session, name: str, values: tuple[str, ...]) -> None:
    """Call an endpoint and print its answer as JSON.

    In a shell a value is JSON, else text; in a notebook it is a Python expression.

    \b
    Examples:
      cellship call churn row='[1, 2, 3]'
      %cellship call churn row=X[1600]
      cellship call churn@7 text=hello
    """
    asked, slash, method = name.partition("/")
    found: Endpoint = endpoint(session.client(), target(asked), method if slash else "")
    arguments = dict(argument(session, word) for word in values)
    session.out(json.dumps(found.ask(arguments), ensure_ascii=False))


@click.command("exec", context_settings=AS_TYPED)
@click.argument("name", type=TARGET)
@click.argument("expression", nargs=-1, required=True)
@click.pass_obj
def execute(session: Session, name: Target, expression: tuple[str, ...]) -> None:
    """Evaluate Python over the names of a version's snapshot, in a clean worker.

    \b
    Examples:
      cellship exec churn "model.n_features_in_"
      cellship exec churn@7 "predict([1, 2, 3])"
    """
    done = session.client().evaluate(name.name, name.version, " ".join(expression), origin.author())
    if done.output:
        session.surface.say(done.output.rstrip("\n"))
    if not done.ok:
        raise CellshipError(
            f"{name}: {done.error}", code="exec.raised", hint=done.traceback.rstrip("\n")
        )
    session.out(done.repr)


@click.command()
@click.argument("name", type=TARGET)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines.")
@click.option("--version", "version", metavar="VERSION", help="Of this version only.")
@click.option(
    "-n", "count", type=click.IntRange(1, 10_000), default=200, help="The newest N lines."
)
@click.option("--json", "json_", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def logs(
    session: Session, name: Target, follow: bool, version: str | None, count: int, json_: bool
) -> None:
    """What the workers of NAME printed.

    \b
    Examples:
      cellship logs churn -f
      cellship logs churn@7 -n 50
    """
    client = session.client()
    which = version_word(version) if version else name.version
    if follow:
        Follow(session, client, name.name, which, count, json_).run()
        return
    page = client.logs(name.name, version=which, limit=count)
    for line in shown(page.lines, json_):
        session.out(line)
    if not page.lines:
        session.say(f"{name} has printed nothing yet.")


def argument(session: Session, word: str) -> tuple[str, Any]:
    """`row=X[1600]` as a pair."""
    key, equals, text = word.partition("=")
    if not equals or not key.isidentifier():
        raise UsageProblem(
            f'"{word}" is no argument. Write KEY=VALUE: %cellship call NAME row=X[0]',
            code="call.argument",
        )
    return key, evaluated(session, text) if session.in_notebook else json_or_text(text)


def evaluated(session: Session, text: str) -> Any:
    try:
        return session.shell.ev(text)
    except Exception as error:
        raise UsageProblem(
            f"{text} cannot be evaluated: {type(error).__name__}: {error}", code="call.argument"
        ) from error


def json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def notebook_words(line: str) -> list[str] | None:
    """Words of `call` and `exec` in a notebook, where the rest of the line is Python; else None."""
    command, _, rest = line.strip().partition(" ")
    if command == "call":
        name, *values = split_python(rest) or [""]
        return [command, *([name] if name else []), *joined_arguments(values)]
    if command == "exec":
        name, _, expression = rest.strip().partition(" ")
        return [word for word in (command, name, expression.strip()) if word]
    return None


COMMANDS = (call, execute, logs)
