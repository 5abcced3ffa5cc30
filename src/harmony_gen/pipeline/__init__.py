"""Many inputs: extraction into a file that survives crashes, its validation, and how fast a machine is."""

from harmony_gen.pipeline.extraction import Summary, extract
from harmony_gen.pipeline.inputs import Input, Reading
from harmony_gen.pipeline.records import Record

__all__ = ["Input", "Reading", "Record", "Summary", "extract"]
