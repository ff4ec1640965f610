"""What the codes of a worker mean, for `%cellship explain CODE`: code -> (title, text)."""

from __future__ import annotations

from typing import Dict, Tuple

CODES: Dict[str, Tuple[str, str]] = {
    "entry.raised": (
        "The entry raised an exception",
        "The call reached the entry and ended with an exception. The caller is told its type and "
        "nothing else, since its text and its traceback can hold data that callers must not see. "
        "The traceback is in the log, with the request id of the answer: %cellship logs NAME.\n\n"
        "The worker goes on with the next call, also after SystemExit and KeyboardInterrupt.",
    ),
    "entry.answer-not-json": (
        "The entry answered something that JSON cannot hold",
        "An answer is sent as JSON: numbers, text, lists, dicts, tuples, sets (sorted), dates "
        "(ISO 8601), bytes (base64), Decimal and UUID (text), Enum members (their values), "
        "dataclasses and pydantic models (objects), numpy arrays (nested lists), DataFrames "
        "({column: [...]}) and Series (lists). The message names the type that is none of these, "
        "and the place in the answer as a JSON pointer.\n\n"
        "Turn the value into one of them before it is returned, for example with .tolist() or "
        "str().",
    ),
    "entry.answer-too-large": (
        "The answer is too large",
        "An answer travels in one frame, which holds up to 256 MiB. Return less at a time, or "
        "write the result to a place that the caller can read.",
    ),
    "entry.no-method": (
        "The deployment has no such method",
        "The path of the request names a method after the name of the deployment. This one has "
        "only the entry itself: POST /NAME.",
    ),
    "entry.unknown": (
        "The snapshot has no such entry",
        "The entry is a name of the notebook, or an attribute of what a name stands for: predict, "
        "model.predict. The worker restored the snapshot and did not find it there.",
    ),
    "entry.class": (
        "A class cannot be an endpoint yet",
        "An endpoint is something that is called with the arguments of a request and returns the "
        "answer. A class makes objects instead. Make the object in the notebook and ship one of "
        "its methods: --entry model.predict.",
    ),
    "entry.not-callable": (
        "The entry cannot be called",
        "The entry is a plain value. Name a function, or a method of an object, with --entry.",
    ),
    "entry.generator": (
        "Answers that stream are not served yet",
        "The entry has a yield, so that calling it gives a generator and no answer. Return a list "
        "of what it yields.",
    ),
    "entry.no-signature": (
        "The entry does not say which parameters it takes",
        "A request names its arguments, so the names of the parameters must be known. Some "
        "functions written in C do not tell. Wrap it in a function with named parameters.",
    ),
    "entry.positional-only": (
        "A parameter that has no name for callers",
        "A request is a JSON object whose names are the parameters. A parameter before a / in the "
        "signature can only be passed by position. Take the / out, or wrap the function.",
    ),
    "entry.star-args": (
        "A parameter that collects positions",
        "A request is a JSON object whose names are the parameters; *args collects arguments that "
        "have none. Take one list instead. **kwargs is fine: it takes any further names.",
    ),
    "entry.hint-not-json": (
        "A type hint that no JSON value can become",
        "The worker builds the arguments from the JSON of the request, as the type hints say. It "
        "knows numbers, text, bool, None, bytes, dates, Decimal, UUID, list, tuple, set, dict, "
        "Optional, Union, Literal, Enum, dataclasses, NamedTuples, TypedDicts, pydantic models, "
        "numpy arrays and scalars, DataFrames and Series. The hint that the message names is none "
        "of these.\n\n"
        "Take plain values and make the object inside the function, or leave the hint out: a "
        "parameter without one takes any JSON value as it is.",
    ),
    "entry.concurrency": (
        "One call at a time",
        "A replica runs one call of a def at a time, and up to 64 of an async def. Threads for a "
        "def are not there yet.",
    ),
    "call.cancelled": (
        "The caller left",
        "The connection of the caller ended, or its time was over, before the call was done. A "
        "call that had not begun does not begin; an async def is cancelled where it waits.",
    ),
    "replica.stopping": (
        "The replica stops",
        "The call reached a replica that had been told to stop. It did not run, and can be sent "
        "again without harm.",
    ),
    "replica.load-failed": (
        "The snapshot could not be loaded",
        "The worker runs the snapshot's source.py before its first call, and that raised. The "
        "message holds the error and the line; the whole traceback is in the log of the version. "
        "The version that answered before goes on.",
    ),
}
