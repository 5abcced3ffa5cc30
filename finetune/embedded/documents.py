"""Documents written to judge the model, never to train it: JSON files with schema, text, value, kind and language.

There are two sets: `DOCUMENTS` give the figures that are reported, and nobody who writes training data reads them or
the answers to them; what models do with `DEVELOPMENT` may be looked at and may steer the work.
"""

from __future__ import annotations

import json
from pathlib import Path

from finetune.embedded.task import Task

_FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
DOCUMENTS = _FIXTURES / "documents"
DEVELOPMENT = _FIXTURES / "development"


def documents(directory: Path = DOCUMENTS) -> list[Task]:
    """Read all documents of a directory, by name."""
    read = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.json")))
    return [
        Task(part["schema"], part["text"], part["value"], part["kind"], "document", part["language"]) for part in read
    ]
