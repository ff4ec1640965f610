"""The one command tree: `cellship …` in a shell, `%cellship …` in a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from cellship.magics import later, look, move, service, talk
from cellship.magics.grammar import did_you_mean
from cellship.magics.guard import defect
from cellship.magics.line import invoke, split
from cellship.magics.session import Session
from cellship.magics.view import Message
from cellship.snapshot.errors import CellshipError, NoBackend, UsageProblem

MOST_USED = (
    ("deployments", "what is there"),
    ("versions NAME", "its history"),
    ("logs NAME", "what its workers printed"),
    ("rollback NAME", "back to the version before"),
    ("watch NAME", "who answers, second by second"),
)
MODULES = (service, look, talk, move)


class Tree(click.Group):
    """The group of all commands; a word that is none of them is met half-way."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in self.commands and not word.startswith("-"):
            raise unknown_command(word, self.commands, ctx.command_path)
        return super().resolve_command(ctx, args)


def unknown_command(word: str, known: Iterable[str], path: str) -> UsageProblem:
    if word in later.MAGICS:
        return later.refuse_magic(word)
    if word in later.COMMANDS:
        return later.refuse_command(word)
    if word in ("deploy", "%%deploy", "%deploy"):
        return UsageProblem(
            "A deploy ships what a notebook holds: write %%deploy NAME on a cell with a function.",
            code="line.no-notebook",
        )
    near = did_you_mean(word, known)
    return UsageProblem(
        f"There is no command {word}. {near}".rstrip(), code="line.command", hint=f"{path} --help"
    )


COMPLETION = (
    'Completion in a shell: eval "$(_CELLSHIP_COMPLETE=bash_source cellship)" (or zsh, fish).'
)


@click.group(cls=Tree, invoke_without_command=True, epilog=COMPLETION)
@click.option("--data", type=click.Path(path_type=Path), help="The data folder of the service.")
@click.version_option(package_name="cellship", message="cellship %(version)s")
@click.pass_context
def tree(context: click.Context, data: Path | None) -> None:
    """A notebook cell becomes a live, versioned endpoint; take any of it back."""
    session = context.find_object(Session)
    assert session is not None
    session.data = data or session.data
    if context.invoked_subcommand is None:
        first_look(session, context.command_path)


for module in MODULES:
    for command in module.COMMANDS:
        tree.add_command(command)


def first_look(session: Session, path: str) -> None:
    """What is live, and the five most used commands."""
    try:
        live = look.deployments_table(session.client().deployments()).text()
    except NoBackend:
        live = f"Cellship is not running. Start it: {path} up"
    width = max(len(words) for words, _ in MOST_USED)
    lines = [f"  {path} {words.ljust(width)}  {meaning}" for words, meaning in MOST_USED]
    session.show(Message("\n".join([live, "", *lines, f"  {path} --help"])))


def notebook_line(session: Session, line: str) -> None:
    """`%cellship …`. Raises CellshipError."""
    words = talk.notebook_words(line)
    invoke(tree, split(line) if words is None else words, "%cellship", session)


def main() -> None:
    """The `cellship` command."""
    session = Session()
    if "_CELLSHIP_COMPLETE" in os.environ:
        tree.main(prog_name="cellship", obj=session)
    sys.exit(exit_code(session, lambda: invoke(tree, sys.argv[1:], "cellship", session)))


def exit_code(session: Session, action: Callable[[], object]) -> int:
    """Run it; a failure is told on stderr (DESIGN.md 12 has the codes)."""
    try:
        action()
    except CellshipError as error:
        session.say("\n".join(error._render_traceback_()))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        session.say("\n".join(defect(error)._render_traceback_()))
        return 1
    return 0
