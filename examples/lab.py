"""`make lab`: the notebook of the demo in JupyterLab, on a port that is free."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
OURS = CLONE / "build" / "lab"


def main() -> None:
    OURS.mkdir(parents=True, exist_ok=True)
    for notebook in (CLONE / "examples").glob("*.ipynb"):
        # a copy, so that running it changes nothing that is committed
        if not (OURS / notebook.name).exists():
            shutil.copy(notebook, OURS / notebook.name)
    command = [sys.executable, "-m", "jupyterlab", str(OURS / "quickstart.ipynb"), "--port=0"]
    command += ["--ServerApp.root_dir", str(OURS)]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    os.chdir(OURS)
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
