"""Judging a file of records, or of values, line by line."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harmony_gen.errors import PromptError, ValidationError
from harmony_gen.pipeline.inputs import decoded, opened
from harmony_gen.pipeline.records import Damage, Record, parse, written

if TYPE_CHECKING:
    from harmony_gen.schema import Schema

_SHOWN = 10
"""Of each kind of fault, so many lines are named."""

_MOST = 200
"""Kinds of faults that are counted each; what else there is counts as one."""

_INDEX = re.compile(r"(?<=/)[0-9]+(?=/|$)|(?<=\[)[0-9]+(?=\])")


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """What is wrong with a line.

    Attributes:
        type: "ValidationError", "DamagedLine", or the error of the record.
        keyword: what of the schema the value breaks; "" if that is not known.
        pointer: where in the value, with * for the numbers of items.
    """

    type: str
    keyword: str = ""
    pointer: str = ""


@dataclass(slots=True)
class LinesReport:
    """What is wrong with the lines of a file.

    Attributes:
        lines: how many there are, without empty ones.
        valid: how many hold a valid value.
        faults: how often each occurs.
        examples: for each fault the first lines, with what was said of them.
    """

    lines: int = 0
    valid: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    examples: dict[Fault, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, line: int, found: tuple[Fault, str] | None) -> None:
        """One more line."""
        self.lines += 1
        if found is None:
            self.valid += 1
            return
        fault, message = found
        if fault not in self.faults and len(self.faults) >= _MOST:
            fault = Fault(fault.type, "…", "…")
        self.faults[fault] += 1
        examples = self.examples.setdefault(fault, [])
        if len(examples) < _SHOWN:
            examples.append((line, message))

    def as_json(self) -> dict[str, Any]:
        """The report as JSON."""
        faults = [
            {
                "type": fault.type,
                "keyword": fault.keyword or None,
                "pointer": fault.pointer,
                "count": count,
                "examples": [{"line": line, "message": message} for line, message in self.examples[fault]],
            }
            for fault, count in self.faults.most_common()
        ]
        return {"lines": self.lines, "valid": self.valid, "invalid": self.lines - self.valid, "faults": faults}

    def table(self) -> str:
        """The report for people."""
        rows = [f"{self.valid} of {self.lines} lines are valid"]
        if self.faults:
            rows += ["", f"{'count':>6}  {'error':<16} {'keyword':<20} {'pointer':<30} lines"]
        for fault, count in self.faults.most_common():
            lines = ", ".join(str(line) for line, _ in self.examples[fault]) + (", …" if count > _SHOWN else "")
            named = f"{fault.type:<16} {fault.keyword or '-':<20} {fault.pointer or '-':<30}"
            rows += [f"{count:>6}  {named} {lines}", f"{'':>6}  {self.examples[fault][0][1]:.200}"]
        return "\n".join(rows).encode(errors="backslashreplace").decode()


def judge_lines(name: str, schema: Schema[Any]) -> LinesReport:
    """Judges each line of a file: the value of a record, or what the line itself holds; memory stays flat.

    Args:
        name: the file; "-" is standard input.
        schema: what is valid.

    Raises:
        PromptError: it cannot be read.
    """
    report = LinesReport()
    with opened(name) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                report.add(number, _fault(line, schema))
    return report


def _fault(line: bytes, schema: Schema[Any]) -> tuple[Fault, str] | None:
    """What is wrong with a line, and what is said of it."""
    found = parse(line)
    if isinstance(found, Damage) and b'"checksum":' in line:
        return Fault("DamagedLine"), f"The line is damaged: {found.reason}."
    try:
        if isinstance(found, Damage):
            schema.validate(decoded(line, "").strip())
        elif found.error is not None:
            return Fault(found.error.type), found.error.message
        else:
            _check(found, schema)
    except ValidationError as error:
        return Fault("ValidationError", error.keyword or "", _INDEX.sub("*", error.pointer)), str(error)
    except PromptError as error:
        return Fault("DamagedLine"), str(error)
    return None


def _check(record: Record, schema: Schema[Any]) -> None:
    bound = schema.bound(record.source) if record.source else schema
    bound.validate(written(record.value, is_json=schema.is_json))
