"""Scores are what scikit-learn says they are; faults are told apart; sure is what drawn documents say."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pydantic
import pytest
from sklearn.metrics import precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from harmony_gen import Generator, HarmonyError, Schema
from harmony_gen.calibration import expected_error, reliability
from harmony_gen.evaluation import Answer, Counts, Equality, Gold, Options, Report, compare, evaluate, resampling

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "a": {"type": ["string", "null"]},
        "b": {"type": "integer"},
        "c": {"enum": ["x", "y", "z"]},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}, "qty": {"type": "integer"}}},
        },
    },
}
FEW = Options(resamples=50)


def value(draw: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "a": draw.choice(["u", "v", None]),
        "b": draw.randrange(3),
        "c": draw.choice("xyz"),
        "tags": draw.sample("pqrst", draw.randrange(4)),
    }
    return {name: part for name, part in found.items() if draw.random() < 0.8}


def run(count: int, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Gold records and records of answers, at random."""
    draw = random.Random(seed)
    gold = [{"id": str(number), "value": value(draw)} for number in range(count)]
    answers = []
    for record in gold:
        other = value(draw)
        kept = {name: part for name, part in record["value"].items() if draw.random() < 0.6}
        fields = {
            f"/{name}": {"confidence": draw.random(), "allowed_mass": draw.random()} for name in {**other, **kept}
        }
        answers.append({"id": record["id"], "value": {**other, **kept}, "fields": fields})
    draw.shuffle(answers)
    return gold, answers


def one(gold: Any, answer: Any, schema: Any = SCHEMA, **options: Any) -> Report:
    how = Options(resamples=1, **options)
    return evaluate([{"id": "1", "value": answer}], [{"id": "1", "value": gold}], schema, options=how)


def labels(values: list[dict[str, Any]], name: str) -> list[set[str]]:
    """The values of a field as labels of documents."""
    found = [record.get(name) for record in values]
    return [set(one) if isinstance(one, list) else set() if one is None else {str(one)} for one in found]


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_random_values_are_those_of_scikit_learn(seed: int) -> None:
    gold, answers = run(60, seed)
    report = evaluate(answers, gold, SCHEMA, options=FEW)
    given = {record["id"]: record["value"] for record in answers}
    wanted, found = [record["value"] for record in gold], [given[record["id"]] for record in gold]
    everything: list[tuple[Any, Any]] = []
    for name, field in (("a", "/a"), ("b", "/b"), ("c", "/c"), ("tags", "/tags/*")):
        right, made = labels(wanted, name), labels(found, name)
        classes = MultiLabelBinarizer().fit([*right, *made])
        pair = classes.transform(right), classes.transform(made)
        everything.append(pair)
        score = next(one for one in report.fields if one.field == field)
        expected = precision_recall_fscore_support(*pair, average="micro", zero_division=0)[:3]
        assert (score.precision.value, score.recall.value, score.f1.value) == pytest.approx(expected)
        occurs = [
            bool(one or two) or name in {**gold_one, **given_one}
            for one, two, gold_one, given_one in zip(right, made, wanted, found, strict=True)
        ]
        if name != "tags":  # an empty list has no value, nor a place
            same = sum(one == two for one, two, there in zip(right, made, occurs, strict=True) if there)
            assert score.exact.value == pytest.approx(same / sum(occurs))
    whole = [np.concatenate([pair[side] for pair in everything], axis=1) for side in (0, 1)]
    expected = precision_recall_fscore_support(*whole, average="micro", zero_division=0)[:3]
    overall = report.overall
    assert (overall.precision.value, overall.recall.value, overall.f1.value) == pytest.approx(expected)
    exact = np.mean([
        all(labels([one], name) == labels([two], name) for name in ("a", "b", "c", "tags"))
        for one, two in zip(wanted, found, strict=True)
    ])  # fmt: skip
    assert overall.exact.value == pytest.approx(exact)
    assert report.macro_f1 == pytest.approx(np.mean([field.f1.value for field in report.fields]))


def test_calibration_error_is_that_of_another_computation() -> None:
    gold, answers = run(200, 3)
    report = evaluate(answers, gold, SCHEMA, options=FEW)
    right = {(record["id"], name): part for record in gold for name, part in record["value"].items()}
    confidences, is_right = [], []
    for record in answers:
        for name, part in record["value"].items():
            if name != "tags":
                confidences.append(record["fields"][f"/{name}"]["confidence"])
                is_right.append(right.get((record["id"], name)) == part)
    said, was = np.array(confidences), np.array(is_right)
    bins = [np.minimum((said * 10).astype(int), 9) == number for number in range(10)]
    expected = sum(part.mean() * abs(said[part].mean() - was[part].mean()) for part in bins)
    assert report.reliability is not None
    assert report.reliability.error == pytest.approx(expected)
    assert report.reliability.count == len(confidences) == sum(part.count for part in report.reliability.bins)
    assert expected_error(confidences, is_right) == pytest.approx(expected)
    masses = [
        record["fields"][f"/{name}"]["allowed_mass"] for record in answers for name in record["value"] if name != "tags"
    ]
    assert report.allowed_mass == pytest.approx(np.mean(masses))


def test_bins_hold_values_of_like_confidence() -> None:
    low, high = reliability([0.05, 1.0, 0.95], [False, True, False])
    assert (low.low, low.high, low.count, low.confidence, low.right) == (0, 0.1, 1, 0.05, 0)
    assert (high.low, high.high, high.count, high.right) == (0.9, 1, 2, 0.5)
    assert high.confidence == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("gold", "answer", "counts"),
    [
        ({"b": 1}, {"b": 1.0}, Counts(right=1)),
        ({"b": 1}, {"b": 2}, Counts(wrong=1)),
        ({"a": "x"}, {"a": None}, Counts(missing=1)),
        ({"a": "x"}, {}, Counts(missing=1)),
        ({"a": None}, {"a": "x"}, Counts(invented=1)),
        ({}, {"a": "x"}, Counts(invented=1)),
        ({"a": None}, {"a": None}, Counts(empty=1)),
        ({"a": None}, {}, Counts(empty=1)),
        ({"tags": []}, {"tags": ["p"]}, Counts(invented=1)),
        ({"tags": ["p", "q"]}, {"tags": ["q", "r", "p"]}, Counts(right=2, invented=1)),
        ({"lines": [{"sku": "s", "qty": 1}, {"sku": "t", "qty": 2}]}, {"lines": [{"sku": "t", "qty": 3}]},
         Counts(right=1, wrong=1, missing=2)),
        ({"lines": [{"sku": "s"}]}, {"lines": ["s"]}, Counts(missing=1, invented=1)),
        ({"b": 1}, [1], Counts(missing=1, invented=1)),
        ({"b": 1}, 1, Counts(missing=1, invented=1)),
        ({"b": 1}, None, Counts(missing=1, empty=1)),
    ],
)  # fmt: skip
def test_faults_are_told_apart(gold: Any, answer: Any, counts: Counts) -> None:
    report = one(gold, answer)
    assert report.overall.counts == counts
    assert report.overall.exact.value == counts.is_right
    assert len(report.mistakes) == counts.wrong + counts.missing + counts.invented


def test_fields_are_named_by_what_the_schema_declares() -> None:
    schema = {
        "type": "object",
        "properties": {
            "point": {"prefixItems": [{"type": "number"}, {"type": "number"}], "type": "array"},
            "scores": {"type": "object", "additionalProperties": {"$ref": "#/$defs/score"}},
            "a/b": {"anyOf": [{"$ref": "#/$defs/score"}, {"type": "null"}]},
        },
        "$defs": {"score": {"type": "object", "properties": {"value": {"type": ["number", "string"]}}}},
    }
    gold = {"point": [1, 2], "scores": {"ann": {"value": 1}, "bob": {"value": "2.50"}}, "a/b": {"value": 3}}
    answer = {"point": [2, 1], "scores": {"ann": {"value": "1"}, "bob": {"value": 2.5}}, "a/b": {"value": "3.0"}}
    report = one(gold, answer, schema)
    counts = {field.field: field.counts for field in report.fields}
    assert counts == {
        "/point/0": Counts(wrong=1),
        "/point/1": Counts(wrong=1),
        "/scores/*/value": Counts(right=2),
        "/a~1b/value": Counts(right=1),
    }


def test_options_of_equality_reach_the_values() -> None:
    assert one({"a": "ann lee"}, {"a": "Ann  Lee"}).overall.counts == Counts(wrong=1)
    assert one({"a": "ann lee"}, {"a": "Ann  Lee"}, equality=Equality(ignore_case=True)).overall.counts == Counts(
        right=1
    )
    strict = Equality(ignore_white_space=False)
    assert one({"a": "x"}, {"a": "x "}, equality=strict).overall.counts == Counts(wrong=1)


def test_spans_confidences_and_sources_of_the_values_they_belong_to() -> None:
    source = "b: 5, and then a: u"
    gold = Gold("1", {"tags": ["p", "q"], "b": 5}, {"/tags/0": (0, 4), "/tags/1": (4, 8), "/b": (3, 4)}, source)
    fields = {
        "/tags/0": {"confidence": 0.9, "source_span": [4, 8]},
        "/tags/1": {"confidence": 0.8, "source_span": [2, 6]},
        "/b": {"confidence": 0.7, "allowed_mass": 0.5},
    }
    report = evaluate([{"id": 1, "value": {"tags": ["q", "p"], "b": 6}, "fields": fields}], [gold], SCHEMA, options=FEW)
    tags, number = report.fields
    assert tags.spans is not None
    assert (tags.spans.gold, tags.spans.exact) == (2, 1)
    assert tags.spans.overlap == pytest.approx((1 + 2 / 6) / 2)
    assert number.spans is not None
    assert number.spans.exact == 0
    (mistake,) = report.mistakes
    assert (mistake.pointer, mistake.gold, mistake.given, mistake.fault) == ("/b", 5, 6, "wrong")
    assert (mistake.confidence, mistake.gold_span, mistake.span) == (0.7, (3, 4), None)
    assert report.sources == {"1": source}
    assert report.allowed_mass == 0.5


def test_confident_mistakes_come_first() -> None:
    gold, answers = run(50, 1)
    report = evaluate(answers, gold, SCHEMA, options=FEW)
    confidences = [mistake.confidence or 0 for mistake in report.mistakes]
    assert confidences == sorted(confidences, reverse=True)
    assert len(set(confidences)) > 10


def test_answers_that_are_not_there_count_as_missing() -> None:
    gold = [{"id": name, "value": {"b": 1, "a": None}} for name in "123"]
    answers = [{"id": "1", "value": {"b": 1}}, {"id": "2", "error": {"type": "BudgetError", "message": "too small"}},
               {"id": "x", "value": {}}]  # fmt: skip
    report = evaluate(answers, gold, SCHEMA, options=FEW)
    assert report.overall.counts == Counts(right=1, missing=2, empty=3)
    assert [document.error for document in report.failed] == ["BudgetError: too small"]
    assert (report.unanswered, report.superfluous) == (("3",), ("x",))
    assert report.valid.value == report.overall.exact.value == pytest.approx(1 / 3)


def test_free_answers_beside_constrained_ones() -> None:
    gold = [{"id": name, "value": {"b": 1}} for name in "1234"]
    free = [{"id": "1", "value": {"b": 1}}, {"id": "2", "value": {"b": "one"}}, {"id": "3", "error": "no JSON"}]
    report = evaluate(gold, gold, SCHEMA, free=free, options=FEW)
    assert report.free is not None
    assert (report.valid.value, report.free.valid.value) == (1, 0.25)
    comparison = compare(report.free, report, options=FEW)
    assert [one.gain.value for one in comparison.overall] == [pytest.approx(2 / 3), 0.75, 0.75]


def test_of_documents_of_an_xml_schema(tmp_path: Any) -> None:
    (tmp_path / "order.xsd").write_text("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:element name="order"><xs:complexType><xs:sequence>
        <xs:element name="line" maxOccurs="unbounded"><xs:complexType><xs:sequence>
          <xs:element name="sku" type="xs:string"/><xs:element name="price" type="xs:decimal"/>
        </xs:sequence><xs:attribute name="no" type="xs:int"/></xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element></xs:schema>""")
    schema = Schema.from_xsd(tmp_path / "order.xsd")
    first, second = (
        '<line no="1"><sku>A</sku><price>1.50</price></line>',
        '<line no="2"><sku>B</sku><price>2</price></line>',
    )
    gold = f"<order>\n {first}\n {second}\n</order>"
    answer = f"<order>{second.replace('2<', '2.0<')}{first.replace('1.50', '1.6')}</order>"
    confidence = {"/order/line[2]/price": {"confidence": 0.25}}
    report = evaluate([{"id": "1", "value": answer, "fields": confidence}], [{"id": "1", "value": gold}], schema)
    assert {field.field: field.counts for field in report.fields} == {
        "/order/line/@no": Counts(right=2),
        "/order/line/sku": Counts(right=2),
        "/order/line/price": Counts(right=1, wrong=1),
    }
    (mistake,) = report.mistakes
    assert (mistake.gold_pointer, mistake.pointer) == ("/order/line[1]/price", "/order/line[2]/price")
    assert (mistake.gold, mistake.given, mistake.confidence) == (Decimal("1.50"), Decimal("1.6"), 0.25)


def test_results_of_a_generator(tiny: Generator) -> None:
    class Line(pydantic.BaseModel):
        sku: str = pydantic.Field(max_length=3)
        price: Decimal = pydantic.Field(ge=0, le=9)

    result = tiny.generate("A-1 for 3", Line, max_new_tokens=60)
    answer = Answer.of_result("1", result, "A-1 for 3")
    gold = {"id": "1", "value": {"sku": result.value.sku, "price": float(result.value.price)}}
    report = evaluate([answer], [gold], Line, options=FEW)
    assert report.overall.counts == Counts(right=2)
    assert report.reliability is not None
    assert report.reliability.count == 2


def test_plain_texts() -> None:
    schema = Schema.from_regex("[ab]+")
    assert one("ab", "ab", schema).overall.exact.value == 1
    report = one("ab", "c", schema)
    assert (report.valid.value, report.overall.counts) == (0, Counts(wrong=1))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(100):
        given = rng.integers(1, 5, size=80)
        right = rng.binomial(given, 0.8)
        counts = resampling.table([Counts(right=int(a), wrong=int(b - a)) for a, b in zip(right, given, strict=True)])
        (draws,) = resampling.resampled([counts], 100, seed)
        found = resampling.estimate(resampling.f1(counts.sum(axis=0)), resampling.f1(draws))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.8 <= found.high
    assert 87 <= held <= 99  # 95 are expected


def test_tests_find_chance_where_there_is_but_chance() -> None:
    gold, answers = run(60, 7)
    _, others = run(60, 7)
    draw = random.Random(1)
    low = 0
    both = [evaluate(side, gold, SCHEMA, options=FEW) for side in (others, gold)]
    for seed in range(40):  # two runs that differ by nothing but luck
        chosen = [[draw.choice(pair) for pair in zip(*(one.documents for one in both), strict=True)] for _ in both]
        sides = [replace(both[0], documents=tuple(documents)) for documents in chosen]
        low += compare(*sides, options=Options(resamples=99, seed=seed)).overall[0].p < 0.1
    assert low <= 10  # 4 are expected
    better = evaluate(gold, gold, SCHEMA, options=FEW)
    found = compare(evaluate(answers, gold, SCHEMA, options=FEW), better, options=Options(resamples=999)).overall[0]
    assert found.p == 0.001
    assert found.gain.low is not None
    assert found.gain.low > 0


def test_permutation_tests_are_those_of_all_permutations() -> None:
    first = [np.array([[1.0, 2, 2], [0, 1, 2], [2, 2, 2], [0, 2, 1]])]
    second = [np.array([[2.0, 2, 2], [1, 2, 2], [2, 2, 2], [1, 1, 1]])]
    gain = float(resampling.f1(second[0].sum(0)) - resampling.f1(first[0].sum(0)))
    exact = []
    for choice in range(16):
        keep = np.array([choice >> bit & 1 for bit in range(4)])[:, None]
        one, other = (np.where(keep, *pair).sum(0) for pair in ((first[0], second[0]), (second[0], first[0])))
        exact.append(abs(float(resampling.f1(other) - resampling.f1(one))) >= gain - 1e-12)
    (one,), (other,) = resampling.exchanged(first, second, 4000, 0)
    found = np.mean(np.abs(resampling.f1(other) - resampling.f1(one)) >= gain - 1e-12)
    assert found == pytest.approx(np.mean(exact), abs=0.03)


def test_probabilities_of_several_tests() -> None:
    assert resampling.holm([0.01, 0.04, 0.03, 0.5]) == [0.04, 0.09, 0.09, 0.5]
    assert resampling.holm([0.9, 0.8]) == [1.0, 1.0]
    assert resampling.holm([]) == []


def test_the_same_seed_gives_the_same_report() -> None:
    gold, answers = run(20, 2)
    assert evaluate(answers, gold, SCHEMA, options=FEW) == evaluate(answers, gold, SCHEMA, options=FEW)
    other = evaluate(answers, gold, SCHEMA, options=Options(resamples=50, seed=1))
    assert other.overall.f1.value == evaluate(answers, gold, SCHEMA, options=FEW).overall.f1.value
    assert other != evaluate(answers, gold, SCHEMA, options=FEW)


@pytest.mark.parametrize(
    ("answers", "gold", "words"),
    [
        ([], [], "There are no gold values"),
        ([{"id": "1", "value": {}}], [{"id": "2", "value": {}}], "of a gold value. Gold values: '2'; answers: '1'"),
        ([], [{"id": "2", "value": {}}], "answers: none"),
        ([{"id": "1", "value": {}}] * 2, [{"id": "1", "value": {}}], "among the answers, but '1' stand there again"),
        ([], [{"id": "1", "value": {}}] * 2, "among the gold values"),
        ([{"id": "1"}], [{"id": "1", "value": {}}], "Number 1 of the answers cannot be used: it has neither"),
        ([], [{"value": {}}], "it has no id"),
        ([], [{"id": 1.5, "value": {}}], "must be a string or an integer, not 1.5"),
        ([], [{"id": "1", "value": {}}, {"id": "1"}], "Number 2 of the gold values cannot be used: it has no value"),
        ([], [{"id": "1", "value": {}, "spans": {"/a": [2, 1]}}], "the span of '/a' must be"),
        ([{"id": "1", "value": {}}], [{"id": "1", "value": {"b": 1}, "spans": {"/c": [1, 2]}}], "none of its values"),
        ([{"id": "1", "value": {}}], [{"id": "1", "value": {"b": 1}, "spans": {"/b": [1, 2]}, "source": "1"}], "'/b'"),
        ([{"id": "1", "value": {}, "fields": []}], [{"id": "1", "value": {}}], "its fields must be an object"),
        ([{"id": "1", "value": {}, "fields": {"/a": 1}}], [{"id": "1", "value": {}}], "what it says of '/a'"),
        ([{"id": "1", "value": {}, "fields": {"/a": {"confidence": 2}}}], [{"id": "1", "value": {}}], "to 1, not 2"),
        ([{"id": "1", "value": {}}], [{"id": "1", "value": {"b": "x"}}], "1 gold values are not valid"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_said(answers: Any, gold: Any, words: str) -> None:
    with pytest.raises(HarmonyError) as caught:
        evaluate(answers, gold, SCHEMA)
    assert words in str(caught.value)


def test_runs_without_a_common_document_are_not_compared() -> None:
    with pytest.raises(HarmonyError, match="no document in common"):
        compare(one({}, {}), evaluate([{"id": "2", "value": {}}], [{"id": "2", "value": {}}], SCHEMA))
    with pytest.raises(ValueError, match="at least 1; it is 0"):
        Options(resamples=0)


def test_an_evaluation_needs_no_torch() -> None:
    code = (
        "import sys; from harmony_gen.evaluation import evaluate; gold = [{'id': '1', 'value': 1}]; "
        "evaluate(gold, gold, {'type': 'integer'}); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_random_reports_survive_json(tmp_path: Any) -> None:
    from harmony_gen.evaluation.writing import as_json

    gold, answers = run(10, 9)
    report = evaluate(answers, gold, SCHEMA, free=answers, options=FEW)
    found = json.loads(as_json(report))
    assert found["overall"]["f1"]["value"] == report.overall.f1.value
    assert found["free"]["macro_f1"] == report.macro_f1
    assert "sources" not in found
