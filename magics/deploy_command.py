"""`%%deploy` and `%deploy`: the line, then the cell in the kernel, then the shipping."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import click

from cellship.magics import entry as entries
from cellship.magics.deployed import Deployed, Plan
from cellship.magics.grammar import check_name
from cellship.magics.line import invoke, split
from cellship.magics.order import Order
from cellship.magics.params import as_json
from cellship.magics.progress import Progress
from cellship.magics.session import Session
from cellship.magics.ship import ship
from cellship.magics.users_error import shown_as_the_users
from cellship.snapshot.errors import UsageProblem

EXAMPLES = """\b
Examples:
  %%deploy churn                       ship the function of this cell
  %%deploy churn --plan                say what would ship, and keep nothing
  %%deploy churn --traffic 0           make a candidate that waits for promotion
  %deploy churn --entry model.predict  ship something that exists
"""


def replicas(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    if value is None or value in (0, 1):
        return value
    raise UsageProblem(
        f"--replicas {value} does not exist yet: a version has one process, or none (0).",
        code="line.not-yet",
    )


def only_zero(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    if value in (None, 0):
        return value
    raise UsageProblem(
        f"--traffic {value} does not exist here: a deploy takes all traffic, or none (0).",
        code="line.shares",
        hint="Split it afterwards: %cellship traffic NAME 6=90 7=10",
    )


def packages(context: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None or value == "all":
        return value or "closure"
    if not Path(value).is_file():
        raise UsageProblem(
            f'--packages wants "all" or a requirements file; there is no file {value}.',
            code="line.packages",
        )
    return value


def variable(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None or value.isidentifier():
        return value
    raise UsageProblem(f'-o wants the name of a variable, not "{value}".', code="line.variable")


@click.command("deploy", epilog=EXAMPLES)
@click.argument("name", nargs=-1)
@click.option("--entry", help="What is called: predict, model.predict.")
@click.option("--packages", callback=packages, metavar="all|FILE", help="Ship these packages.")
@click.option("--file", "files", multiple=True, metavar="PATH", help="Ship this file too.")
@click.option("--no-file", "no_files", multiple=True, metavar="PATH", help="Leave this file out.")
@click.option("--replicas", type=int, callback=replicas, help="0: stored, and no process runs.")
@click.option("--traffic", type=int, callback=only_zero, help="0: a candidate without traffic.")
@click.option("--message", "-m", default="", help="What changed, for the list of versions.")
@click.option("--because", default="", help="Why, for the list of versions.")
@click.option("--tolerance", type=click.FloatRange(min=0), help="How far floats may differ.")
@click.option("--no-example-run", is_flag=True, help="Do not call the examples in the worker.")
@click.option("-o", "variable", callback=variable, metavar="VAR", help="Keep the result in VAR.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing on success.")
@click.option("--plan", is_flag=True, help="Say what would ship and why; keep nothing.")
@click.option("--json", "json_", is_flag=True, help="Print the result as JSON.")
def deploy_command(**options: Any) -> dict[str, Any]:
    """Ship the function of this cell as the endpoint NAME."""
    return options


def deploy_line(session: Session, line: str, cell: str | None) -> None:
    """Run `%%deploy` (with a cell) or `%deploy` (None), and show the result."""
    magic = "%deploy" if cell is None else "%%deploy"
    options = invoke(deploy_command, split(line), magic, session)
    if options is None:  # --help was asked for
        return
    result = deploy(session, magic, cell, options)
    if options["variable"]:
        session.namespace[options["variable"]] = result
    if options["json_"]:
        session.surface.erase()
        session.out(as_json(result.data()))
    elif options["quiet"]:
        session.surface.erase()
    else:
        session.show(result)


def deploy(
    session: Session, magic: str, cell: str | None, options: dict[str, Any]
) -> Deployed | Plan:
    """Run the cell, then ship. All that is wrong with the line is said before the cell runs."""
    name = one_name(options["name"], magic)
    if session.shell is None or session.record is None:
        raise UsageProblem(
            "A deploy ships what a notebook or IPython holds; a script has no cells.",
            code="line.no-notebook",
            hint="In a notebook: %load_ext cellship, then %%deploy NAME on a cell.",
        )
    entry = choose_entry(session, name, options["entry"], cell)
    with Progress(session.surface, name) as progress:
        if cell is not None:
            progress.step("running the cell")
            run_cell(session, cell)
        entries.check_callable(entry.expression, session.namespace)
        return ship(order_of(name, entry, magic, cell or "", options), session, progress)


def run_cell(session: Session, cell: str) -> None:
    """Run the body as a cell of its own, and show the value of its last line as any cell does."""
    with shown_as_the_users(session.shell):
        value = session.record.run(session.shell, cell)
        if value is not None:
            session.shell.displayhook(value)


def one_name(words: tuple[str, ...], magic: str) -> str:
    if not words:
        raise UsageProblem(f"A name is missing: {magic} churn", code="line.name")
    return check_name(" ".join(words))


def choose_entry(
    session: Session, name: str, option: str | None, cell: str | None
) -> entries.Entry:
    """The entry, before anything runs."""
    if cell is None:
        refuse_line_above_definition(session, name, option)
        return entries.of_name(name, option, named_objects(session))
    return entries.of_cell(session.shell.transform_cell(cell), name, option)


def named_objects(session: Session) -> list[str]:
    return [name for name in session.namespace if not name.startswith("_")]


def refuse_line_above_definition(session: Session, name: str, option: str | None) -> None:
    """`%deploy x` as the first line of a cell that defines something means `%%deploy x`."""
    lines = current_cell(session).strip().splitlines()
    if option or len(lines) < 2 or not lines[0].startswith("%deploy"):
        return
    try:
        below = ast.parse(session.shell.transform_cell("\n".join(lines[1:])))
    except SyntaxError:
        return
    if entries.definitions(below):
        raise UsageProblem(
            "%deploy ships something that exists. To ship this cell, use two percent signs: "
            f"%%deploy {name}",
            code="line.one-percent",
        )


def current_cell(session: Session) -> str:
    """The running cell as typed, "" where it is not kept."""
    history = getattr(session.shell, "history_manager", None)
    typed = history.input_hist_raw if history is not None else []
    return str(typed[-1]) if typed else ""


def order_of(
    name: str, entry: entries.Entry, magic: str, cell: str, options: dict[str, Any]
) -> Order:
    because = options["because"]
    return Order(
        name=name,
        entry=entry,
        magic=magic,
        cell=cell,
        packages=options["packages"],
        files=options["files"],
        no_files=options["no_files"],
        replicas=options["replicas"],
        candidate=options["traffic"] == 0,
        message="\n\n".join(part for part in (options["message"], because) if part),
        tolerance=options["tolerance"],
        example_run=not options["no_example_run"],
        plan=options["plan"],
    )
