"""JSON Schema in normal form: per JSON type a union of simple shapes."""

from harmony_gen.schema.normal.form import Normal

__all__ = ["Normal"]
