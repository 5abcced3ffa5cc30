"""The loop: what is run in one forward, and what is yielded, changes nothing of what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field, field_validator

from harmony_gen import Generator, Sampling, Schema
from harmony_gen.decoding.kv_cache import ModelRunner
from harmony_gen.decoding.loop import decode
from harmony_gen.decoding.matcher import Matcher

if TYPE_CHECKING:
    from harmony_gen.decoding.sampling import Choice


class Code(BaseModel):
    kind: bool
    code: str = Field(max_length=3)
    note: str = Field(max_length=6)

    @field_validator("code")
    @classmethod
    def _upper(cls, value: str) -> str:
        if value != value.upper():
            msg = "not upper case"
            raise ValueError(msg)
        return value


SCHEMAS: list[Any] = [Code, {"enum": ["left", "right"]}, {"type": "string", "maxLength": 9}]


def write(
    generator: Generator, schema: Schema[Any], sampling: Sampling, *, chunk_forced: bool
) -> tuple[list[Choice], Matcher, ModelRunner]:
    matcher = Matcher(schema, generator._vocabulary, 60)
    runner = ModelRunner(generator._model)
    choices = []
    for choice in decode(runner, generator._encode("x", schema), matcher, sampling, chunk_forced=chunk_forced):
        choices.append(choice)
        assert matcher.tokens[: len(choices)] == [given.token for given in choices]  # never taken back
    return choices, matcher, runner


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("schema", SCHEMAS, ids=["validators", "enum", "string"])
def test_chunks_save_forwards_and_change_nothing(tiny: Generator, schema: Any, temperature: float) -> None:
    for seed in range(2):
        sampling = Sampling(temperature=temperature, seed=seed)
        one, matcher, runner = write(tiny, Schema.of(schema), sampling, chunk_forced=True)
        other, _, each = write(tiny, Schema.of(schema), sampling, chunk_forced=False)
        assert [choice.token for choice in one] == [choice.token for choice in other] == matcher.tokens
        for left, right in zip(one, other, strict=True):
            assert left.logprob == pytest.approx(right.logprob, abs=1e-3)
            assert left.forced == right.forced
        assert runner.forward_passes <= each.forward_passes
        Schema.of(schema).validate(matcher.text.decode())
