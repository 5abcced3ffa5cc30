"""The W3C's test cases for XML Schema 1.0: schemas compile, valid documents are within reach, invalid ones are not.

Wildcards admit names that no schema declares; a document that is out of reach is tried again with its names declared.
Which valid documents are out of reach even so is known by class only (docs/guarantees.md), so their share is bounded.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from harmony_gen import Schema, SchemaError, UnsatisfiableError, ValidationError
from harmony_gen.schema import engine
from harmony_gen.schema.xsd.judge import read_document
from support import corpora, figures, reach

SHARDS = 8
SAMPLE = 60
"""Without the whole run, one schema of so many is tried."""


def cases() -> list[dict[str, Any]]:
    lines = (corpora.need("suites/xsd/w3c") / "cases.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def load(folder: Path, case: dict[str, Any]) -> Any | None:
    """The schema of a case; None if xmlschema refuses it."""
    first, *others = case["documents"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema = xmlschema.XMLSchema10(str(folder / first), allow="local")
            for other in others:
                schema.add_schema(str(folder / other), build=True)
    except Exception:  # noqa: BLE001 - whatever it is, it does not load
        return None
    return schema


def text_of(path: Path) -> str | None:
    """A document without its declaration; None if it is not UTF-8, or has a document type."""
    try:
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None
    return None if "<!DOCTYPE" in text else text


def root_of(text: str) -> str | None:
    """The name of a document's root; None if it is not well-formed."""
    try:
        return read_document(text).root.tag
    except ValidationError:
        return None


def run(folder: Path, case: dict[str, Any], counts: Counter[str], faults: list[str]) -> None:
    source = load(folder, case)
    if source is None:
        counts["not loaded"] += 1
        return
    by_root: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for instance in case["instances"]:
        text = text_of(folder / instance["path"])
        root = None if text is None else root_of(text)
        if text is not None and root is not None:
            by_root.setdefault(root, []).append((instance, text))
    for root, instances in by_root.items():
        try:
            schema = Schema.from_xsd(source, root)
        except SchemaError as error:
            counts["refused" if "declares no element" not in str(error) else "no such root"] += 1
            continue
        except UnsatisfiableError:
            counts["unsatisfiable"] += 1
            continue
        counts["compiled"] += 1
        for instance, text in instances:
            if instance["valid"] and not schema.judge.accepts(text.encode()):
                counts["valid, but not for xmlschema"] += 1
                continue
            accepted = is_within_reach(schema, text)
            if not accepted and (foreign := foreign_names(source, text)):
                accepted = is_within_reach(Schema.from_xsd(source, root, foreign=foreign), text)
                counts["valid with foreign names declared"] += accepted and instance["valid"]
            counts[f"{'valid' if instance['valid'] else 'invalid'} {'accepted' if accepted else 'refused'}"] += 1
            if accepted and not schema.judge.accepts(text.encode()):
                faults.append(instance["path"])


def foreign_names(source: Any, text: str) -> list[str]:
    """The names of elements and attributes in a document that its schema does not declare."""
    elements = list(read_document(text).root.iter())
    names = dict.fromkeys(element.tag for element in elements if element.tag not in source.maps.elements)
    attributes = dict.fromkeys(name for element in elements for name in element.attrib)
    others = [name for name in attributes if name not in source.maps.attributes and "XMLSchema-instance" not in name]
    return [*names, *(f"@{name}" for name in others)]


def is_within_reach(schema: Schema[Any], text: str) -> bool:
    """Whether a document can be written, once it is spelled as answers are."""
    assert schema.canonical is not None
    try:
        schema.judge.check(text)
        spelled = schema.canonical(text).encode()
    except ValidationError:
        return False
    return schema.judge.accepts(spelled) and engine.completes(engine.byte_matcher(schema.grammar), spelled)


@pytest.mark.parametrize("index", range(SHARDS))
def test_schemas_compile_and_documents_are_judged(index: int) -> None:
    chosen = cases() if reach.FULL else cases()[::SAMPLE]
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for case in chosen[index::SHARDS]:
        run(corpora.need("suites/xsd/w3c"), case, counts, faults)
    figures.count("w3c", "all", **counts)
    assert not faults
    assert counts["compiled"]
    if reach.FULL:
        assert counts["compiled"] > 50 * (counts["refused"] + counts["unsatisfiable"])
        assert counts["valid accepted"] > 30 * counts["valid refused"]
