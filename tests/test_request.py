"""What a caller asks for: examples before the conversation, and what is said of bad ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field

from harmony_gen import Generator, ModelError, Schema, SchemaError, ValidationError
from harmony_gen.request import request_of
from support import models, turns


class Person(BaseModel):
    """A person."""

    name: str
    born: date = Field(alias="birthday")


def test_examples_stand_before_the_conversation_as_the_model_would_write_them() -> None:
    anna = Person(name="Anna", birthday=date(1990, 2, 3))
    chat = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Tom, 4 May 1991"}]
    examples = [("Anna, 3 Feb 1990", anna), ("Li, 1 Jan 2000", {"name": "Li", "birthday": "2000-01-01"})]
    request = request_of(chat, Person, examples=examples)
    assert [(message.role, message.content) for message in request.conversation] == [
        ("system", "Be terse."),
        ("user", "Anna, 3 Feb 1990"),
        ("assistant", '{"name":"Anna","birthday":"1990-02-03"}'),
        ("user", "Li, 1 Jan 2000"),
        ("assistant", '{"name":"Li","birthday":"2000-01-01"}'),
        ("user", "Tom, 4 May 1991"),
    ]
    assert request.source == "Tom, 4 May 1991"
    generator = turns.generator(turns.PLAIN)
    text = generator._tokenizer.decode(generator._encode_request(request))
    assert text.index("Be terse.") < text.index("user: Anna") < text.index("assistant: {") < text.index("user: Tom")
    assert generator.generate(chat, Person, examples=examples, max_new_tokens=60).value.name is not None


def test_examples_are_spaced_where_answers_are() -> None:
    request = request_of("x", {"type": "object"}, examples=[("y", {"a": [1, "b,c"]})])
    assert request.spaced().examples == (("y", '{"a": [1, "b,c"]}'),)
    request = request_of("x", Schema.from_regex("a,b"), examples=[("y", "a,b")])
    assert request.spaced() == request


def test_examples_of_texts() -> None:
    request = request_of("x", Schema.from_regex("a+"), examples=[("y", "aa")])
    assert request.examples == (("y", "aa"),)


@pytest.mark.parametrize(
    ("schema", "example", "error", "message"),
    [
        ({"type": "integer"}, ("x", "no"), ValidationError, "The answer of example 0 is not valid"),
        ({"type": "integer"}, ("x", object()), ValidationError, "cannot be written as JSON"),
        (Schema.from_regex("a+"), ("x", "b"), ValidationError, "The answer of example 0 is not valid"),
        ({"type": "integer"}, "x", TypeError, "An example is a pair"),
        ({"type": "integer"}, (1, 2), TypeError, "An example is a pair"),
    ],
)
def test_bad_examples(schema: Any, example: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        request_of("x", schema, examples=[example])


def test_examples_need_a_schema(embedded: Generator) -> None:
    tool = {"name": "f", "parameters": {}}
    with pytest.raises(SchemaError, match="Examples show answers"):
        request_of("x", None, tools=[tool], examples=[("a", {})])
    with pytest.raises(ModelError, match="neither tools nor examples"):
        embedded.generate("x", {"type": "integer"}, examples=[("a", 1)])


def test_a_closed_generator_lets_go_of_everything() -> None:
    with models.random_llama(models.embedded_tokenizer()) as generator:
        assert generator.generate("a prompt that is long enough to be kept for later", {"type": "boolean"}).text
    with pytest.raises(ModelError, match="The generator is closed"):
        generator.generate("x", {"type": "boolean"})
    generator.close()


def test_an_unknown_option_is_named(tiny: Generator) -> None:
    with pytest.raises(TypeError, match=r"There is no option .reasonin.. The options are examples, grounded, max"):
        tiny.generate("x", {"type": "boolean"}, reasonin=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="There is no option 'batchsize'"):
        tiny.generate_batch(["x"], {"type": "boolean"}, batchsize=3)  # type: ignore[call-arg]
