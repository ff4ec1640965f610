"""What stands in for IPython, and for `cellship`, in a worker."""

import subprocess
import sys
import types

QUIET_MAGICS = frozenset(
    {"matplotlib", "config", "autoreload", "load_ext", "reload_ext", "precision"}
)


def register():
    """Let user code find `display` without IPython, and `import cellship` an empty module."""
    import builtins

    builtins.display = display
    sys.modules.setdefault(
        "cellship", types.ModuleType("cellship", "Stands in for cellship in a worker.")
    )


def display(*objects, **options):
    """Print what a notebook would show."""
    for thing in objects:
        print(repr(thing))


def get_ipython():
    """The shell that functions of a notebook may ask for."""
    return SHELL


class Shell:
    """The few things of a shell that have a meaning without a notebook."""

    def run_line_magic(self, name, line, _stack_depth=1):
        """Nothing, for magics that only set up a notebook. Raises RuntimeError for others."""
        if name.lstrip("%") not in QUIET_MAGICS:
            raise RuntimeError("%{} does not exist in a worker".format(name.lstrip("%")))

    def getoutput(self, command, split=True, depth=0):
        """Lines that a shell command prints."""
        done = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        return Lines(done.stdout.splitlines()) if split else done.stdout

    def system(self, command):
        """Run a shell command; what it prints goes to the log."""
        sys.stdout.flush()
        subprocess.run(command, shell=True)


class Lines(list):
    """A list of lines with the three views that IPython gives `x = !command`."""

    @property
    def l(self):  # noqa: E743
        return list(self)

    @property
    def n(self):
        return "\n".join(self)

    @property
    def s(self):
        return " ".join(self)


SHELL = Shell()
