"""The help pages of `%%deploy?` and `%cellship?`, which need no command tree to be loaded."""

from __future__ import annotations

DEPLOY = """Ship the function of this cell as the endpoint NAME.

    %%deploy NAME [options]        the cell: its only function, or the one called NAME, or the last
    %deploy NAME [options]         what exists: the object called NAME, or --entry

Options:
  --entry EXPR          what is called: predict, model.predict
  --packages all|FILE   ship the whole environment, or what a requirements file says
  --file PATH           ship this file too (repeatable)
  --no-file PATH        leave this file out (repeatable)
  --replicas 0          store it, start no process
  --traffic 0           make a candidate, which waits for %cellship promote
  --message, -m TEXT    what changed, for the list of versions
  --because TEXT        why, for the list of versions
  --tolerance X         how far floats of the examples may differ
  --no-example-run      do not call the examples in the worker
  -o VAR                keep the result (name, version, url, snapshot, receipt) in VAR
  --plan                say what would ship and why, keep nothing
  --quiet, -q           print nothing on success
  --json                print the result as JSON

Calls of the entry at the top level of the cell are examples: they run here, and again in the
worker before it gets traffic. An assert must hold there too.

Examples
--------
::

    In [1]: %%deploy digits
       ...: def predict(row: list[float]) -> int:
       ...:     "Which digit is on this 8x8 image?"
       ...:     return int(model.predict([row])[0])
       ...:
       ...: assert predict(X[1600].tolist()) == 2

    In [2]: %deploy digits --entry model.predict --plan
"""

CELLSHIP = """See and move what is deployed. Alone: what is live, and the five most used commands.

    up down status doctor
    deployments versions logs call exec diff watch explain
    rollback promote pause resume traffic delete

`%cellship COMMAND --help` explains one of them.

Examples
--------
::

    In [1]: %cellship versions digits

    In [2]: %cellship call digits row=X[1600]

    In [3]: %cellship rollback digits
"""
