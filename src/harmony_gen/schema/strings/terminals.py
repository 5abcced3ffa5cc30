r"""Plain trees of regular expressions as terminals of the engine's grammars, over the JSON text of a string.

Every character has one spelling: `"` and `\` behind a backslash, U+0000 to U+001F as `\b`, `\t`, `\n`, `\f`, `\r`
or `\u00xx` with small letters, and all others as themselves. Surrogates have none.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from llguidance import LLMatcher, LLParserLimits

from harmony_gen.schema import engine
from harmony_gen.schema.strings.characters import EVERY, LAST, SURROGATES, Chars, common, complement, has, union
from harmony_gen.schema.strings.expression import Alternation, Both, Character, Concat, Node, Not, Repeat, alternation
from harmony_gen.schema.strings.python_regex import dash, times
from harmony_gen.schema.strings.quotation import Quotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Write = Callable[[Chars], str]
    """How one character of a set is written."""

CHARACTER = r'(?:[^"\\\x00-\x1f]|\\(?:["\\bfnrt]|u00(?:0[0-7be-f]|1[0-9a-f])))'
"""Regular expression of one character as JSON spells it."""

STRING = f'/"{CHARACTER}*"/'
"""Terminal of all strings."""

_NONE = r"[^\s\S]"
NO_STRING = f"/{_NONE}/"
"""Terminal that matches nothing."""

_ESCAPED: Chars = ((0, 31), (34, 34), (92, 92))
_RAW = complement(union((*_ESCAPED, *SURROGATES)))
_SCALARS = complement(SURROGATES)
_SYNTAX = re.compile(r"[\\/.+*?()|\[\]{}^$]")
_PLAIN = frozenset(" !\"%',:;<=>@_`#")
_HEX = "0-9a-f"
_ALL_HEX = "0123456789abcdef"
_FUEL = 100_000
_LONGEST_PROOF = 20_000
_MOST_COUNTED = 20_000


def spell(text: str) -> str:
    """The JSON text of a string in the one spelling that terminals use."""
    return json.dumps(text, ensure_ascii=False)


def terminal_of_tree(node: Node, suffix: str = "") -> str:
    """The terminal of the strings that match a plain tree, with a literal text behind the closing quote."""
    return _lark(node, '"', '"' + quoted(suffix), _spelled)


@lru_cache(maxsize=4096)
def plain_terminal(node: Node) -> str:
    """The terminal of the texts that match a plain tree, each character as it is."""
    return _lark(node, "", "", _class)


def terminal_of_values(values: Iterable[str], suffix: str = "") -> str:
    """The terminal of certain strings."""
    texts = [quoted(spell(value)[1:-1]) for value in sorted(values)]
    if not texts:
        return NO_STRING
    inner = texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"
    return f'/"{inner}"{quoted(suffix)}/'


def all_but(terminal: str, suffix: str = "") -> str:
    """The terminal of all other strings."""
    return f'(/"{CHARACTER}*"{quoted(suffix)}/ & ~{terminal})'


def are_costly(trees: Iterable[Node], length: int) -> bool:
    """Whether the engine would count characters and rounds of patterns against each other, for seconds a text."""
    return length * max(map(_rounds, trees), default=0) > _MOST_COUNTED


def _rounds(node: Node) -> int:
    """The most rounds a repetition counts to, of those that repeat more than a character; 0 if none does."""
    match node:
        case Concat(parts) | Both(parts) | Alternation(parts):
            return max(map(_rounds, parts), default=0)
        case Repeat(body, least, most) if not isinstance(body, Character):
            return max(least, most or 0, _rounds(body))
        case Not(body) | Repeat(body):
            return _rounds(body)
        case _:
            return 0


@lru_cache(maxsize=4096)
def is_empty(terminal: str) -> bool:
    """Whether the engine proves, with little effort, that a terminal matches nothing."""
    if len(terminal) > _LONGEST_PROOF:
        return False
    limits = LLParserLimits(initial_lexer_fuel=_FUEL, verbose_errors=False)
    matcher = LLMatcher(engine.BYTES, engine.grammar_of_lark(f"start: T\nT: {terminal}"), log_level=0, limits=limits)
    if matcher.is_error() or matcher.validate_tokens([ord('"')]) == 1:
        return False
    matcher.compute_bitmask()
    return str(matcher.get_error()).startswith("NoExtensionBias")


def quoted(text: str) -> str:
    """A regular expression of the engine that matches one text."""
    text = _SYNTAX.sub(r"\\\g<0>", text)
    return text if text.isprintable() else "".join(char if char.isprintable() else _coded(char) for char in text)


@lru_cache(maxsize=1024)
def _written(code: int) -> str:
    """One character in a regular expression, in or out of a class."""
    char = chr(code)
    if char.isalnum() or char in _PLAIN:
        return char
    return "\\" + char if char.isascii() and char.isprintable() else _coded(char)


def _coded(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"


def _is_regular(node: Node) -> bool:
    """Whether the engine's regular expressions have words for a tree."""
    match node:
        case Concat(parts) | Alternation(parts):
            return all(map(_is_regular, parts))
        case Repeat(body):
            return _is_regular(body)
        case _:
            return isinstance(node, Character)


def _regex(node: Node, write: _Write) -> str:
    """A regular expression of the engine for a tree without `Both` and `Not`."""
    match node:
        case Character(chars):
            return write(chars)
        case Concat(parts):
            return "".join(_part(part, write) for part in parts)
        case Alternation(options):
            return "|".join(_regex(option, write) for option in options) if options else _NONE
        case Repeat(body, least, most):
            inner = _regex(body, write)
            return (inner if isinstance(body, Character) else f"(?:{inner})") + times(least, most)
    raise TypeError(node)


@lru_cache(maxsize=4096)
def _spelled(chars: Chars) -> str:
    """One character of a set as JSON spells it, ready to be repeated."""
    if chars == EVERY:
        return CHARACTER
    if len(chars) == 1 and chars[0][0] == chars[0][1] and has(_RAW, chars[0][0]):
        return _written(chars[0][0])
    words = _escapes(common(chars, _ESCAPED))
    raw = common(chars, _RAW)
    if raw and raw[-1][1] == LAST:
        words.insert(0, f"[^{_ranges(complement(union((*raw, *SURROGATES))))}]")
    elif raw:
        words.insert(0, f"[{_ranges(raw)}]")
    return words[0] if len(words) == 1 and raw else f"(?:{'|'.join(words) or _NONE})"


@lru_cache(maxsize=4096)
def _class(chars: Chars) -> str:
    """One character of a set as it is, ready to be repeated."""
    if len(chars) == 1 and chars[0][0] == chars[0][1]:
        return _written(chars[0][0])
    chars = common(chars, _SCALARS)
    if chars == _SCALARS:
        return r"[\s\S]"
    if chars and chars[-1][1] == LAST:
        return f"[^{_ranges(complement(union((*chars, *SURROGATES))))}]"
    return f"[{_ranges(chars)}]" if chars else _NONE


def _ranges(chars: Chars) -> str:
    """The inside of a class."""
    return "".join(
        _written(low) if low == high else _written(low) + dash(low, high) + _written(high) for low, high in chars
    )


def _escapes(chars: Chars) -> list[str]:
    """Regular expressions of the escape sequences of some characters that JSON escapes."""
    spelled = [spell(chr(code))[2:-1] for low, high in chars for code in range(low, high + 1)]
    letters = "".join(_written(ord(text)) for text in spelled if len(text) == 1)
    words = [rf"\\[{letters}]"] if letters else []
    for start in ("u000", "u001"):
        digits = "".join(text[-1] for text in spelled if text.startswith(start))
        if digits:
            words.append(rf"\\{start}[{_HEX if digits == _ALL_HEX else digits}]")
    return words


def _lark(node: Node, before: str, after: str, write: _Write) -> str:  # noqa: PLR0911 - one case for each kind of node
    """A terminal for a tree between two regular expressions."""
    if _is_regular(node):
        return f"/{before}{_part(node, write)}{after}/" if before or after else f"/(?:{_regex(node, write)})/"
    match node:
        case Both(parts):
            return _all_of(parts, before, after, write)
        case Not():
            return _all_of((node,), before, after, write)
        case Alternation(options):
            regular = [option for option in options if _is_regular(option)]
            others = [option for option in options if not _is_regular(option)]
            kinds = [alternation(regular), *others] if regular else others
            return f"({' | '.join(_lark(option, before, after, write) for option in kinds)})"
        case Concat(parts):
            return _row(parts, before, after, write)
        case Quotation(source) if not before + after:
            return f"%regex {json.dumps({'substring_chunks': source.spellings}, ensure_ascii=False)}"
        case _:
            return _row((node,), before, after, write)


def _all_of(parts: tuple[Node, ...], before: str, after: str, write: _Write) -> str:
    """What matches every part; what is not to match is taken from something."""
    words = [_lark(part, before, after, write) for part in parts if not isinstance(part, Not)]
    words = words or [f"/{before}{write(EVERY)}*{after}/"]
    words += [f"~{_lark(part.body, before, after, write)}" for part in parts if isinstance(part, Not)]
    return f"({' & '.join(words)})"


def _row(parts: tuple[Node, ...], before: str, after: str, write: _Write) -> str:
    """One part after the other; regular neighbours share a regular expression."""
    words, regex = [], before
    for part in parts:
        if _is_regular(part):
            regex += _part(part, write)
            continue
        if regex:
            words.append(f"/{regex}/")
        if isinstance(part, Repeat):
            words.append(_lark(part.body, "", "", write) + times(part.least, part.most))
        else:
            words.append(_lark(part, "", "", write))
        regex = ""
    if regex + after:
        words.append(f"/{regex}{after}/")
    return f"({' '.join(words)})"


def _part(node: Node, write: _Write) -> str:
    """A regular expression that may stand in a row."""
    return f"(?:{_regex(node, write)})" if isinstance(node, Alternation) else _regex(node, write)
