"""Completion of our lines in a notebook, from the same command tree as in a shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext

    from cellship.magics.session import Session

OURS = ("%%deploy", "%deploy", "%cellship")


class Completion:
    """A matcher for the first line of a cell; the cell's body is completed as ever."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self.session = session
        self.matcher: Any = None

    def attach(self, shell: Any) -> None:
        from IPython.core import completer

        # a function of its own, because a bound method takes no attributes
        decorate: Any = completer.context_matcher(identifier="cellship")
        self.matcher = decorate(lambda context: self.matches(context))
        shell.Completer.custom_matchers.append(self.matcher)

    def detach(self, shell: Any) -> None:
        if self.matcher in shell.Completer.custom_matchers:
            shell.Completer.custom_matchers.remove(self.matcher)

    def matches(self, context: CompletionContext) -> dict[str, Any]:
        """Completions of the word at the cursor, alone; none of ours on other lines."""
        from IPython.core.completer import SimpleCompletion

        line = context.full_text.splitlines()[context.cursor_line][: context.cursor_position]
        magic, space, rest = line.lstrip().partition(" ")
        if magic not in OURS or not space or (magic == "%%deploy" and context.cursor_line):
            return {"completions": []}
        found = offers(self.session(), magic, rest)
        # IPython replaces its own token only, which can be shorter than our word
        word = rest.rpartition(" ")[2]
        kept = len(word) - len(context.token) if word.endswith(context.token) else 0
        completions = [SimpleCompletion(text=text[kept:], type="param") for text in found]
        return {"completions": completions, "suppress": True, "ordered": True}


def offers(session: Session, magic: str, rest: str) -> list[str]:
    """What can stand at the end of a line, as click knows it."""
    from click.shell_completion import ShellComplete

    from cellship.magics.command import tree
    from cellship.magics.deploy_command import deploy_command

    words = rest.split(" ")
    command = tree if magic == "%cellship" else deploy_command
    shell = ShellComplete(command, {"obj": session}, magic, "")
    found = shell.get_completions([word for word in words[:-1] if word], words[-1])
    return [item.value for item in found if item.type == "plain"]
