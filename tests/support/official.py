"""The official JSON Schema test suite: its groups of tests, and the documents they refer to."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harmony_gen import Schema
from support import corpora

if TYPE_CHECKING:
    from pathlib import Path

DRAFTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
}
"""The dialect of the schemas in each folder, where they name none."""


class Group(NamedTuple):
    """A schema, and instances with the verdicts they must get.

    Attributes:
        draft: the folder.
        file: the file in it.
        description: what the group is about.
        schema: the schema, with its dialect.
        tests: {description, data, valid}.
    """

    draft: str
    file: str
    description: str
    schema: Any
    tests: list[dict[str, Any]]

    def compiled(self) -> Schema[Any]:
        """The schema, ready to decode, members in any order."""
        return Schema.from_json_schema(self.schema, registry=remotes(), property_order="any")


def folder() -> Path:
    """The suite; skips the test where it is absent."""
    return corpora.need("suites/json-schema")


@cache
def remotes() -> dict[str, Any]:
    """The documents that the suite serves at http://localhost:1234/."""
    base = folder() / "remotes"
    return {
        f"http://localhost:1234/{path.relative_to(base).as_posix()}": json.loads(path.read_bytes())
        for path in sorted(base.rglob("*.json"))
    }


def files(draft: str, within: str = "") -> list[str]:
    """The files of a draft, or of a folder within it; none where the suite is absent."""
    base = corpora.SHARED / "suites/json-schema/tests" / draft
    return [path.relative_to(base).as_posix() for path in sorted((base / within).glob("*.json"))]


@cache
def groups(draft: str, file: str) -> list[Group]:
    """The groups of a file."""
    found = json.loads((folder() / "tests" / draft / file).read_bytes())
    return [Group(draft, file, group["description"], _named(group["schema"], draft), group["tests"]) for group in found]


def _named(schema: Any, draft: str) -> Any:
    """A schema that says its dialect."""
    if isinstance(schema, bool):
        return schema
    return schema if "$schema" in schema else {"$schema": DRAFTS[draft], **schema}
