"""What `explain CODE` says about refusals of capture: code and values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A heading and a paragraph."""

    title: str
    text: str


CODES: dict[str, Code] = {
    "capture.answer-differs": Code(
        "The worker answers otherwise",
        "An example gave one answer in the notebook and another in a clean worker that had loaded "
        "the snapshot, although the notebook agrees with itself when it is asked again. The entry "
        "then depends on something that did not ship: a file, an environment variable, a setting "
        "of a library, the machine. Find what differs, or pass it in as a parameter. Floats may "
        "differ by 1e-5 of their size; --tolerance changes that.",
    ),
    "capture.cellship-name": Code(
        "The entry uses cellship itself",
        "A worker has no cellship package: it holds your code and your packages and nothing of "
        "ours. A deployed function can therefore not call cellship. Take the call out of the "
        "function, and do in the notebook what it did.",
    ),
    "capture.changes-by-itself": Code(
        "Loading the code changes a value",
        "source.py defines your functions and classes by running their statements again. A "
        "decorator, a class body or a hook of a base class then ran a second time and changed a "
        "value that ships, for example by registering or by counting, and no way was found to "
        "load the code without that. Let the decorator change only what it decorates, or build "
        "the registry inside a function.",
    ),
    "capture.class-hook": Code(
        "A class would run a hook twice",
        "A class that no statement at the top level of a cell makes (one made inside a function, "
        "for example) is built again from its parts. Its base class or metaclass, which is the "
        "notebook's own, has a hook that would then run a second time. Define the class at the "
        "top level of a cell.",
    ),
    "capture.context-variable": Code(
        "A context variable that is set",
        "The value of a context variable belongs to one chain of calls in one process. The "
        "variable itself ships with its default, and would answer with that default in a worker. "
        "Set it inside the function, or use a parameter.",
    ),
    "capture.entry-kind": Code(
        "Not something that can be called by requests",
        "An endpoint calls a function, an async function, a lambda, a partial, a method of an "
        "object, or an object with __call__. Classes, modules, plain values and functions that "
        "yield are not served yet. Write a function that uses the class, or that returns a list.",
    ),
    "capture.fails-there": Code(
        "A clean worker could not load or call it",
        "The snapshot was loaded in a process that has only what ships, and your code raised. In "
        "the notebook it works, so it found something there that is not part of the capture: a "
        "file, a variable, a connection, a setting. The message names the line of source.py. "
        "CELLSHIP_DEBUG=1 shows the traceback.",
    ),
    "capture.generator": Code(
        "A generator that has begun",
        "A generator, a coroutine or an async generator is a computation half-way; Python cannot "
        "move it to another process. Keep a list of what it yields, or make it inside the "
        "function that uses it.",
    ),
    "capture.graph-tensor": Code(
        "A tensor with its history",
        "A tensor that is the result of a computation with gradients holds that computation, "
        "which cannot move to another process. Keep tensor.detach(), or compute under "
        "torch.no_grad().",
    ),
    "capture.live-connection": Code(
        "A live connection",
        "A socket, a session, a client or a database handle is one end of something outside this "
        "process; a copy of it elsewhere would not be connected to anything. Make it inside the "
        "function, where the endpoint runs; keep it in a global that the function fills on its "
        "first call if making it is slow.",
    ),
    "capture.lock": Code(
        "A lock that is held",
        "Locks ship unlocked and new. This one is held right now, so the data that it protects "
        "may be half-way through a change. Release it, then ship.",
    ),
    "capture.magic-in-function": Code(
        "A magic inside a function",
        "Magics exist where IPython is; a worker has none. %time lines are written as the plain "
        "statement, and %matplotlib, %config, %autoreload and %load_ext mean nothing there; "
        "other magics must leave the function.",
    ),
    "capture.memoryview": Code(
        "A view of a part",
        "A memoryview ships with the bytes or bytearray that it shows if it shows all of it. "
        "Keep bytes(view), or the object itself.",
    ),
    "capture.missing-module": Code(
        "A module that the worker does not have",
        "Packages ship as they are installed in this kernel. This module was asked for in the "
        "worker and cannot be imported here either, so there is nothing to ship. Install the "
        "package that brings it, or guard the import with try/except ImportError.",
    ),
    "capture.missing-name": Code(
        "A name that nothing defines",
        "The code reads a global that does not exist in the notebook now: it was deleted, "
        "renamed, or never run in this kernel. In a worker the same line would raise NameError. "
        "Run the cell that defines it, or guard the read with try/except NameError.",
    ),
    "capture.open-file": Code(
        "An open file",
        "An open file belongs to the process that opened it. Open it inside the function (files "
        "that the code names by a path ship with it), or keep what you read from it.",
    ),
    "capture.running": Code(
        "Something that runs",
        "Threads, processes, pools, tasks and tracebacks belong to the process they run in. Start "
        "them inside the function, where the endpoint runs.",
    ),
    "capture.secret-in-value": Code(
        "A secret in what would ship",
        "Code, values and examples are kept in git, where they stay readable in old versions. "
        "Something in them has the form of a known kind of secret: a key, a token, a password in "
        "an address. Read it where the endpoint runs, from os.environ, and remove it from the "
        "notebook.",
    ),
    "capture.shell-escape": Code(
        "A shell command with Python values",
        "`!command` inside a function is run by the worker's own shell. Values in braces or after "
        "a dollar sign are filled in by IPython, which a worker does not have. Call "
        "subprocess.run with a list of words instead.",
    ),
    "capture.too-deep": Code(
        "Nested too deeply",
        "The value is nested more deeply than Python can follow, even with a large stack: a "
        "linked list of many thousand links, for example. Keep it as a flat list.",
    ),
    "capture.unpicklable": Code(
        "A value that cannot move",
        "Values ship as data. This one says that it cannot be taken apart, or holds something "
        "that says so; the message names the path to it. Make it inside the function, or keep "
        "only the data that it is made from. A class can say how with __getstate__ and "
        "__setstate__.",
    ),
    "capture.weak-reference": Code(
        "A weak reference",
        "A weak reference does not keep its target alive. It ships if a name of the notebook "
        "holds the target, and that name then ships too. Weak dictionaries and sets do not ship; "
        "keep their items in plain ones.",
    ),
}
