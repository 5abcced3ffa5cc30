"""Regular expressions of ECMA 262, as JSON Schema writes them, rewritten for Python's parser.

What has no counterpart is rewritten generously: a Unicode property becomes a superset of its characters.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r"\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\c[A-Za-z]|\\k<\w+>|\\.|\(\?<(?![=!])|\[\^?\]?", re.DOTALL)
_ODD = {"(?<": "(?P<", "[]": r"[^\x00-\U0010ffff]", "[^]": r"[\s\S]"}
_CLASSES = {
    "L": r"A-Za-z\u00aa-\U0010ffff",
    "Lu": r"A-Z\u00c0-\U0010ffff",
    "Ll": r"a-z\u00df-\U0010ffff",
    "N": r"0-9\u0660-\U0010ffff",
    "P": r"!-/:-@\[-`{-~\u00a1-\U0010ffff",
    "S": r"$+<->\^`|~\u00a2-\U0010ffff",
    "Z": r" \u00a0\u2000-\u200a\u3000",
}
_KNOWN = frozenset("AbBDdsSWwfnrtvxuUN")
_ENDS = {"z": r"\Z", "Z": r"\Z"}
_NAMES = {
    "letter": "L",
    "lowercase": "Ll",
    "uppercase": "Lu",
    "number": "N",
    "digit": "N",
    "punctuation": "P",
}


def to_python(pattern: str) -> str:
    """Rewrites what Python's parser reads otherwise, or not at all."""
    parts = []
    in_class, at = False, 0
    while at < len(pattern):
        found = _PIECE.match(pattern, at)
        piece = found.group() if found else pattern[at]
        if in_class and piece[0] != "\\":
            piece = piece[0]
        at += len(piece)
        if piece[0] == "\\":
            parts.append(_escape(piece, in_class=in_class))
        elif in_class:
            in_class = piece != "]"
            parts.append("\\" + piece if piece in "[&|~" else piece)
        else:
            in_class = piece in ("[", "[^")
            parts.append(_ODD.get(piece, piece))
    return "".join(parts)


def _escape(piece: str, *, in_class: bool) -> str:
    """An escape sequence; letters that escape nothing stand for themselves."""
    kind, name = piece[1], piece[3:-1]
    if len(piece) == len(r"\d"):
        return _ENDS.get(kind, kind) if kind.isalpha() and kind not in _KNOWN else piece
    if kind == "u":
        return f"\\U{int(name, 16):08x}"
    if kind == "c":
        return f"\\x{ord(piece[-1]) % 32:02x}"
    if kind == "k":
        return f"(?P={name})"
    if in_class:
        return _property(name) if kind == "p" else r"\x00-\U0010ffff"
    return f"[{'^' if kind == 'P' else ''}{_property(name)}]"


def _property(name: str) -> str:
    """A Unicode property as the inside of a class, generously."""
    name = name.rsplit("=", maxsplit=1)[-1]
    name = _NAMES.get(name.lower(), name)
    return _CLASSES.get(name) or _CLASSES.get(name[:1]) or _CLASSES["L"]
