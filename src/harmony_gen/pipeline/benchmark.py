"""How fast a model answers on this machine, by how many ask at a time."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Unpack

from harmony_gen.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony_gen.generator import Generator
    from harmony_gen.request import Shared
    from harmony_gen.result import Result

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 60},
        "email": {"type": "string", "maxLength": 60},
        "company": {"type": ["string", "null"], "maxLength": 60},
        "topic": {"enum": ["order", "invoice", "complaint", "other"]},
    },
    "required": ["name", "email", "company", "topic"],
    "additionalProperties": False,
}
"""What is asked for if no schema is given."""

TEXT = "From: Anna Weber <anna.weber@example.com>, Weber GmbH\nPlease send invoice {} again, it came without a date."


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast answers come if so many are asked for at a time. Times in seconds.

    Attributes:
        concurrency: callers, each of which waits for its answer before it asks again.
        answers: how many were counted.
        tokens_per_second: new tokens of all callers by wall-clock time.
        first_token_p50: time until the first token of an answer is final, the median.
        p50: time for an answer, the median.
        p95: the time that 95 in 100 answers do not exceed.
        p99: likewise 99 in 100.
    """

    concurrency: int
    answers: int
    tokens_per_second: float
    first_token_p50: float
    p50: float
    p95: float
    p99: float

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measure(
    generator: Generator,
    schema: Any,
    texts: Sequence[str],
    *,
    concurrency: int,
    **options: Unpack[Shared],
) -> Speed:
    """Asks for an answer to each text, in so many threads.

    Args:
        generator: has the model.
        schema: anything `Schema.of` takes.
        texts: the prompts; the first is also asked beforehand, and not counted.
        concurrency: callers at a time, ≥ 1.
        options: as for `Generator.generate`.

    Raises:
        ValueError: there is no text, or no caller.
        HarmonyError: an answer failed.
    """
    if concurrency < 1 or not texts:
        raise ValueError(f"It takes at least one caller and one text; there are {concurrency} and {len(texts)}.")
    compiled = Schema.of(schema)
    generator.generate(texts[0], compiled, **options)
    together = threading.Barrier(min(concurrency, len(texts)))

    def ask(text: str) -> tuple[Result[Any], float]:
        begun = time.perf_counter()
        result = generator.generate(text, compiled, **options)
        return result, time.perf_counter() - begun

    with ThreadPoolExecutor(together.parties, initializer=together.wait) as callers:
        started = time.perf_counter()
        answers = list(callers.map(ask, texts))
        seconds = time.perf_counter() - started
    latencies = sorted(latency for _, latency in answers)
    firsts = sorted(result.usage.seconds_to_first_token for result, _ in answers)
    tokens = sum(result.usage.new_tokens for result, _ in answers)
    tail = (percentile(latencies, share) for share in (0.5, 0.95, 0.99))
    return Speed(concurrency, len(answers), tokens / seconds, percentile(firsts, 0.5), *tail)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of ascending numbers that at least this share, in (0, 1], of them do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
