"""Quotations in XML documents: texts and attributes that are spans of the source by construction."""

from __future__ import annotations

import itertools
import random

import pytest

from harmony_gen import Generator, Sampling, Schema, SchemaError, UnsatisfiableError, ValidationError, verbatim
from harmony_gen.schema import engine
from harmony_gen.schema.markup.place import Place
from harmony_gen.schema.markup.text import escaped

SOURCE = 'He said: "Fish & chips < 5 > 3",\non 2026-11-28;\ttwice.\r 董事会 👩‍🚀 done'

INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
ORDER = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="order"><xs:complexType>
    <xs:sequence>
      <xs:element name="said" type="xs:string" default="nothing"/>
      <xs:element name="other" type="xs:string" minOccurs="0"/>
      <xs:element name="day" type="xs:date" minOccurs="0"/>
      <xs:element name="line" type="line" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="note" type="xs:string" nillable="true" minOccurs="0"/>
      <xs:element name="prose" minOccurs="0"><xs:complexType mixed="true"><xs:sequence>
        <xs:element name="em" type="xs:string" minOccurs="0" maxOccurs="2"/>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="by" type="xs:string" use="required"/>
  </xs:complexType></xs:element>
  <xs:complexType name="line"><xs:sequence><xs:element name="line" type="line" minOccurs="0"/></xs:sequence>
    <xs:attribute name="text" type="xs:string" use="required"/>
    <xs:attribute name="kind" fixed="done"/>
  </xs:complexType>
</xs:schema>
"""


def quoting(*places: str, source: str = SOURCE, schema: str = ORDER) -> Schema[object]:
    """The schema with quotations of a source."""
    return Schema.from_xsd(schema).quoting(list(map(verbatim, places))).bound(source)


def offers(schema: Schema[object], document: str) -> bool:
    """Whether a document is within reach; the judge must agree."""
    data = document.encode()
    found = engine.completes(engine.byte_matcher(schema.grammar), data)
    assert found == schema.accepts(data)
    return found


def order(said: str = "Fish", rest: str = "", by: str = "x") -> str:
    """A document."""
    by, said = escaped(by, attribute=True), escaped(said, attribute=False)
    return f'<order xmlns:xsi="{INSTANCE}" by="{by}"><said>{said}</said>{rest}</order>'


def test_every_part_of_a_source_is_within_reach_and_nothing_else() -> None:
    schema = quoting("/order/said", "/order/@by")
    for start in range(0, len(SOURCE), 3):
        for end in range(start + 1, len(SOURCE) + 1, 7):
            part = SOURCE[start:end]
            assert offers(schema, order(part, by=part))
    for other in ("He  said", SOURCE + ".", "fish", "amp", "&amp;", "quot", "said:\n"):
        assert not offers(schema, order(other, by="He"))
        assert not offers(schema, order("He", by=other))


def test_a_text_that_must_be_quoted_is_not_empty() -> None:
    whole = Schema.from_xsd(ORDER)
    schema = quoting("/order/said", "/order/@by")
    for document in (order("H", by=""), order("H", by="H").replace("<said>H</said>", "<said/>")):
        assert whole.accepts(document.encode())
        assert not engine.completes(engine.byte_matcher(schema.grammar), document.encode())


def test_only_the_places_that_are_named_quote() -> None:
    schema = quoting("/order/said")
    assert offers(schema, order("Fish", "<other>anything</other>", by="anybody"))
    for place in ("/order/other", "//other", "/*/other"):
        assert not offers(quoting(place), order("Fish", "<other>anything</other>"))
        assert offers(quoting(place), order("anything", "<other>Fish</other>"))


def test_types_other_than_strings_quote_as_they_are_written() -> None:
    schema = quoting("/order/day")
    assert offers(schema, order(rest="<day>2026-11-28</day>"))
    assert not offers(schema, order(rest="<day>2026-11-29</day>"))
    assert not offers(quoting("/order/day", source="no day"), order(rest="<day>2026-11-28</day>"))
    assert offers(quoting("/order/day", source="no day"), order())


def test_places_are_found_at_any_depth() -> None:
    nested = '<line text="{}"><line text="{}"/></line>'
    for place, inner, outer in (
        ("//line/@text", True, True),
        ("/order/line/@text", False, True),
        ("/order/line/line/@text", True, False),
        ("/order//line/line/@text", True, False),
        ("//@text", True, True),
        ("//@*", True, True),
    ):
        schema = quoting(place)
        assert offers(schema, order("He", nested.format("Fish", "chips"), by="He"))
        assert offers(schema, order("He", nested.format("beef", "chips"), by="He")) is not outer
        assert offers(schema, order("He", nested.format("Fish", "beef"), by="He")) is not inner


def test_quotations_in_documents_that_are_cut_at_a_depth() -> None:
    """Both copy rules, one after the other."""
    cut = Schema.from_xsd(ORDER, depth=4).quoting([verbatim("//line/@text")]).bound(SOURCE)
    whole = quoting("//line/@text")
    for depth in range(1, 6):
        for text in ("Fish", "beef"):
            line = '<line text="He">' * (depth - 1) + f'<line text="{text}"/>' + "</line>" * (depth - 1)
            document = order(rest=line)
            assert offers(whole, document) == (text == "Fish")
            reached = engine.completes(engine.byte_matcher(cut.grammar), document.encode())
            assert reached == (text == "Fish" and depth < 4), document


def test_what_the_schema_fixes_must_stand_in_the_source_too() -> None:
    line = '<line text="a" kind="done"/>'
    assert offers(quoting("//line/@kind"), order(rest=line))
    assert not offers(quoting("//line/@kind", source="Fish"), order(rest=line))


def test_nil_says_that_there_is_no_quotation() -> None:
    document = order(rest='<note xsi:nil="true"/>')
    assert offers(quoting("/order/note", "//@*", source="Fish x true"), document)


def test_each_text_between_elements_is_a_quotation() -> None:
    schema = quoting("//prose")
    assert offers(schema, order(rest="<prose>He<em>beef</em>said</prose>"))
    assert offers(schema, order(rest="<prose/>"))
    assert not offers(schema, order(rest="<prose>He<em>beef</em>beef</prose>"))
    assert not offers(schema, order(rest="<prose>beef<em>He</em></prose>"))


@pytest.mark.parametrize("seed", range(6))
def test_quotations_of_a_random_model(tiny: Generator, seed: int) -> None:
    rules = [verbatim("/order/said"), verbatim("//line/@text"), verbatim("//prose")]
    sampling = Sampling(temperature=1.0, seed=seed)
    schema = Schema.from_xsd(ORDER)
    result = tiny.generate("x", schema, source=SOURCE, rules=rules, sampling=sampling, max_new_tokens=90)
    assert all(one.attrib["text"] in SOURCE for one in result.value.iter("line"))
    field = result.fields["/order/said"]
    assert field.value in SOURCE
    assert field.source_span is not None
    assert SOURCE[slice(*field.source_span)] == field.value
    schema.quoting(rules).bound(SOURCE).validate(result.text)


def test_numbers_that_are_quoted_are_found_as_they_are_written(tiny: Generator) -> None:
    priced = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:element name="price" type="xs:decimal"/></xs:schema>"""
    for seed in range(4):
        sampling = Sampling(temperature=1.0, seed=seed)
        rules = [verbatim("/price")]
        schema = Schema.from_xsd(priced)
        result = tiny.generate("x", schema, source="x 0012.50 y", rules=rules, sampling=sampling, max_new_tokens=40)
        span = result.fields["/price"].source_span
        assert span is not None
        assert "x 0012.50 y"[slice(*span)] == result.value.text


def test_quotations_that_must_differ() -> None:
    keyed = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>
      <xs:element name="b" type="xs:string" minOccurs="3" maxOccurs="5"/></xs:sequence></xs:complexType>
      <xs:unique name="u"><xs:selector xpath="b"/><xs:field xpath="."/></xs:unique></xs:element></xs:schema>"""
    schema = quoting("/a/b", source="aab", schema=keyed)
    texts = schema.validate(schema.witness())
    values = [one.text for one in texts]
    assert len(set(values)) == 3
    assert all(value in "aab" for value in values)


def test_quotations_where_keys_stand_elsewhere(tiny: Generator) -> None:
    """Some ends of documents with keys hold what keys compare and nothing else."""
    keyed = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType>
      <xs:choice maxOccurs="unbounded"><xs:element name="id" type="xs:string"/><xs:element name="ref" type="xs:string"/>
      <xs:element name="note" type="xs:string"/></xs:choice></xs:complexType>
      <xs:key name="k"><xs:selector xpath="id"/><xs:field xpath="."/></xs:key>
      <xs:keyref name="r" refer="k"><xs:selector xpath="ref"/><xs:field xpath="."/></xs:keyref></xs:element>
    </xs:schema>"""
    for seed in range(6):
        sampling = Sampling(temperature=1.0, seed=seed)
        rules = [verbatim("/a/note"), verbatim("/a/ref")]
        source = Schema.from_xsd(keyed)
        found = tiny.generate("x", source, source="Fish & chips", rules=rules, sampling=sampling, max_new_tokens=90)
        assert all(one.text in "Fish & chips" for one in found.value if one.tag != "id")


def test_a_judge_says_which_text_is_no_quotation() -> None:
    with pytest.raises(ValidationError, match="At /order/said: 'beef' does not stand in the source"):
        quoting("/order/said").validate(order("beef"))
    with pytest.raises(ValidationError, match="/order/line/line/@text"):
        quoting("//@text").validate(order(rest='<line text="He"><line text="beef"/></line>'))


@pytest.mark.parametrize(
    ("places", "source", "error", "words"),
    [
        (["/order/said"], "", SchemaError, "the source is empty"),
        (["/order/nothing"], "Fish", SchemaError, "names no place with text"),
        (["/order"], "Fish", SchemaError, "names no place with text"),
        (["/order/said"], "\x00\x01", UnsatisfiableError, "The source holds nothing"),
    ],
)
def test_what_cannot_be_quoted_is_said(places: list[str], source: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        quoting(*places, source=source)


def test_places_of_plain_texts_are_refused() -> None:
    with pytest.raises(SchemaError, match="Quotations need answers in JSON or XML"):
        Schema.from_regex("a+").quoting([verbatim("/a")])
    with pytest.raises(SchemaError, match="must be an XPath"):
        quoting("/order/said[1]")


def test_steps_and_whole_paths_agree() -> None:
    """A place is matched step by step in a grammar, and at once in a judge."""
    draw = random.Random(0)
    steps = ["a", "b", "*"]
    for _ in range(300):
        parts = [draw.choice(("/", "//")) + draw.choice(steps) for _ in range(draw.randint(0, 3))]
        attribute = draw.choice(("", "/@x", "//@x", "//@*"))
        text = "".join(parts) + attribute
        if not text:
            continue
        place = Place(text)
        for tags in itertools.chain.from_iterable(itertools.product("ab", repeat=size) for size in range(1, 5)):
            state = place.start
            for tag in tags:
                state = place.enter(state, tag)
            path = "".join(f"/{tag}" for tag in tags)
            assert place.names_element(state) == place.matches(path), (text, path)
            assert place.names_attribute(state, "x") == place.matches(f"{path}/@x"), (text, path)
