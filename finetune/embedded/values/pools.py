"""Words by kind, from `pools.txt`: `[kind]`, then words parted by commas."""

from __future__ import annotations

import re
from pathlib import Path

from finetune.embedded.draw import Pool


def _read() -> dict[str, Pool]:
    source = (Path(__file__).parent / "pools.txt").read_text(encoding="utf-8")
    sections = re.split(r"^\[(\w+)\]$", source, flags=re.MULTILINE)[1:]
    return {
        name: Pool(word.strip() for word in words.split(",") if word.strip())
        for name, words in zip(sections[::2], sections[1::2], strict=True)
    }


POOLS = _read()
"""Every pool by its name."""
