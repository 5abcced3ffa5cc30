"""A report as one HTML page that needs nothing else: no script, no network, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harmony_gen.evaluation import summary
from harmony_gen.grounding import locate

if TYPE_CHECKING:
    from harmony_gen.evaluation.scores import Comparison, Mistake, Report
    from harmony_gen.result import Span

_MOST = 60
"""Mistakes that a page shows."""
_AROUND = 90
"""Characters of the source beside a value."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a source.

    Attributes:
        text: what stands there.
        mark: "gold", "given" or "both" for a value's place; "" for what stands around it; "gap" for what is left out.
    """

    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Example:
    """A mistake with the part of the source it is about.

    Attributes:
        mistake: the mistake.
        pieces: of the source; none if that is not known, or neither value stands there.
        is_made_up: whether the answer's value stands nowhere in the source, though it is a text or a number.
    """

    mistake: Mistake
    pieces: tuple[Piece, ...] = ()
    is_made_up: bool = False


def as_page(
    report: Report, title: str = "Evaluation", baseline: Comparison | None = None, schema: Comparison | None = None
) -> str:
    """The page.

    Args:
        report: the report.
        title: what the page is called.
        baseline: how the run compares with an earlier one.
        schema: how it compares with free answers.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("harmony_gen.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(summary, name) for name in ("percent", "points", "interval", "shown")}
    environment.filters["chance"] = summary.probability
    page = environment.get_template("page.html.j2")
    text = page.render(
        title=title,
        report=report,
        facts=summary.facts(report),
        comparisons=_comparisons(baseline, schema),
        examples=[example(mistake, report.sources.get(mistake.id)) for mistake in report.mistakes[:_MOST]],
        notes={table.title: table.note for table in summary.tables(report, baseline, schema)},
    )
    return text.lstrip()  # macros stand in front of it


def _comparisons(baseline: Comparison | None, schema: Comparison | None) -> list[tuple[str, str, Comparison, float]]:
    """What is compared: a title, the name of the other run, the comparison, and the largest gain to be shown."""
    listed = [("What the schema does", "free", schema), ("Against the baseline", "baseline", baseline)]
    return [(title, name, found, _reach(found)) for title, name, found in listed if found is not None]


def _reach(comparison: Comparison) -> float:
    gains = [one.gain for one in comparison.overall + comparison.fields]
    return max(0.1, *(abs(end) for gain in gains for end in (gain.low, gain.value, gain.high) if end is not None))


def example(mistake: Mistake, source: str | None) -> Example:
    """A mistake with its place in the source; values without a span are looked for there."""
    if source is None:
        return Example(mistake)
    gold = mistake.gold_span or locate(mistake.gold, source)
    given = mistake.span or locate(mistake.given, source)
    is_made_up = given is None and not isinstance(mistake.given, bool) and mistake.given not in (None, "")
    return Example(mistake, _pieces(source, gold, given), is_made_up)


def _pieces(source: str, gold: Span | None, given: Span | None) -> tuple[Piece, ...]:
    """The parts of a source around two spans."""
    found: list[Piece] = []
    end = 0
    for low, high in _windows(len(source), [span for span in (gold, given) if span is not None]):
        if low > end or (low and not found):
            found.append(Piece(" … ", "gap"))
        ends = sorted({low, high, *(min(max(place, low), high) for span in (gold, given) for place in span or ())})
        found += [Piece(source[start:stop], _mark(start, gold, given)) for start, stop in pairwise(ends)]
        end = high
    return (*found, Piece(" … ", "gap")) if found and end < len(source) else tuple(found)


def _windows(length: int, spans: list[Span]) -> list[Span]:
    """What is shown of a source: some characters around each span; parts that meet are one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        low, high = max(start - _AROUND, 0), min(end + _AROUND, length)
        if found and low <= found[-1][1]:
            low, high = found[-1][0], max(found.pop()[1], high)
        found.append((low, high))
    return [(low, high) for low, high in found if low < high]


def _mark(place: int, gold: Span | None, given: Span | None) -> str:
    is_gold, is_given = (span is not None and span[0] <= place < span[1] for span in (gold, given))
    return "both" if is_gold and is_given else "gold" if is_gold else "given" if is_given else ""
