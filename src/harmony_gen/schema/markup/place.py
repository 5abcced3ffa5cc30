"""Where something stands in documents, as a user says it: an XPath from the root."""

from __future__ import annotations

import re

_PLACE = re.compile(r"(?://?[\w.\-:*]+)*(?://?@[\w.\-:*]+)?")
_NAME = r"[^/@\[\]]+"
_INDEX = r"(?:\[\d+\])?"

State = frozenset[int]
"""How many steps of a place may have been taken on the way to an element; empty if the way leads nowhere."""


class Place:
    """Elements or attributes: names with the prefixes of answers, or *; // leaves out any levels.

    Attributes:
        start: the state outside of the root.
    """

    start: State = frozenset((0,))

    def __init__(self, text: str) -> None:
        """Reads a path.

        Raises:
            ValueError: it is none.
        """
        if not text or not _PLACE.fullmatch(text):
            known = '"/order/total", "//line/@no" or "/order/*"'
            message = f"The place of a rule on XML must be an XPath from the root like {known}; it is {text!r}."
            raise ValueError(message)
        steps = re.findall(r"//?[^/]+", text)
        self._pattern = re.compile("".join(map(_step, steps)))
        self._attribute = steps.pop() if steps and "@" in steps[-1] else None
        self._steps = steps

    def matches(self, path: str) -> bool:
        """Whether an element or attribute stands there, by its path, in which elements may have numbers."""
        return self._pattern.fullmatch(path) is not None

    def enter(self, state: State, tag: str) -> State:
        """The state in an element."""
        found = {done + 1 for done in state if done < len(self._steps) and _takes(self._steps[done], tag)}
        deep = (*self._steps, self._attribute or "")
        return frozenset(found | {done for done in state if deep[done].startswith("//")})

    def names_element(self, state: State) -> bool:
        """Whether it names the element."""
        return self._attribute is None and len(self._steps) in state

    def names_attribute(self, state: State, label: str) -> bool:
        """Whether it names an attribute of the element."""
        return self._attribute is not None and len(self._steps) in state and _takes(self._attribute, f"@{label}")


def _takes(step: str, name: str) -> bool:
    return re.fullmatch(_written(step), name) is not None


def _written(step: str) -> str:
    return re.escape(step.lstrip("/")).replace(r"\*", _NAME)


def _step(step: str) -> str:
    """A step as a regular expression of paths, in which elements below the root have numbers."""
    return (rf"(?:/{_NAME}{_INDEX})*" if step.startswith("//") else "") + f"/{_written(step)}{_INDEX}"
