r"""Whether a string is of a format: the checks of jsonschema, and those of the standards where they are laxer.

Both must agree. So a few strings that the standards allow are refused, because jsonschema refuses them:

- `time`, `date-time`: leap seconds. `date`, `date-time`: the year 0000.
- `relative-json-pointer`: numbers with a digit behind a zero, such as 100.
- `uri`, `uri-reference`: a future IP address with a capital `V`, as in `http://[V1.a]`.
- `uri-template`: prefixes of 1000 and more, and variables that begin with a percent sign.
- `iri`, `iri-reference`: characters beyond U+FFFF.
- `regex`: what ECMA 262 has and Python has not, such as `(?<name>a)`, `[]`, and `\cA`.

Others are refused because this module reads a standard strictly: strings with a lone surrogate, which is no
character; in e-mail addresses, numbers of IPv4 with leading zeros, and domains that are no host names; what ECMA
262 allows outside of its Unicode mode only, such as `\-`, `]` and `a{,3}`. IRIs are checked here alone: jsonschema's
own check takes a second to load, and refuses all characters beyond U+FFFF.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import cache
from typing import TYPE_CHECKING

import idna
import jsonschema

from harmony_gen.schema.strings.formats import LONGEST_DOMAIN, LONGEST_MAILBOX, STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_JSONSCHEMA = jsonschema.Draft202012Validator.FORMAT_CHECKER
_ALONE = frozenset({"iri", "iri-reference", "regex"})
"""Formats that jsonschema is not asked about; its check of a regex is to compile it, as is done here."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_DOT = re.compile("[.\u3002\uff0e\uff61]")
_ESCAPE = re.compile(r"\\(?:[0-9]+|.)", re.DOTALL)
_OCTAL = re.compile(r"\\(?:0[0-9]+|[0-9]{3,})")
_PARENTHESIS = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\(\?<?[=!]|\(|\)[*+?{]?", re.DOTALL)
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_LONGEST_LOCAL_PART = 64


def is_valid(name: str, text: str) -> bool:
    """Whether a string is of a format; a format outside the standard is an annotation and admits all."""
    if name not in STANDARD:
        return True
    return (
        not _SURROGATE.search(text)
        and _pattern(name).fullmatch(text) is not None
        and _FURTHER.get(name, _nothing_more)(text)
        and (name in _ALONE or _agrees(name, text))
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(STANDARD[name].pattern)


def _agrees(name: str, text: str) -> bool:
    """Whether jsonschema accepts a string too."""
    try:
        return bool(_JSONSCHEMA.conforms(text, name))
    except ArithmeticError:  # a duration of a million digits
        return False


def _nothing_more(_: str) -> bool:
    return True


def _is_domain(text: str) -> bool:
    """Whether the labels are those of IDNA 2008, keep its rule for domains with a right-to-left label, and fit."""
    try:
        labels = [idna.ulabel(label) for label in _DOT.split(text)]
        if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for label in labels for char in label):
            for label in labels:
                idna.check_bidi(label, check_ltr=True)
        return len(text if text.isascii() else idna.encode(text)) <= LONGEST_DOMAIN
    except UnicodeError:
        return False


def _is_mailbox(text: str) -> bool:
    """Whether the octets of an address keep the limits of RFC 5321, and its domain is a host name."""
    local, _, domain = text.rpartition("@")
    short = len(local.encode()) <= _LONGEST_LOCAL_PART and len(text.encode()) <= LONGEST_MAILBOX
    return short and (domain.startswith("[") or _is_domain(domain))


def _is_regex(text: str) -> bool:
    """Whether both ECMA 262 and Python read a regular expression, as far as its pattern leaves that open."""
    from harmony_gen.schema.strings import ecma

    try:
        ecma.parse(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" means more to a later Python
            re.compile(text)
    except (ValueError, OverflowError, RecursionError, re.error):
        return False
    return not (any(map(_OCTAL.fullmatch, _ESCAPE.findall(text))) or _repeats_a_look(text))


def _repeats_a_look(text: str) -> bool:
    """Whether a quantifier stands behind a look-around: Python alone reads that."""
    looks = []
    for piece in _PARENTHESIS.findall(text):
        if piece[0] == "(":
            looks.append(piece != "(")
        elif piece[0] == ")" and looks.pop() and piece != ")":
            return True
    return False


_FURTHER: Mapping[str, Callable[[str], bool]] = {
    "hostname": _is_domain,
    "idn-hostname": _is_domain,
    "email": _is_mailbox,
    "idn-email": _is_mailbox,
    "regex": _is_regex,
}
"""What a pattern cannot say."""


def _checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(())
    for name in STANDARD:
        checker.checks(name)(_check(name))
    return checker


def _check(name: str) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or is_valid(name, value)


CHECKER = _checker()
"""The checks for jsonschema's validators, in all dialects: a format means the same wherever it stands."""
