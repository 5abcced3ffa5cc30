"""Tasks are valid, answerable from their texts, reproducible, and keep what is held out out of training."""

import random
from collections import Counter

import jsonschema
import pytest

from finetune.embedded import sampling
from finetune.embedded.domain import domains
from finetune.embedded.layouts import layouts
from finetune.embedded.layouts.tables import GRIDS
from finetune.embedded.naming import named
from finetune.embedded.sampling import sample
from finetune.embedded.splits import HELD_DOMAINS, HELD_LAYOUTS, SPLITS, is_held_word
from finetune.embedded.template import joined, render
from finetune.embedded.values.pools import POOLS

COUNT = 1500


def tasks(split, count=COUNT, seed=1):
    rng = random.Random(seed)
    return [sample(rng, split) for _ in range(count)]


@pytest.fixture(scope="module")
def trained():
    return tasks("train", 4000)


def copied(value, schema):
    """Strings that the answer copies: neither enumerations nor dates."""
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if isinstance(value, dict):
        for name, part in value.items():
            yield from copied(part, schema["properties"][name])
    elif isinstance(value, list):
        for part in value:
            yield from copied(part, schema["items"])
    elif isinstance(value, str) and "enum" not in schema and schema.get("format") != "date":
        yield value


def names(schema):
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from names(part)
    if "items" in schema:
        yield from names(schema["items"])


@pytest.mark.parametrize("split", SPLITS)
def test_every_value_is_valid_and_every_copied_string_stands_in_the_text(split):
    for task in tasks(split):
        jsonschema.Draft202012Validator(
            task.schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        ).validate(task.value)
        assert task.text.strip()
        for text in copied(task.value, task.schema):
            assert text in task.text, (task.domain, task.layout)


def ordered(value, schema):
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if isinstance(value, dict):
        wanted = [name for name in schema["properties"] if name in value]
        return list(value) == wanted and all(ordered(value[name], schema["properties"][name]) for name in wanted)
    if isinstance(value, list):
        return all(ordered(part, schema["items"]) for part in value)
    return True


def test_properties_stand_in_the_order_of_the_schema_and_nothing_else_is_allowed(trained):
    for task in trained:
        assert ordered(task.value, task.schema)
        jsonschema.Draft202012Validator.check_schema(task.schema)
        schema = task.schema["items"] if task.schema["type"] == "array" else task.schema
        assert schema["additionalProperties"] is False
        assert schema["properties"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_state_gives_the_same_tasks(split):
    assert tasks(split, 100, seed=7) == tasks(split, 100, seed=7)


def test_train_and_fresh_are_one_distribution():
    assert tasks("train", 200) == tasks("fresh", 200)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="'test'"):
        sample(random.Random(0), "test")


def test_training_never_sees_held_out_domains_and_layouts(trained):
    assert not {task.domain for task in trained} & HELD_DOMAINS
    seen = {part for task in trained for part in task.layout.split("+")}
    assert not seen & HELD_LAYOUTS
    known = {name for language in ("en", "zh") for name in layouts(language, held=False)} | set(GRIDS)
    assert seen - {"prose"} <= known
    assert len(known) >= 30


def test_training_with_few_layouts() -> None:
    rng = random.Random(5)
    drawn = [sample(rng, layouts=3) for _ in range(600)]
    seen = {part for task in drawn for part in task.layout.split("+")} - {"prose"}
    known = {name for language in ("en", "zh") for name in layouts(language, held=False)} | set(GRIDS)
    assert 4 < len(seen) <= 12  # labelled in two languages, repeated, in tables
    assert seen < known


def test_the_held_out_domains_layouts_exist():
    assert {domain.name for domain in domains()} >= HELD_DOMAINS
    every = {name for language in ("en", "zh") for held in (True, False) for name in layouts(language, held=held)}
    assert every | set(GRIDS) >= HELD_LAYOUTS
    assert len(HELD_DOMAINS) >= 6
    assert len([domain for domain in domains() if domain.name not in HELD_DOMAINS]) >= 60


def test_the_splits_show_what_training_does_not():
    assert {task.domain for task in tasks("domains", 300)} == HELD_DOMAINS
    shown = Counter(task.layout for task in tasks("layouts", 600))
    assert set(shown) <= HELD_LAYOUTS | {"prose"}
    assert shown["prose"] > 100


def held_aliases():
    for domain in domains():
        for field in domain.fields:
            yield domain, field


def test_training_never_uses_a_held_out_name_for_its_field(monkeypatch):
    used = set()
    real = sampling.ask

    def spy(draw, wanted, request):
        schema, value = real(draw, wanted, request)
        fields = [field for field, _ in wanted]
        told = {named(request.style, name) for field in fields for name in field.names}
        secret = {named(request.style, name) for field in fields for name in field.held_names} - told
        used.update(secret & set(schema["properties"]))
        return schema, value

    monkeypatch.setattr(sampling, "ask", spy)
    tasks("train", 3000)
    assert not used
    tasks("aliases", 300)
    assert used


def test_names_of_a_domain_are_names_of_one_field_only():
    for domain in domains():
        for fields in (domain.fields, *(field.parts for field in domain.fields)):
            every = [name for field in fields for name in (*field.names, *field.held_names)]
            assert len(every) == len(set(every)), domain.name


def test_most_fields_of_known_domains_keep_a_name_from_training():
    fields = [field for domain in domains() if domain.name not in HELD_DOMAINS for field in domain.fields]
    assert sum(bool(field.held_names) for field in fields) > 0.9 * len(fields)
    assert all(field.names for field in fields)


def test_training_never_copies_a_held_out_word(trained):
    secret = {word for pool in POOLS.values() for word in pool.held if " " not in word and len(word) > 2}
    assert len(secret) > 150
    copies = Counter()
    for task in trained:
        for text in copied(task.value, task.schema):
            copies.update(set(text.replace(",", " ").split()) & secret)
    # Fixed parts of generated names may spell such a word, as a kind of street does; no other is ever drawn.
    assert sum(copies.values()) < 0.005 * len(trained), copies


def test_the_split_of_words_copies_held_out_words():
    secret = {word for pool in POOLS.values() for word in pool.held}
    found = sum(any(word in task.text for word in secret) for task in tasks("words", 300))
    assert found > 150


def test_one_word_in_ten_is_held_out():
    words = [word for pool in POOLS.values() for word in (*pool.train, *pool.held)]
    assert 0.07 < sum(map(is_held_word, words)) / len(words) < 0.17
    assert all(map(is_held_word, POOLS["cities"].held))
    assert not any(map(is_held_word, POOLS["cities"].train))


def test_lengths_lie_where_training_is_fast(trained):
    lengths = sorted(len(task.text) for task in trained)
    assert 80 < lengths[len(lengths) // 2] < 400
    assert lengths[-1] > 1500
    assert lengths[-1] <= 4000


def test_the_mixture_holds_what_it_should(trained):
    share = Counter(task.domain == "open" for task in trained)[True] / len(trained)
    assert 0.18 < share < 0.32
    assert 0.1 < sum(task.language == "zh" for task in trained) / len(trained) < 0.25
    assert sum(task.layout.startswith("prose") for task in trained) / len(trained) > 0.35
    whole = str([task.value for task in trained])
    assert "None" in whole
    assert "[]" in whole
    assert "True" in whole
    assert "False" in whole
    assert any("anyOf" in str(task.schema) for task in trained)
    assert any("description" in str(task.schema) for task in trained)
    assert any(name.isupper() for task in trained for name in names(task.schema))


def test_every_template_of_every_domain_can_be_written():
    from finetune.embedded.draw import Draw
    from finetune.embedded.records import Record

    draw = Draw(random.Random(3))
    for domain in domains():
        draw.language, draw.prose = domain.language, True
        for prose in (domain.prose, domain.held_prose):
            for template in (*prose.texts, *prose.sentences, *prose.requests):
                record = Record(draw, domain)
                text = joined(render(draw, template, record.surface))
                assert text
                assert "{" not in text


def test_the_command_prints_tasks(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["sampling", "--split", "domains", "--seed", "1", "--count", "2"])
    sampling.main()
    assert capsys.readouterr().out.count("---") >= 2
