"""Tell every `cellship` of this clone where its data folder is, so that no two clones meet."""

from __future__ import annotations

import json
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent


def main() -> None:
    file = Path(sys.prefix) / "etc" / "cellship" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    # a JSON string is a TOML string
    file.write_text(f"data = {json.dumps(str(CLONE / '.cellship'))}\n")


if __name__ == "__main__":
    main()
