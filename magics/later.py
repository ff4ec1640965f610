"""Words of the grammar that do not exist yet: refused by name, never offered."""

from __future__ import annotations

from cellship.snapshot.errors import UsageProblem

COMMANDS = frozenset(
    {
        *("login", "use", "runs", "run", "schedule", "checkout", "secret", "key", "image", "clone"),
        *("validate", "plan", "du", "gc", "backup", "restore", "gpus", "pools", "usage", "purge"),
        *("cancel", "attach", "debug", "bundle", "models", "map"),
    }
)
MAGICS = ("%%train", "%%setup")
DEPLOY_OPTIONS = frozenset(
    {
        *("--concurrency", "--timeout", "--memory", "--cpu", "--env", "--access", "--secret"),
        *("--setup", "--take-over", "--breaking", "--gpu", "--network", "--swap"),
    }
)


def refuse_command(word: str) -> UsageProblem:
    return UsageProblem(f"`cellship {word}` does not exist yet.", code="line.not-yet")


def refuse_magic(word: str) -> UsageProblem:
    """`%%train`, as a whole cell in a notebook or as a word in a shell."""
    return UsageProblem(f"{word} does not exist yet; nothing ran.", code="line.not-yet")


def refuse_option(option: str, magic: str) -> UsageProblem:
    return UsageProblem(
        f"{magic} has no {option} yet; nothing ran and nothing was shipped.", code="line.not-yet"
    )
