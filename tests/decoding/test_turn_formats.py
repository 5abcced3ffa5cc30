"""Which format a model's turns have, and what is said where that cannot be."""

from __future__ import annotations

import pytest

from harmony_gen import ModelError
from support import turns

CASES = [
    (None, (), "plain", ("", "")),
    (turns.PLAIN, (), "plain", ("", "")),
    (turns.THINK, (), "think", ("<think>", "</think>")),
    ("{{ '[THINK]' }} … {{ '[/THINK]' }}", (), "think", ("[THINK]", "[/THINK]")),
    ("<|START_THINKING|><|END_THINKING|>", (), "think", ("<|START_THINKING|>", "<|END_THINKING|>")),
    ("<|begin_of_thought|><|end_of_thought|>", (), "think", ("<|begin_of_thought|>", "<|end_of_thought|>")),
    ("<seed:think></seed:think>", (), "think", ("<seed:think>", "</seed:think>")),
    ("a model that is to <think> and never closes it", (), "plain", ("", "")),
    (turns.HARMONY, turns.HARMONY_TOKENS, "harmony", ("", "")),
    (None, turns.HARMONY_TOKENS, "harmony", ("", "")),
]


@pytest.mark.parametrize(("template", "control", "name", "tags"), CASES)
def test_the_format_is_found_out(
    template: str | None, control: tuple[str, ...], name: str, tags: tuple[str, str]
) -> None:
    found = turns.generator(template, control)._format
    assert (found.name, (found.opens, found.closes)) == (name, tags)


@pytest.mark.parametrize(
    ("template", "control", "turn", "message"),
    [
        (turns.PLAIN, (), "harmony", "needs the control token <|start|>"),
        (turns.PLAIN, (), "think", "needs a chat template with tags"),
        (None, (), "loud", "Unknown turn format 'loud'"),
        (turns.HARMONY + "<|channel|>", turns.HARMONY_TOKENS, "plain", "contradicts the chat template"),
    ],
)
def test_a_format_that_contradicts_the_model(template: str, control: tuple[str, ...], turn: str, message: str) -> None:
    with pytest.raises(ModelError, match=message.replace("|", r"\|")):
        turns.generator(template, control, turn=turn).generate("x", {"type": "boolean"})


def test_a_format_can_be_set() -> None:
    generator = turns.generator(turns.THINK, turn="plain")
    assert generator._format.name == "plain"
    assert generator.generate("x", {"type": "boolean"}).value in (True, False)


def test_a_model_that_cannot_think_says_so() -> None:
    with pytest.raises(ModelError, match="no format for thoughts"):
        turns.generator(turns.PLAIN).generate("x", {"type": "boolean"}, reasoning=10)
