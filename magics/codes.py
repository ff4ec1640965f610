"""Codes of what is typed, of the client and of a deploy: code -> (title, text) for `explain`."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "line.name": (
        "not a name",
        """A deployment's name has small letters, digits and `-`, begins and ends with a letter or
        a digit, and is at most 63 signs long. It is a folder, a git ref and part of an
        address at once. The name comes first on the line: `%%deploy churn`.""",
    ),
    "line.version": (
        "not a version",
        """A version is written `churn@7`. In place of the number may stand `live` (the one with
        the largest share of the calls), `previous` (where a rollback would go) or
        `latest`.""",
    ),
    "line.shares": (
        "not a split of the calls",
        """Shares are percent, written VERSION=PERCENT, and add up to 100: `%cellship traffic churn
        6=90 7=10`. A deploy takes all calls, or none with `--traffic 0`, which makes a
        candidate.""",
    ),
    "line.time": (
        "not a length of time",
        "Write a number with a unit: `20s`, `2m`, `1h`. A number alone is seconds.",
    ),
    "line.quote": (
        "a quote is not closed",
        "The line is split into words as a shell does it; each quote needs its second half.",
    ),
    "line.usage": (
        "the line was not understood",
        "A word is missing, or one too many. `--help` after the command shows how it is written.",
    ),
    "line.option": (
        "no such option",
        "The command has no option of that name. `--help` after the command lists all it has.",
    ),
    "line.command": (
        "no such command",
        """`%cellship --help` in a notebook and `cellship --help` in a shell list the commands;
        both have the same ones.""",
    ),
    "line.not-yet": (
        "does not exist yet",
        """The word belongs to Cellship's plan and this version does not have it. Nothing ran, and
        nothing was ignored in silence: the line was refused as a whole.""",
    ),
    "line.no-entry": (
        "nothing to call",
        """A deploy needs an entry: something that can be called. In a `%%deploy` cell it is the
        only function or class, else the one called like the deployment, else the last
        one. `--entry` names another object, with attributes: `--entry model.predict`.

        `%deploy NAME` ships an object that exists; without `--entry` it is the one
        called NAME.""",
    ),
    "line.one-percent": (
        "one percent sign above a definition",
        """`%deploy` is a line: it ships something that exists, and knows nothing of what stands
        below it. `%%deploy` is for the whole cell: it runs the cell, then ships its
        function.""",
    ),
    "line.interrupted": (
        "interrupted",
        """The command was interrupted. Reading changes nothing; an operation that had reached the
        service goes on there, and `%cellship versions NAME` shows what came of it.""",
    ),
    "line.syntax": (
        "the cell is not Python",
        """The cell below `%%deploy` cannot be parsed, so nothing of it ran. The lines above the
        message say where; line numbers count from the line below `%%deploy`.""",
    ),
    "line.packages": (
        "--packages names no file",
        """`--packages all` ships every package of the environment; `--packages FILE` ships what a
        requirements file says. Without it, what the entry reaches is shipped.""",
    ),
    "line.variable": (
        "not a variable",
        "`-o VAR` keeps the result under a Python name: `-o done`.",
    ),
    "line.no-notebook": (
        "a deploy needs a notebook",
        """A deploy ships the objects that a notebook or an IPython session holds, with the cells
        that made them. A shell command or a plain script has neither. Load the
        extension in the notebook with `%load_ext cellship` and write `%%deploy NAME` on
        a cell with a function.""",
    ),
    "call.argument": (
        "not an argument",
        """Arguments of a call are written KEY=VALUE. In a notebook the value is a Python
        expression over its names (`row=X[1600]`); in a shell it is JSON, else text
        (`row='[1, 2, 3]'`).""",
    ),
    "call.by-name": (
        "arguments go by name",
        "An endpoint takes a JSON object: `digits(row=...)`, never `digits(...)`.",
    ),
    "call.not-json": (
        "JSON cannot hold the value",
        """Numbers, text, lists, dictionaries, dates, bytes, arrays, series, frames and tensors can
        be sent. Turn the value into one of these first.""",
    ),
    "call.no-answer": (
        "the endpoint does not answer",
        """Nothing listens at the endpoint's address. The gateway starts again by itself within a
        second after a failure; `cellship doctor` says what is wrong if it stays away.""",
    ),
    "exec.raised": (
        "the expression raised",
        """The expression ran in a clean worker that holds the version's names, and raised. The
        lines below the message are its traceback there; the notebook's own names are
        not visible to it.""",
    ),
    "diff.one-version": (
        "one version only",
        "A comparison needs two versions of one deployment.",
    ),
    "delete.unconfirmed": (
        "a deletion must be said twice",
        """A deletion asks first in a terminal. A notebook may run again by accident, so there it
        needs `--yes`; a script needs it too. The message says what would go.""",
    ),
    "deploy.interrupted": (
        "interrupted",
        """An interrupt before the version exists drops all bytes that were on their way, and
        traffic stays as it was. Once the version exists, an interrupt only ends the
        waiting: the version goes on starting, and answers when it has started.""",
    ),
    "deploy.copy": (
        "copying failed",
        """The bytes of the version could not be written into the service's data folder, or read
        where they lie: the disk is full, or a file has gone. Nothing was kept, and
        traffic is as it was.""",
    ),
    "deploy.other-host": (
        "the service is on another machine",
        """Bytes of a deploy are written into a folder of the service, and that folder is not on
        this machine. Endpoints of such a service can be looked at, called and rolled back from
        here; a deploy needs a notebook that runs where the service does.""",
    ),
    "deploy.still-starting": (
        "the new version has not started yet",
        """The version exists and its worker takes long to load. The cell stopped waiting; the
        version goes on starting, and answers once it has started. Until then what answered before
        goes on.""",
    ),
    "deploy.did-not-start": (
        "the new version did not start",
        """The version exists, and its worker ended or raised before it could answer. It gets no
        calls; what answered before goes on. Mend the cell and deploy again: that makes
        the next version.""",
    ),
    "doctor.problems": (
        "something is missing",
        "Each line that begins with `problem` is followed by the line that mends it.",
    ),
    "service.elsewhere": (
        "the service runs elsewhere",
        """`CELLSHIP_URL` names a service by its address, on another machine perhaps; it cannot be
        started or stopped from here.""",
    ),
    "explain.unknown": (
        "no such code",
        "A code stands in the last line of a refusal: `capture.live-connection`.",
    ),
    "client.answer": (
        "an answer that cannot be read",
        """What answered is not a Cellship service, or one that speaks otherwise: a proxy's error
        page, or a newer version. `cellship doctor` compares both halves.""",
    ),
    "client.protocol": (
        "client and service do not understand each other",
        """The notebook's cellship and the service state a protocol number each, and these differ
        too much. Update the older half: `%pip install -U cellship` here, or the
        service's environment there, followed by `cellship down` and `cellship up`.""",
    ),
    "internal.defect": (
        "a mistake of ours",
        """Something failed that was not foreseen. Traffic moves in one last step only, so what
        answered goes on. With `CELLSHIP_DEBUG=1` in the environment the whole traceback
        is shown: please send it with the cell that led there.""",
    ),
}
