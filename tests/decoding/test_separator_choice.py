"""Which separators a model is found to like."""

from __future__ import annotations

import json

import pytest
import torch

from harmony_gen import Generator
from support import models


def taught(separators: tuple[str, str]) -> Generator:
    """A small llama that has read some JSON, all of it in one spelling."""
    made = models.random_llama(models.embedded_tokenizer())
    model, tokenizer = made._model.float().train(), made._tokenizer
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(0.1)
    texts = [json.dumps({"k": [i, {"name": "x"}], "v": "y", "w": i}, separators=separators) for i in range(8)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(60):
        ids = torch.tensor([tokenizer.encode(texts[step % len(texts)])])  # (1, n)
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    return Generator(model.eval(), tokenizer)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_model_writes_as_it_has_read(separators: tuple[str, str]) -> None:
    result = taught(separators).generate("x", {"const": {"a": 1, "b": [1, 2]}})
    assert result.text == json.dumps({"a": 1, "b": [1, 2]}, separators=separators)


def test_the_embedded_model_is_compact(embedded: Generator) -> None:
    assert embedded.generate("x", {"const": [1, 2]}).text == "[1,2]"


def test_the_choice_can_be_overridden(embedded: Generator) -> None:
    spaced = Generator(embedded._model, embedded._tokenizer, separators="spaced")
    assert spaced.generate("x", {"const": {"a": [1, 2]}}).text == '{"a": [1, 2]}'


def test_unknown_separators_are_named() -> None:
    with pytest.raises(ValueError, match=r"compact.*'wide'"):
        Generator(None, None, separators="wide")
