"""The notation of templates, names, dates and folded lines."""

import random
import re
from datetime import date

import pytest

from finetune.embedded.capitals import in_capitals
from finetune.embedded.domain import domains
from finetune.embedded.draw import Draw
from finetune.embedded.folding import folded
from finetune.embedded.layouts import documents, layouts
from finetune.embedded.layouts.page import Entry, Page
from finetune.embedded.naming import ABBREVIATIONS, name_style, named
from finetune.embedded.open_vocabulary import OPEN
from finetune.embedded.records import Record, make_fact
from finetune.embedded.sampling import sample
from finetune.embedded.splits import SPLITS
from finetune.embedded.template import joined, parse, render, settled, slots, wants_figures
from finetune.embedded.values import GENERATORS
from finetune.embedded.values.numbers import integer, number_word
from finetune.embedded.values.times import written


def texts(source, count=200, **facts):
    draw = Draw(random.Random(0))
    return {joined(render(draw, parse(source), facts.__getitem__)) for _ in range(count)}


def test_choices_may_nest_and_be_empty():
    assert texts("{a} is [red|[dark |]blue][.|]", a="It") == {
        f"It is {color}{stop}" for color in ("red", "blue", "dark blue") for stop in ("", ".")
    }


def test_a_becomes_an_before_a_vowel():
    assert texts("a {kind}", kind="inn") == {"an inn"}
    assert texts("a {kind}", kind="pub") == {"a pub"}


def test_seams_are_smooth():
    assert texts("at {time}. [|]Then {end}[ ].", time="6 p.m.", end="x") == {"at 6 p.m. Then x."}
    assert texts("[|] Good [|] day", a="") == {"Good day"}


@pytest.mark.parametrize("source", ["[a", "a]", "[a|b", "x [y]]"])
def test_brackets_must_match(source):
    with pytest.raises(ValueError, match="bracket"):
        parse(source)


def test_slots_and_figures():
    template = parse("{a} [{b}|{c?yes:no}] {%person} {d}x")
    assert slots(template) == {"a", "b", "c", "d"}
    assert wants_figures(template)
    assert not wants_figures(parse("{a} x"))
    assert wants_figures(parse("[y|{a}th]"))


def test_a_settled_template_has_no_choice_left():
    draw = Draw(random.Random(1))
    assert len({joined(render(draw, settled(draw, parse("[a|[b|c]]")), str)) for _ in range(50)}) == 3
    template = settled(draw, parse("[a|[b|c]]"))
    assert len({joined(render(draw, template, str)) for _ in range(50)}) == 1


def test_a_wording_may_depend_on_a_fact():
    domain = next(domain for domain in domains() if domain.name == "restaurant")
    said = set()
    for seed in range(30):
        record = Record(Draw(random.Random(seed)), domain)
        said.add((record.surface("family?yes:no"), record.facts["family"].gold))
    assert said == {("yes", True), ("no", False)}


@pytest.mark.parametrize("name", ["due date", "driver's license", "VAT"])
def test_names_take_every_style(name):
    draw = Draw(random.Random(2))
    for _ in range(40):
        assert re.fullmatch(r"[A-Za-z_ -]+", named(name_style(draw), name))


def test_chinese_names_have_no_style():
    assert named(str.upper, "发票号码") == "发票号码"


@pytest.mark.parametrize(
    ("number", "word"), [(0, "zero"), (21, "twenty-one"), (40, "forty"), (300, "three hundred"), (2000, "two thousand")]
)
def test_numbers_in_words(number, word):
    assert number_word(number) == word


@pytest.mark.parametrize("language", ["en", "zh"])
def test_dates_in_figures_can_be_read_in_one_way_only(language):
    draw = Draw(random.Random(3), language=language)
    for ordinal in range(730_000, 730_700):
        value = written(draw, date.fromordinal(ordinal))
        assert value.gold == date.fromordinal(ordinal).isoformat()
        if match := re.fullmatch(r"(\d+)[/-](\d+)[/-](\d{4})", value.surface):
            assert max(int(match[1]), int(match[2])) > 12


@pytest.mark.parametrize("split", ["train", "words"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_generator_makes_values_of_its_kind(split, language):
    kinds = {"str": str, "int": int, "num": (int, float), "date": str}
    draw = Draw(random.Random(4), split, language)
    for kind, generate in GENERATORS.values():
        for prose in (False, True):
            draw.prose = prose
            value = generate(draw)
            assert isinstance(value.gold, kinds[kind])
            assert value.surface == value.surface.strip()
            if kind == "str":
                assert value.gold == value.surface


def test_folding_breaks_no_copied_string():
    text = "the quick brown fox jumps over the lazy dog and runs away"
    result = folded(text, {"a": ["brown fox jumps"]}, 12)
    assert "brown fox jumps" in result
    assert "\n" in result
    assert result.replace("\n", " ") == text


def test_capitals_change_quotations_but_neither_enumerations_nor_dates():
    fields = {
        "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "status": {"enum": ["paid", None]},
        "due": {"type": "string", "format": "date"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"item": {"type": "string"}}}},
    }
    value = {"name": "Ada Lee", "status": "paid", "due": "2024-05-01", "lines": [{"item": "rye bread"}]}
    text, raised = in_capitals(
        "Ada Lee paid for rye bread, due May 1st, 2024", value, {"type": "object", "properties": fields}
    )
    assert text == "ADA LEE PAID FOR RYE BREAD, DUE MAY 1ST, 2024"
    assert raised == {**value, "name": "ADA LEE", "lines": [{"item": "RYE BREAD"}]}
    assert in_capitals("-", {"name": None}, {"properties": fields})[1] == {"name": None}


def test_a_sheet_tells_every_fact_in_fewer_lines():
    entries = tuple(Entry(f"label {number}", f"value {number}") for number in range(8))
    page = Page("form", "A form", entries, "en")
    sheets = [documents.sheet(Draw(random.Random(seed)), page) for seed in range(50)]
    assert all(entry.label in text and entry.surface in text for entry in entries for text in sheets)
    assert all(any(line.count("label") > 1 for line in text.splitlines()) for text in sheets)


def test_a_text_never_lacks_what_it_tells_in_another_form():
    rivals = {field.key: field.rival for domain in domains() for field in domain.fields if field.rival}
    assert {"items", "scorer"} <= set(rivals.values())
    rng = random.Random(5)
    for _ in range(3000):
        task = sample(rng)
        if task.domain == "shopping_list" and task.layout == "prose":
            lists = [part for part in task.value.values() if isinstance(part, list)]
            assert len([part for part in lists if not part]) == 0 or not any(lists)


ROWS = ((("Item", "rope"), ("Price", "4.50")), (("Item", "lamp"), ("Price", "19")))
ENTRIES = (Entry("Place", "upstairs"), Entry("Shop", "Miller & Sons"), Entry("Goods", "", ROWS))


@pytest.mark.parametrize("layout", [documents.document, documents.till_slip])
def test_a_document_may_begin_with_a_name_that_has_no_label(layout):
    shown = [layout(Draw(random.Random(seed)), Page("bill", "Bill", ENTRIES, "en")) for seed in range(200)]
    assert all("Miller & Sons" in text and "Place" in text for text in shown)
    bare = [text for text in shown if "Shop" not in text]
    assert 0.25 < len(bare) / len(shown) < 0.45
    assert all(text.index("Miller") < text.index("Place") for text in bare)


@pytest.mark.parametrize("layout", [documents.document, documents.till_slip])
def test_names_that_nobody_can_guess_are_written_down(layout):
    for seed in range(100):
        text = layout(Draw(random.Random(seed)), Page("bill", "Bill", ENTRIES, "en", guessable=False))
        assert all(label in text for label in ("Shop", "Item", "Price"))


def test_rows_of_any_names_can_be_read_in_every_layout():
    rng, seen = random.Random(8), set()
    for _ in range(3000):
        task = sample(rng)
        if task.domain != OPEN or task.layout not in layouts(task.language, held=False):
            continue
        for name, part in task.schema.get("properties", {}).items():
            if part.get("type") == "array" and part["items"]["type"] == "object" and task.value.get(name):
                seen.add(task.layout)
                plain = re.sub(r"[^a-z]", "", task.text.lower())
                for label in part["items"]["properties"]:
                    assert any(spelling in plain for spelling in _spellings(label)), (task.text, label)
    assert len(seen) > 15


def _spellings(name):
    """The letters of a name, with one of its words as it may be shortened or in full."""
    letters = re.sub(r"[^a-z]", "", name.lower())
    return {letters, *(letters.replace(short, word) for word, short in ABBREVIATIONS.items())}


def test_words_of_address_and_articles_are_no_part_of_the_answer():
    draw = Draw(random.Random(0))
    people = [GENERATORS["person"][1](draw) for _ in range(300)]
    assert 10 < sum(person.surface != person.gold for person in people) < 50
    assert all(person.surface.endswith(person.gold) for person in people)
    draw.prose = True
    things = next(field for domain in domains() for field in domain.fields if field.key == "stolen")
    lists = [make_fact(draw, things, whole=False) for _ in range(100)]
    assert any(fact.surface.startswith(f"a {fact.gold[0]}") for fact in lists)
    assert not any(part.startswith("a ") for fact in lists for part in fact.gold)


def test_a_size_is_part_of_the_name_of_a_product():
    draw = Draw(random.Random(0))
    products = [GENERATORS["product"][1](draw) for _ in range(300)]
    assert all(product.surface == product.gold for product in products)
    assert sum(bool(re.search(r"\d ?(mm|cm|kg|g|ml|l)\b", product.gold)) for product in products) > 10


@pytest.mark.parametrize("number", [-3000, -5])
def test_numbers_below_zero_have_no_word(number):
    draw = Draw(random.Random(0))
    draw.prose = True
    assert {integer(draw, number, number).gold for _ in range(50)} == {number}


def test_splits_are_named():
    assert SPLITS == ("train", "fresh", "words", "aliases", "layouts", "domains")
