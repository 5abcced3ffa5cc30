"""The laws for XML: real schemas, a random model over the real vocabulary, and two validators."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from lxml import etree

from harmony_gen import Generator, Sampling, Schema
from harmony_gen.schema import engine
from support import corpora
from support.bench import needed, write
from support.documents import would_be_written
from support.mutations import mutated

REAL = "suites/xsd/real"
SCHEMAS = {
    "gpx/gpx.xsd": "gpx",
    "iso20022/pain.001.001.09.xsd": "Document",
    "iso20022/pain.008.001.08.xsd": "Document",
    "junit/junit-10.xsd": "testsuites",
    "maven/maven-4.0.0.xsd": "project",
    "ubl/schemas/maindoc/UBL-Invoice-2.1.xsd": "Invoice",
}


def compiled(name: str) -> tuple[Path, Schema[object]]:
    path = corpora.need(REAL) / name
    return path, Schema.from_xsd(path, SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_documents_are_valid_and_end_within_any_budget(adversary: Generator, name: str) -> None:
    path, schema = compiled(name)
    second = etree.XMLSchema(etree.parse(path))
    for seed, room in enumerate((0, 50, 120)):
        budget = needed(adversary, schema) + room
        answer = write(adversary, schema, budget, Sampling(temperature=1.0, seed=seed))
        assert len(answer.tokens) <= budget
        assert schema.judge.accepts(answer.text)
        assert second.validate(etree.fromstring(answer.text)), second.error_log


def schema_of(document: Path) -> tuple[Path, str]:
    """The schema of a real document, and its root."""
    folder = document.parents[1]
    if document.parent.name == "iso20022":
        return document.with_suffix(".xsd"), "Document"
    kind = document.name.split("-")[1]
    return folder / f"schemas/maindoc/UBL-{kind}-2.1.xsd", kind


@pytest.mark.parametrize("folder", ["iso20022", "ubl/samples"])
def test_real_documents_are_within_reach(folder: str) -> None:
    documents = sorted((corpora.need(REAL) / folder).glob("*.xml"))
    schemas = {place: Schema.from_xsd(*place) for place in sorted(set(map(schema_of, documents)))}
    for path in documents:
        schema = schemas[schema_of(path)]
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", path.read_bytes().decode("utf-8-sig"))
        assert schema.canonical is not None
        spelled = schema.canonical(text).encode()
        assert schema.judge.accepts(spelled)
        assert engine.completes(engine.byte_matcher(schema.grammar), spelled), path.name
    assert len(documents) >= 8


@pytest.mark.parametrize("folder", ["iso20022", "ubl/samples"])
def test_changed_documents_are_accepted_only_if_they_are_valid(folder: str) -> None:
    draw = random.Random(0)
    accepted = refused = 0
    for path in sorted((corpora.need(REAL) / folder).glob("*.xml"))[:6]:
        schema_path, root = schema_of(path)
        schema, second = Schema.from_xsd(schema_path, root), etree.XMLSchema(etree.parse(schema_path))
        assert schema.canonical is not None
        spelled = schema.canonical(re.sub(r"^\s*<\?xml[^>]*\?>", "", path.read_bytes().decode("utf-8-sig")))
        for _ in range(60):
            text = mutated(spelled, draw)
            if not would_be_written(schema, text):
                refused += 1
                continue
            accepted += 1
            assert schema.judge.accepts(text.encode()), text
            assert second.validate(etree.fromstring(text)), (second.error_log, text)
    assert min(accepted, refused) > 20
