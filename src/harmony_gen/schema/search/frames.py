"""What a normal form says of the containers that are open at a place in a JSON text, and how they may be closed."""

from __future__ import annotations

import json
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from harmony_gen.schema.normal.arrays import Array
from harmony_gen.schema.normal.goals import NEVER, both
from harmony_gen.schema.normal.objects import Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony_gen.schema.normal import Normal
    from harmony_gen.schema.normal.goals import Goal
    from harmony_gen.schema.scanner import Frame, Scan
    from harmony_gen.schema.search.texts import Texts

Shape = Array | Object

_WIDTH = 100
_LONGEST_VALUE = 200


class _Open(NamedTuple):
    """What is known of an open container.

    Attributes:
        frame: the container.
        shapes: what it may be by what it holds so far, for each goal that it may have to satisfy.
        goals: what the member may be that comes next, or is open, by name or index.
        behind: for each of these goals, what closes this container and all around it behind such a member.
    """

    frame: Frame
    shapes: dict[Goal, tuple[Shape, ...]]
    goals: dict[str | int, tuple[Goal, ...]]
    behind: dict[Texts, dict[Goal, bytes]]


class Frames:
    """What is known of the frames of some texts.

    It is kept by the identity of a frame: the scanner makes a new one whenever a frame changes, and a frame belongs
    to one text only. `frames` are always those of a scan, some innermost ones left out.
    """

    def __init__(self, normal: Normal, texts: Texts) -> None:
        self._normal = normal
        self._texts = texts
        self._known: dict[int, _Open] = {}
        self._begun: dict[int, _Open] = {}  # by the offsets of their frames; later frames there hold no less

    def start(self, scan: Scan, document: bytes) -> None:
        """Forgets all frames but those of a text that a search begins with."""
        kept = (self._known.get(id(frame)) for frame in scan.frames)
        self._known = {id(known.frame): known for known in kept if known is not None}
        self._begun = {}
        for depth, frame in enumerate(scan.frames, start=1):
            self._begun[frame.start] = self._open(scan.frames[:depth], document)

    def shapes(self, frames: tuple[Frame, ...], document: bytes) -> Iterable[Shape]:
        """What the innermost of some frames may be."""
        return dict.fromkeys(chain.from_iterable(self._open(frames, document).shapes.values()))

    def expected(self, frames: tuple[Frame, ...], document: bytes) -> tuple[Goal, ...]:
        """What the value may be that comes next, or is open, inside some frames."""
        if not frames:
            return (self._normal.root,)
        step = frames[-1].step
        known = self._open(frames, document)
        if step not in known.goals:
            pairs = (pair for shape in self.shapes(frames, document) for pair in children(shape, step))
            goals = dict.fromkeys(goal for goal, _ in pairs if goal is not NEVER)
            known.goals[step] = tuple(islice(goals, _WIDTH))
        return known.goals[step]

    def is_loose(self, frames: tuple[Frame, ...], document: bytes) -> bool:
        """Whether more than its shapes say decides what the innermost of some frames may be."""
        kind = "object" if frames[-1].kind == "{" else "array"
        return any(kind in self._normal.node(goal).loose for goal in self._open(frames, document).shapes)

    def _open(self, frames: tuple[Frame, ...], document: bytes) -> _Open:
        """What is known of the innermost of some frames."""
        frame = frames[-1]
        known = self._known.get(id(frame))
        if known is None:
            known = _Open(frame, self._agreeing(self._fitting(frames, document), frame, document), {}, {})
            self._known[id(frame)] = known
        return known

    def _fitting(self, frames: tuple[Frame, ...], document: bytes) -> dict[Goal, tuple[Shape, ...]]:
        """What the innermost of some frames may be, for each goal, before its members are looked at."""
        begun = self._begun.get(frames[-1].start)
        if begun is not None:
            return begun.shapes
        nodes = {goal: self._normal.node(goal) for goal in self.expected(frames[:-1], document)}
        return {goal: node.objects if frames[-1].kind == "{" else node.arrays for goal, node in nodes.items()}

    def _agreeing(
        self, fitting: dict[Goal, tuple[Shape, ...]], frame: Frame, document: bytes
    ) -> dict[Goal, tuple[Shape, ...]]:
        """The shapes that the order of the members so far and their values do not contradict; all if none is left."""
        if sum(map(len, fitting.values())) < 2:  # noqa: PLR2004 - one shape is kept in any case
            return fitting
        steps: Iterable[str | int] = frame.keys if frame.kind == "{" else range(len(frame.members))
        members = list(zip(steps, (document[slice(*span)] for span in frame.members), strict=False))
        known: dict[tuple[Goal, bytes], bool] = {}  # shapes share goals

        def agrees(shape: Shape) -> bool:
            if isinstance(shape, Object) and not self._texts.names.may_begin(shape, frame.keys):
                return False
            facts = [(children(shape, step)[0][0], text) for step, text in members]
            known.update({fact: self._admits(*fact) for fact in facts if fact not in known})
            return all(known[fact] for fact in facts)

        found = {goal: tuple(filter(agrees, shapes)) for goal, shapes in fitting.items()}
        return found if any(found.values()) else fitting

    def _admits(self, goal: Goal, text: bytes) -> bool:
        """Whether a closed value may satisfy a goal, as far as it is not too long to look at."""
        return len(text) > _LONGEST_VALUE or self._texts.spelled(goal, json.loads(text)) is not None

    def closings(self, frames: tuple[Frame, ...], document: bytes, texts: Texts) -> Iterator[tuple[Goal, bytes]]:
        """What closes the innermost of some frames, missing members included, and the goal it then satisfies."""
        known = self._open(frames, document)
        for goal, shapes in known.shapes.items():
            found = (_closing(texts, shape, known.frame, document) for shape in shapes)
            yield from ((goal, closing) for closing in found if closing is not None)

    def behind(self, frames: tuple[Frame, ...], document: bytes, texts: Texts) -> dict[Goal, bytes]:
        """For all that a member of the innermost of some frames may be, what closes all frames behind it."""
        if not frames:
            return {self._normal.root: b""}
        known = self._open(frames, document)
        if texts not in known.behind:
            around = self.behind(frames[:-1], document, texts)
            found: dict[Goal, bytes] = {}
            options = [(shape, text) for goal, text in around.items() for shape in known.shapes.get(goal, ())]
            for shape, text in options:
                for child, hit in children(shape, frames[-1].step):
                    closing = _closing(texts, shape, known.frame, document, (hit,))
                    if closing is not None and (child not in found or len(closing + text) < len(found[child])):
                        found[child] = closing + text
            known.behind[texts] = found
        return known.behind[texts]


def children(shape: Shape, step: str | int) -> list[tuple[Goal, Goal | None]]:
    """What a member or an item may be; an item also all that `contains` asks for, which is named then."""
    if isinstance(shape, Object):
        return [(shape.member(str(step)), None)]
    item = shape.item(int(step))
    return [(item, None), *((both(item, goal), goal) for goal, _, _ in shape.contains)]


def _closing(
    texts: Texts, shape: Shape, frame: Frame, document: bytes, child: tuple[Goal | None, ...] = ()
) -> bytes | None:
    """What closes a container of a shape, missing members included; None if nothing does.

    Args:
        texts: makes the missing members.
        shape: what the container is.
        frame: what it holds.
        document: the whole text.
        child: nothing, or what `contains` asks for and the member satisfies that stands behind those of the frame.
    """
    if isinstance(shape, Object):
        dangling = frame.phase in ("key", "value") and not child
        missing = texts.members(shape, frame.keys, least=len(frame.keys) + dangling)
    else:
        missing = texts.items(shape, [document[slice(*span)].decode() for span in frame.members], child)
    if missing is None:
        return None
    comma = "," if missing and (child or frame.phase == "after") else ""
    return f"{comma}{','.join(missing)}{'}' if frame.kind == '{' else ']'}".encode()
