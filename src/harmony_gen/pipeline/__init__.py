"""Many inputs: extraction into a file that survives crashes, its validation, and how fast a machine is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harmony_gen.pipeline.extraction import Summary, extract
    from harmony_gen.pipeline.inputs import Input, Reading
    from harmony_gen.pipeline.records import Record

_HOMES = {"Input": "inputs", "Reading": "inputs", "Record": "records", "Summary": "extraction", "extract": "extraction"}
"""Where the names live that are imported when they are first used: the command line must start quickly."""

__all__ = ["Input", "Reading", "Record", "Summary", "extract"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
