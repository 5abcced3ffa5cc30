"""The code blocks of the documentation run, and its generated pages are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import harmony_gen

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/guide.md")


def blocks(page: str) -> str:
    """The Python of a page, as one program."""
    found = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str) -> None:
    run = subprocess.run([sys.executable, "-c", blocks(page)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_table_of_guarantees_is_what_the_code_does() -> None:
    script = ROOT / "docs/generate_guarantees.py"
    run = subprocess.run([sys.executable, script, "--check"], check=False)
    assert run.returncode == 0, "run: python docs/generate_guarantees.py"


def test_every_public_name_is_in_the_guide() -> None:
    guide = (ROOT / "docs/guide.md").read_text("utf-8")
    assert [name for name in harmony_gen.__all__ if f"`{name}" not in guide] == []
