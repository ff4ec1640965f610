"""Examples of an entry: called here, compared with what the kernel answered."""

from __future__ import annotations

import inspect
import json
import os
import pickle
from typing import Any, Dict, List, Mapping

from .execute import finished
from .restore import Restored


class Unfit(Exception):
    """An example that did not hold, in the words of its author."""


class Examples:
    """The examples that came along: pickled ones from a kernel, else those of examples.json."""

    def __init__(self, job: Mapping[str, Any], restored: Restored) -> None:
        self.job = job
        self.names = restored.namespace
        self.tolerance = job.get("tolerance")

    def answers(self) -> List[Dict[str, Any]]:
        """[{"text", "answer", "same", "note"}] in the order of the cell."""
        path = os.path.join(self.job.get("admit") or "", "examples.pkl")
        if os.path.exists(path):
            with open(path, "rb") as file:
                return [self.called(example) for example in Reader(file).load()]
        return [self.asserted(example) for example in self.written() if example.get("check")]

    def written(self) -> List[Dict[str, Any]]:
        path = os.path.join(self.job["snapshot"], "examples.json")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            found: List[Dict[str, Any]] = json.load(file)["examples"]
        return found

    def called(self, example: Mapping[str, Any]) -> Dict[str, Any]:
        """An example with its live answer: the answer here must be alike."""
        from .admit import travelling

        answer = self.call(example["callee"], example["arguments"], example["keywords"])
        alike = travelling(self.job["admit"], "alike").difference
        note = alike(example["answer"], answer, self.tolerance) if example["compare"] else ""
        if not note and example.get("check"):
            note = self.check(example["check"], {**example["operands"], "_answer": answer})
        return {
            "text": example["text"],
            "answer": shown(answer),
            "same": not note,
            "note": note,
            "compared": example["compare"],
        }

    def asserted(self, example: Mapping[str, Any]) -> Dict[str, Any]:
        """An assert without a kernel behind it: its own words must hold."""
        answer = self.call(self.job["settings"]["entry"], (), example.get("arguments") or {})
        note = self.check(example["check"], {**example.get("operands", {}), "_answer": answer})
        return {"text": example["text"], "answer": shown(answer), "same": not note, "note": note}

    def call(self, callee: str, arguments: Any, keywords: Mapping[str, Any]) -> Any:
        entry = eval(compile(callee, "<entry>", "eval"), self.names)
        answer = entry(*arguments, **keywords)
        return finished(answer) if inspect.iscoroutine(answer) else answer

    def check(self, expression: str, operands: Mapping[str, Any]) -> str:
        """ "" if the assert holds with these operands."""
        names = {**self.names, **operands}
        return (
            "" if eval(compile(expression, "<assert>", "eval"), names) else "the assert fails there"
        )


class Reader(pickle.Unpickler):
    """Reads what the kernel's pickler wrote: a persistent id is the object itself."""

    def persistent_load(self, pid: Any) -> Any:
        return pid


def shown(answer: Any) -> str:
    """The answer in a few words."""
    text = repr(answer)
    return text if len(text) <= 200 else text[:197] + "..."
