"""The law of quotations: whatever a model wants, a quotation is a span of the source, and the answer ends in time."""

from __future__ import annotations

import random

import pytest

from harmony_gen import BudgetError, Generator, Sampling, Schema, verbatim

QUOTE = {"type": "string", "x-verbatim": True}
SCHEMAS = {
    "alone": QUOTE,
    "limited": {"type": "string", "minLength": 3, "maxLength": 12, "x-verbatim": True},
    "or null": {"anyOf": [QUOTE, {"type": "null"}]},
    "listed": {"type": "array", "items": QUOTE, "minItems": 2, "maxItems": 6, "uniqueItems": True},
    "among others": {
        "type": "object",
        "properties": {"quote": QUOTE, "speaker": {"enum": ["board", "staff"]}, "score": {"type": "integer"}},
        "required": ["quote", "speaker", "score"],
        "additionalProperties": False,
    },
    "nested": {
        "type": "object",
        "properties": {"claims": {"type": "array", "items": {"$ref": "#/$defs/claim"}, "minItems": 1, "maxItems": 3}},
        "required": ["claims"],
        "additionalProperties": False,
        "$defs": {
            "claim": {
                "type": "object",
                "properties": {"quote": QUOTE},
                "required": ["quote"],
                "additionalProperties": False,
            }
        },
    },
}
ALPHABETS = (
    "abc def",
    'a"\\/\n\t\b\x01 ',
    "董事会说“也许” ",
    "é e\u0301\u2028\u2029\ufeff\x7f\x85",
    "👩‍🚀😀𝒳 x",
    "<>&'\"]]> -",
)


def source(seed: int) -> str:
    """A text of one alphabet, or of all; some are one character, some are full of repetitions."""
    draw = random.Random(seed)
    alphabet = draw.choice([*ALPHABETS, "".join(ALPHABETS)])
    text = "".join(draw.choices(alphabet, k=draw.choice((3, 20, 200, 1500))))
    return text * draw.choice((1, 1, 3))


def quotations(value: object) -> list[str]:
    """The quotations of an answer to one of the schemas."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() if key not in ("speaker", "score") for text in quotations(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in quotations(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("seed", range(6))
def test_quotations_stand_in_the_source_whatever_the_model_wants(adversary: Generator, name: str, seed: int) -> None:
    text = source(seed + 100 * list(SCHEMAS).index(name))
    sampling = Sampling(temperature=1.0, seed=seed)
    with pytest.raises(BudgetError) as caught:
        adversary.generate("Quote.", SCHEMAS[name], source=text, max_new_tokens=1)
    budget = caught.value.needed + (0, 10, 60)[seed % 3]
    result = adversary.generate("Quote.", SCHEMAS[name], source=text, sampling=sampling, max_new_tokens=budget)
    found = quotations(result.value)
    assert result.usage.new_tokens <= budget
    assert found or name == "or null"
    assert all(quote and quote in text for quote in found)
    for pointer, field in result.fields.items():
        if pointer.rpartition("/")[2] not in ("speaker", "score") and isinstance(field.value, str):
            assert field.source_span is not None
            assert text[slice(*field.source_span)] == field.value


def test_a_rule_quotes_like_the_keyword(adversary: Generator) -> None:
    schema = {"type": "object", "properties": {"quote": {"type": "string"}}, "required": ["quote"]}
    for seed in range(6):
        text = source(seed)
        sampling = Sampling(temperature=1.0, seed=seed)
        rules = [verbatim("/quote")]
        result = adversary.generate("x", schema, source=text, rules=rules, sampling=sampling, max_new_tokens=40)
        assert result.value["quote"] in text


DOCUMENTS = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="short">
    <xs:restriction base="xs:string"><xs:maxLength value="12"/></xs:restriction>
  </xs:simpleType>
  <xs:element name="claims"><xs:complexType><xs:sequence>
    <xs:element name="claim" maxOccurs="4"><xs:complexType><xs:simpleContent><xs:extension base="short">
      <xs:attribute name="by" type="xs:string" use="required"/>
      <xs:attribute name="rank" type="xs:integer"/>
    </xs:extension></xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="prose" minOccurs="0"><xs:complexType mixed="true"><xs:sequence>
      <xs:element name="em" type="xs:string" minOccurs="0" maxOccurs="3"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType>
  <xs:unique name="claims"><xs:selector xpath="claim"/><xs:field xpath="@by"/></xs:unique></xs:element>
</xs:schema>"""


@pytest.mark.parametrize("seed", range(12))
def test_quotations_of_documents_stand_in_the_source(adversary: Generator, seed: int) -> None:
    schema = Schema.from_xsd(DOCUMENTS)
    rules = [verbatim("/claims/claim"), verbatim("//claim/@by"), verbatim("//prose"), verbatim("//em")]
    text = source(seed) + "aé"
    with pytest.raises(BudgetError) as caught:
        adversary.generate("Quote.", schema, source=text, rules=rules, max_new_tokens=1)
    budget = caught.value.needed + (0, 10, 60)[seed % 3]
    sampling = Sampling(temperature=1.0, seed=seed)
    result = adversary.generate("Quote.", schema, source=text, rules=rules, sampling=sampling, max_new_tokens=budget)
    assert result.usage.new_tokens <= budget
    schema.validate(result.text)
    found = [claim.attrib["by"] for claim in result.value.iter("claim")]
    assert len(set(found)) == len(found)
    for element in result.value.iter():
        found += [element.text, *(child.tail for child in element)] if element.tag != "claims" else []
    assert all(quote in text for quote in found if quote is not None)
    assert all(claim.text for claim in result.value.iter("claim"))
