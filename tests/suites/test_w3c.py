"""The W3C's test cases for XML Schema 1.0: schemas compile, valid documents are within reach, invalid ones are not.

Wildcards admit names that no schema declares; a document that is out of reach is tried again with its names declared.
Which valid documents are out of reach even so is known by class only (docs/guarantees.md), so their share is bounded.
"""

from __future__ import annotations

import json
import random
import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from harmony_gen import Generator, Sampling, Schema, SchemaError, UnsatisfiableError, ValidationError
from harmony_gen.schema import engine
from harmony_gen.schema.xsd.judge import read_document
from support import corpora, figures, reach
from support.bench import needed, write
from support.documents import would_be_written
from support.mutations import mutated

SHARDS = 2
CHANGES = 4
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


class Tally:
    """Counts what becomes of schemas and their documents.

    Attributes:
        counts: how often what was found.
        faults: documents that would be written though they are not valid.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._folder = folder
        self._draw = random.Random(0)

    def run(self, case: dict[str, Any]) -> None:
        source = load(self._folder, case)
        if source is None:
            self.counts["not loaded"] += 1
            return
        by_root: dict[str, list[tuple[dict[str, Any], str]]] = {}
        for instance in case["instances"]:
            if not (self._folder / instance["path"]).is_file():
                self.counts["documents that the suite lacks"] += 1
                continue
            text = text_of(self._folder / instance["path"])
            root = None if text is None else root_of(text)
            if text is not None and root is not None:
                by_root.setdefault(root, []).append((instance, text))
        for root, instances in by_root.items():
            schema = self._compiled(source, root)
            if schema is not None:
                self.counts["compiled"] += 1
                for instance, text in instances:
                    self._judge(source, root, schema, instance, text)

    def _compiled(self, source: Any, root: str) -> Schema[Any] | None:
        try:
            return Schema.from_xsd(source, root)
        except UnsatisfiableError:
            self.counts["unsatisfiable"] += 1
        except SchemaError as error:
            self.counts["refused" if "declares no element" not in str(error) else "no such root"] += 1
        return None

    def _judge(self, source: Any, root: str, schema: Schema[Any], instance: dict[str, Any], text: str) -> None:
        is_valid = schema.judge.accepts(text.encode())
        if instance["valid"] and not is_valid:
            self.counts["valid, but not for xmlschema"] += 1
            return
        accepted = is_valid and is_within_reach(schema, text)
        if is_valid and not accepted and (foreign := foreign_names(source, text)):
            accepted = is_within_reach(Schema.from_xsd(source, root, foreign=foreign), text)
            self.counts["valid with foreign names declared"] += accepted and instance["valid"]
        self.counts[f"{'valid' if instance['valid'] else 'invalid'} {'accepted' if accepted else 'refused'}"] += 1
        if accepted and not instance["valid"]:
            self.faults.append(instance["path"])
        if accepted:
            self._change(schema, spelled(schema, text), instance["path"])

    def _change(self, schema: Schema[Any], text: str, path: str) -> None:
        """Tries documents that differ a little."""
        for _ in range(CHANGES):
            changed = mutated(text, self._draw)
            accepted = would_be_written(schema, changed)
            self.counts[f"changed {'accepted' if accepted else 'refused'}"] += 1
            if accepted and not schema.judge.accepts(changed.encode()):
                self.faults.append(f"{path}: {changed}")


def foreign_names(source: Any, text: str) -> list[str]:
    """The names of elements and attributes in a document that its schema does not declare."""
    elements = list(read_document(text).root.iter())
    names = dict.fromkeys(element.tag for element in elements if element.tag not in source.maps.elements)
    attributes = dict.fromkeys(name for element in elements for name in element.attrib)
    others = [name for name in attributes if name not in source.maps.attributes and "XMLSchema-instance" not in name]
    return [*names, *(f"@{name}" for name in others)]


def spelled(schema: Schema[Any], text: str) -> str:
    """A valid document as answers are spelled."""
    assert schema.canonical is not None
    return schema.canonical(text)


def is_within_reach(schema: Schema[Any], text: str) -> bool:
    """Whether a valid document can be written, once it is spelled as answers are."""
    found = spelled(schema, text).encode()
    return schema.judge.accepts(found) and engine.completes(engine.byte_matcher(schema.grammar), found)


@pytest.mark.parametrize("index", range(SHARDS))
def test_schemas_compile_and_documents_are_judged(index: int) -> None:
    chosen = cases() if reach.FULL else cases()[::SAMPLE]
    tally = Tally(corpora.need("suites/xsd/w3c"))
    for case in chosen[index::SHARDS]:
        tally.run(case)
    counts = tally.counts
    figures.count("w3c", "all", **counts)
    assert not tally.faults
    assert counts["compiled"]
    if reach.FULL:
        assert counts["compiled"] > 50 * (counts["refused"] + counts["unsatisfiable"])
        assert counts["valid accepted"] > 30 * counts["valid refused"]


def adversarial() -> list[tuple[Any, str]]:
    """Schemas that have valid documents, and the roots of these."""
    chosen = cases() if reach.FULL else cases()[:: SAMPLE * 5]
    found = []
    for case in chosen:
        source = load(corpora.need("suites/xsd/w3c"), case)
        paths = [corpora.need("suites/xsd/w3c") / one["path"] for one in case["instances"] if one["valid"]]
        texts = [text_of(path) for path in paths if path.is_file()]
        roots = [root for text in texts if text is not None and (root := root_of(text)) is not None]
        if source is not None and roots and roots[0] in source.maps.elements:
            found.append((source, roots[0]))
    return found


def second_judge(source: Any) -> Any | None:
    """libxml2's judgement, where it reads the schema."""
    try:
        return etree.XMLSchema(etree.parse(source.url))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError):
        return None


@pytest.mark.parametrize("seed", range(3))
def test_a_random_model_writes_valid_documents(adversary: Generator, seed: int) -> None:
    counts: Counter[str] = Counter()
    for source, root in adversarial():
        try:
            schema = Schema.from_xsd(source, root)
            budget = needed(adversary, schema) + (0, 50, 500)[seed]
        except (SchemaError, UnsatisfiableError):
            counts["no answer known"] += 1
            continue
        answer = write(adversary, schema, budget, Sampling(temperature=1.0, seed=seed))
        assert len(answer.tokens) <= budget
        assert schema.judge.accepts(answer.text)
        second = second_judge(source)
        if second is not None and not second.validate(etree.fromstring(answer.text)):
            counts["valid, but not for libxml2"] += 1
        counts["written"] += 1
    figures.count("w3c", f"adversary {seed}", **counts)
    assert counts["written"] > 40 * counts["no answer known"]
    assert counts["written"] > 40 * counts["valid, but not for libxml2"]
