"""Streams and answers for asyncio, and the value so far."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field

from harmony_gen import Done, FieldDone, Generator, ModelError, Partial, Sampling, Schema, SchemaError, TextDelta
from harmony_gen.partial import constructed, grown
from test_generator import PERSON, failing

LONG = {"type": "string", "minLength": 60, "maxLength": 90}


class Line(BaseModel):
    name: str = Field(max_length=4)
    count: int = Field(alias="n", ge=0, le=9)


class Order(BaseModel):
    day: date
    lines: list[Line] = Field(min_length=2, max_length=2)
    first: Line | None
    note: str = Field(default="none", max_length=3)


def untimed(event: Any) -> Any:
    return event.result.tokens if isinstance(event, Done) else event


def test_an_async_stream_is_the_stream(tiny: Generator) -> None:
    async def collected() -> list[Any]:
        return [event async for event in tiny.astream("x", PERSON, partial=True, max_new_tokens=60)]

    found = asyncio.run(collected())
    alone = list(tiny.stream("x", PERSON, partial=True, max_new_tokens=60))
    assert list(map(untimed, found)) == list(map(untimed, alone))
    result = asyncio.run(tiny.agenerate("x", PERSON, max_new_tokens=60))
    assert result.tokens == found[-1].result.tokens


def test_the_loop_goes_on_meanwhile_and_answers_run_side_by_side(tiny: Generator) -> None:
    async def several() -> tuple[list[Any], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        options: Any = {"max_new_tokens": 40, "sampling": Sampling(temperature=1.0, seed=1)}
        found = await asyncio.gather(*(tiny.agenerate(f"text {number}", PERSON, **options) for number in range(4)))
        ticking.cancel()
        return found, ticks

    found, ticks = asyncio.run(several())
    options: Any = {"max_new_tokens": 40, "sampling": Sampling(temperature=1.0, seed=1)}
    assert [one.tokens for one in found] == [
        tiny.generate(f"text {number}", PERSON, **options).tokens for number in range(4)
    ]
    assert ticks > 20


def test_who_is_cancelled_frees_the_cache_and_stops_the_model(tiny: Generator) -> None:
    generator, wrapper = failing(tiny, None)

    async def cancelled() -> int:
        task = asyncio.create_task(generator.agenerate("x", LONG))
        while wrapper.calls < 3:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.001)
        assert wrapper.caches_alive() > 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return wrapper.calls

    calls = asyncio.run(cancelled())
    time.sleep(0.05)
    assert wrapper.calls == calls < 100
    assert wrapper.caches_alive() == 0


def test_who_stops_early_frees_the_cache(tiny: Generator) -> None:
    generator, wrapper = failing(tiny, None)

    async def first() -> Any:
        async with aclosing(generator.astream("x", LONG)) as events:
            async for event in events:
                if wrapper.calls > 2:
                    return event
        return None

    assert isinstance(asyncio.run(first()), TextDelta)
    assert wrapper.caches_alive() == 0


def failure(generator: Generator) -> str:
    try:
        asyncio.run(generator.agenerate("x", LONG))
    except ModelError as error:
        return str(error)
    return ""


def test_errors_are_those_of_generate(tiny: Generator) -> None:
    with pytest.raises(SchemaError):
        asyncio.run(tiny.agenerate("x", {"type": "nothing"}))
    generator, wrapper = failing(tiny, RuntimeError("out of luck"))
    assert "out of luck" in failure(generator)
    wrapper.error = None  # which knows what was running
    assert wrapper.caches_alive() == 0


# --- the value so far


@pytest.mark.parametrize("schema", [PERSON, Order, {"type": "integer"}, {"const": {"a": [[], [[1]], {}]}}])
def test_the_value_grows_to_the_result(tiny: Generator, schema: Any) -> None:
    events = list(tiny.stream("x", schema, partial=True, sampling=Sampling(temperature=1.0, seed=4)))
    snapshots = [event.value for event in events if isinstance(event, Partial)]
    result = events[-1].result
    number_ends = isinstance(result.value, int)  # closed by the end of the answer alone
    assert number_ends or snapshots[-1] == result.value
    sizes = [len(str(snapshot)) for snapshot in snapshots]
    assert schema is Order or sizes == sorted(sizes)
    told: dict[str, Any] = {}
    for event in events:
        if isinstance(event, FieldDone):
            told[event.pointer] = event.value
        elif isinstance(event, Partial) and isinstance(schema, dict):
            assert all(at(event.value, place) == value for place, value in told.items())


def at(value: Any, place: str) -> Any:
    for step in place.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step]
    return value


def test_partial_models_hold_what_is_there() -> None:
    kind = Schema.of(Order).kind
    value = constructed(kind, {"day": "2026-03-01", "lines": [{"name": "a", "n": 1}, {"name": "b"}]})
    assert isinstance(value, Order)
    assert value.day == date(2026, 3, 1)
    assert value.lines[0] == Line(name="a", n=1)
    assert isinstance(value.lines[1], Line)
    assert value.lines[1].model_fields_set == {"name"}
    assert value.model_fields_set == {"day", "lines"}
    assert not hasattr(value, "first")
    assert constructed(kind, {"day": "2026-03-01", "lines": [], "first": {"n": 3}}).first.count == 3
    assert constructed(dict[str, Line], {"x": {"n": 1}})["x"].count == 1
    assert constructed(list[Line], [{"n": 1}])[0].count == 1
    assert constructed(None, {"a": 1}) == {"a": 1}
    assert constructed(int | str, [1]) == [1]


def test_snapshots_do_not_change_later() -> None:
    one = grown(None, ("a", 0, "b"), 1)
    other = grown(one, ("a", 1), 2)
    assert one == {"a": [{"b": 1}]}
    assert other == {"a": [{"b": 1}, 2]}
    assert grown(other, (), 3) == 3
    assert grown(other, ("a",), []) == {"a": []}


def test_of_plain_texts_there_is_no_value_so_far(tiny: Generator) -> None:
    events = list(tiny.stream("x", Schema.from_regex("[ab]{4}"), partial=True))
    assert {type(event) for event in events} == {TextDelta, Done}
