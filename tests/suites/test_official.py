"""The official JSON Schema test suite: what it calls valid can be written, and nothing else.

Every instance goes through `Generator.accepts`, members in any order. What is known not to work stands in
known_gaps.toml with the reason. An invalid instance that is accepted is no gap but a fault, and cannot be listed.
"""

from __future__ import annotations

import json

import pytest

from harmony_gen import Generator, SchemaError, UnsatisfiableError
from harmony_gen.schema.strings.formats import STANDARD
from support import figures, gaps, official, reach

GAPS = gaps.known("official", "draft", "file", "description", "test")

NOT_CLAIMED = {
    "optional/dependencies-compatibility.json": "`dependencies` means nothing in these drafts: an annotation",
    "optional/format-assertion.json": "meta-schemas of one's own are refused",
    "optional/content.json": "contentEncoding and contentMediaType are annotations",
}
"""Optional files that ask for something else than the standard's default, and why it is not offered."""

REQUIRED = [(draft, file) for draft in official.DRAFTS for file in official.files(draft)]
OPTIONAL = [
    (draft, file) for draft in official.DRAFTS for file in official.files(draft, "optional") if file not in NOT_CLAIMED
]
FORMATS = [(draft, file) for draft in official.DRAFTS for file in official.files(draft, "optional/format")]

WHOLE = "*"
"""Stands for all tests of a group whose schema is refused."""


def check_file(generator: Generator, draft: str, file: str, row: str) -> None:
    """Runs the groups of a file."""
    wrong: dict[gaps.Key, str] = {}
    ran: set[gaps.Key] = set()
    faults: list[str] = []
    tests = disagree = 0
    for group in official.groups(draft, file):
        place = (draft, file, group.description)
        outcome = check_group(generator, group, faults)
        tests += len(group.tests)
        disagree += len(group.tests) if WHOLE in outcome else len(outcome)
        wrong |= {(*place, name): what for name, what in outcome.items()}
        ran |= {(*place, name) for name in (WHOLE, *(test["description"] for test in group.tests))}
    figures.count("official", f"{row} {draft}", tests=tests, disagree=disagree)
    assert not faults, "\n".join(faults)
    gaps.settle(wrong, ran, GAPS)


def check_group(generator: Generator, group: official.Group, faults: list[str]) -> dict[str, str]:
    """What is wrong with the tests of a group, by their descriptions; adds what must never be to the faults."""
    try:
        schema = group.compiled()
    except UnsatisfiableError as error:
        return {test["description"]: f"unsatisfiable: {error}" for test in group.tests if test["valid"]}
    except SchemaError as error:
        return {WHOLE: f"refused: {error}"}
    wrong = {}
    for test in group.tests:
        accepted = generator.accepts(schema, json.dumps(test["data"]))
        if not accepted and test["valid"]:
            wrong[test["description"]] = "a valid instance is refused"
        if not test["valid"]:
            what = f"{group.description} | {test['description']} | {schema.coverage}"
            if accepted:
                faults.append(f"an invalid instance is accepted: {what}")
            if reach.is_masked(schema) and reach.grammar_derives(schema, test["data"]):
                faults.append(f"the mask is said to keep this out, and does not: {what}")
    return wrong


@pytest.mark.parametrize(("draft", "file"), REQUIRED)
def test_required(tiny: Generator, draft: str, file: str) -> None:
    check_file(tiny, draft, file, "required")


@pytest.mark.parametrize(("draft", "file"), OPTIONAL)
def test_optional(tiny: Generator, draft: str, file: str) -> None:
    check_file(tiny, draft, file, "optional")


@pytest.mark.parametrize(("draft", "file"), FORMATS)
def test_formats(tiny: Generator, draft: str, file: str) -> None:
    check_file(tiny, draft, file, "optional/format")


@pytest.mark.parametrize(("files", "least"), [(REQUIRED, 0.99), (FORMATS, 0.97)])
def test_the_gaps_are_few(files: list[tuple[str, str]], least: float) -> None:
    """Nothing else than the known gaps may be wrong, so their number says it all."""
    groups = [group for draft, file in files for group in official.groups(draft, file)]
    missed = 0
    for group in groups:
        names = [WHOLE, *(test["description"] for test in group.tests)]
        listed = [name for name in names if (group.draft, group.file, group.description, name) in GAPS]
        missed += len(group.tests) if WHOLE in listed else len(listed)
    total = sum(len(group.tests) for group in groups)
    assert total > 2000
    assert 1 - missed / total >= least


def test_every_gap_names_a_test() -> None:
    groups = [group for draft, file in REQUIRED + OPTIONAL + FORMATS for group in official.groups(draft, file)]
    there = {
        (group.draft, group.file, group.description, name)
        for group in groups
        for name in (WHOLE, *(test["description"] for test in group.tests))
    }
    assert set(GAPS) <= there


def test_all_formats_of_the_standard_are_tested() -> None:
    named = {
        group.schema["format"]
        for draft, file in FORMATS
        for group in official.groups(draft, file)
        if isinstance(group.schema, dict) and "format" in group.schema
    }
    assert named >= set(STANDARD)
