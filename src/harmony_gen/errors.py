"""Every error a caller can meet, in one tree.

    HarmonyError
    ├── SchemaError             the schema is not one, or holds a keyword that cannot be guaranteed
    │   └── UnsatisfiableError  the schema admits no value at all
    ├── PromptError             the prompt is empty, or longer than the model's context window
    ├── BudgetError             max_new_tokens is smaller than the shortest valid answer
    ├── RuleError               rules rejected everything that was tried
    ├── ValidationError         a given text is not valid under a schema
    ├── ModelError              a model could not be loaded or run
    ├── OutputError             a file of results cannot be read or written, or belongs to another run
    └── MissingExtra            an optional package is not installed

    KeyboardInterrupt
    └── Interrupted             Ctrl-C during generation; carries the partial text

Errors carry their facts as attributes, so that a program need not parse a message.
"""

from __future__ import annotations


class HarmonyError(Exception):
    """Base of all errors raised by harmony_gen."""


class SchemaError(HarmonyError):
    """The schema is malformed, or a keyword of it cannot be guaranteed.

    Attributes:
        pointer: JSON Pointer (or location) of the offending part of the schema; "" is its root.
        keyword: the offending keyword, or None where no single keyword is to blame.
    """

    def __init__(self, message: str, *, pointer: str = "", keyword: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.keyword = keyword


class UnsatisfiableError(SchemaError):
    """No value can satisfy the schema."""


class PromptError(HarmonyError):
    """The prompt is empty or does not fit the model's context window.

    Attributes:
        tokens: tokens of the prompt, or None if it was not tokenised.
        limit: the largest number of prompt tokens that fits, or None.
    """

    def __init__(self, message: str, *, tokens: int | None = None, limit: int | None = None) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.limit = limit


class BudgetError(HarmonyError):
    """The token budget is smaller than the shortest valid answer that is known.

    Attributes:
        needed: tokens of that answer, its end-of-text token included.
        given: the budget that was given.
    """

    def __init__(self, needed: int, given: int) -> None:
        super().__init__(
            f"The shortest valid answer to this schema takes {needed} tokens, but max_new_tokens is {given}. "
            f"Raise max_new_tokens to at least {needed}."
        )
        self.needed = needed
        self.given = given

    def __reduce__(self) -> tuple[type[BudgetError], tuple[int, int]]:
        return type(self), (self.needed, self.given)  # for pickle: the arguments, not the message


class RuleError(HarmonyError):
    """Rules rejected every answer that was tried.

    Attributes:
        attempts: (JSON Pointer, rejected text, reason) of each rejection, in order.
    """

    def __init__(self, message: str, *, attempts: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(message)
        self.attempts = attempts


class ValidationError(HarmonyError):
    """A text is not valid under a schema.

    Attributes:
        pointer: JSON Pointer of the offending value in the text; "" is the whole document.
        keyword: the keyword of the schema that it breaks, or Pydantic's name of the error; None if it is not known.
    """

    def __init__(self, message: str, *, pointer: str = "", keyword: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.keyword = keyword


class ModelError(HarmonyError):
    """A model or its tokenizer could not be loaded, or does not fit the device."""


class OutputError(HarmonyError):
    """A file of results cannot be read or written, or was begun with another schema, model or option."""


class MissingExtra(HarmonyError):  # noqa: N818 - the public name is fixed
    """An optional package is needed.

    Attributes:
        package: what is missing.
        extra: name of the extra to install.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'{package} is needed for this. Install it: pip install "harmony-gen[{extra}]"')
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.package, self.extra)


class Interrupted(KeyboardInterrupt):
    """Generation was interrupted from the keyboard; the model's cache has been released.

    Attributes:
        partial_text: what had been written until then. It is a prefix of a valid answer, not one itself.
    """

    def __init__(self, partial_text: str) -> None:
        super().__init__(f"Interrupted after {len(partial_text)} characters; see .partial_text.")
        self.partial_text = partial_text

    def __reduce__(self) -> tuple[type[Interrupted], tuple[str]]:
        return type(self), (self.partial_text,)
