"""The XML Schemas in `schemas/xml`: their documents are valid, and subsets admit nothing that the standards do not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from harmony_gen import Generator, Sampling, Schema
from support import corpora

FOLDER = Path(__file__).parents[2] / "schemas" / "xml"
SCHEMAS = {"order.xsd": "order.xml", "pain.001.xsd": "pain.001.xml", "ubl-invoice": "ubl-invoice/Invoice.xml"}
WHOLE = {
    "pain.001.xsd": "suites/xsd/real/iso20022/pain.001.001.09.xsd",
    "ubl-invoice": "suites/xsd/real/ubl/schemas/maindoc/UBL-Invoice-2.1.xsd",
}


def document(name: str) -> str:
    return (FOLDER / SCHEMAS[name]).read_text("utf-8").partition("?>")[2]


@cache
def whole(name: str) -> Any:
    return xmlschema.XMLSchema10(str(corpora.need(WHOLE[name])))


@pytest.mark.parametrize("name", SCHEMAS)
def test_documents_can_be_written(name: str, tiny: Generator) -> None:
    schema = Schema.from_xsd(FOLDER / name)
    assert schema.validate(document(name)) is not None
    assert tiny.accepts(schema, document(name))
    assert not schema.left_out


@pytest.mark.parametrize("name", SCHEMAS)
def test_another_validator_reads_the_schemas(name: str) -> None:
    path = FOLDER / name
    validator = etree.XMLSchema(etree.parse(path / "Invoice.xsd" if path.is_dir() else path))
    assert validator.validate(etree.fromstring(document(name).strip().encode()))


@pytest.mark.parametrize("name", WHOLE)
def test_documents_of_subsets_are_documents_of_the_standards(name: str, tiny: Generator) -> None:
    schema = Schema.from_xsd(FOLDER / name)
    assert whole(name).is_valid(document(name))
    for seed in range(4):
        result = tiny.generate("x", schema, max_new_tokens=1500, sampling=Sampling(temperature=1.0, seed=seed))
        reasons = [f"{error.path}: {error.reason}" for error in whole(name).iter_errors(result.text)]
        assert not reasons
