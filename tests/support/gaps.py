"""The list of what is known not to work, which must be neither too short nor too long."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "suites" / "known_gaps.toml"

Key = tuple[str, ...]
"""What names a test of a suite."""


@cache
def _listed() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FILE.read_text("utf-8"))


def known(suite: str, *names: str) -> dict[Key, str]:
    """The reasons of the known gaps of a suite, by the test that each is about.

    Args:
        suite: name of the table in the file.
        names: the entries that name a test, in order.
    """
    entries = _listed().get(suite, [])
    found = {tuple(entry[name] for name in names): entry["reason"] for entry in entries}
    assert len(found) == len(entries), f"{suite}: a gap is listed twice"
    assert all(found.values()), f"{suite}: a gap has no reason"
    return found


def settle(wrong: dict[Key, str], ran: set[Key], gaps: dict[Key, str]) -> None:
    """Fails for what is wrong and not listed, and for what is listed and not wrong.

    Args:
        wrong: what went wrong, by the test.
        ran: all tests that were run.
        gaps: as of `known`.
    """
    new = [f"{' | '.join(key)}: {what}" for key, what in wrong.items() if key not in gaps]
    stale = [" | ".join(key) for key in gaps if key in ran and key not in wrong]
    assert not new, "not a known gap:\n" + "\n".join(new)
    assert not stale, "listed in known_gaps.toml, but it works:\n" + "\n".join(stale)
