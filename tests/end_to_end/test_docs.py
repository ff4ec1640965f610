"""What the pages tell people to type is typed here, page by page."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.driver import Kernel, Service

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/**/*.md"))))
BLOCK = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)#:]+)(#[^)]*)?\)")
RUN = ("python cell", "sh run")


@dataclass(frozen=True)
class Block:
    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    found = BLOCK.finditer((ROOT / page).read_text())
    return [Block(each["kind"].strip(), each["text"]) for each in found]


def runnable() -> list[str]:
    return [page for page in PAGES if any(block.kind in RUN for block in blocks(page))]


@pytest.mark.parametrize("page", runnable())
def test_what_a_page_says_works(own: Service, notebook: Kernel, page: str, tmp_path: Path) -> None:
    printed = ""
    for block in blocks(page):
        if block.kind == "python cell":
            printed = notebook.run(block.text.strip()).text
        elif block.kind == "sh run":
            printed = shell(own, block.text, tmp_path)
        elif block.kind == "text shown":
            assert bare(printed) == bare(block.text)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = [each["target"] for each in LINK.finditer((ROOT / page).read_text())]
    gone = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert gone == []


def shell(running: Service, text: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:{running.environment.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-eu", "-c", text],
        env=running.environment | {"PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def bare(text: str) -> str:
    """Without what differs from run to run: numbers, addresses, alignment, bars."""
    plain = re.sub(r"\d+(\.\d+)?|█+", "N", text)
    plain = re.sub(r"\bN (B|KiB|MiB|GiB)\b", "SIZE", plain)
    return re.sub(r"\s+", " ", plain).strip()
