"""The built-in simple types of XML Schema as plain trees."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from harmony_gen.schema.markup.text import LEGAL, text_node
from harmony_gen.schema.strings.expression import Character, Node, both, concat, repeat
from harmony_gen.schema.xsd import characters, dates, numbers
from harmony_gen.schema.xsd.numbers import Bound
from harmony_gen.schema.xsd.regex import parse


class Unwritable(Exception):  # noqa: N818 - it says what the type is
    """No value of a type can be written, or it is not known how; the message says why."""


ANY = repeat(Character(LEGAL), 0, None)
WORD = repeat(Character(characters.without(LEGAL, characters.SPACE)), 1, None)
SPACE = text_node(" ")
REPLACED = repeat(Character(characters.without(LEGAL, characters.of("\t\n\r"))), 0, None)
COLLAPSED = repeat(concat([WORD, repeat(concat([SPACE, WORD]), 0, None)]), 0, 1)
_NAME = concat([Character(characters.NAME_START), repeat(Character(characters.NAME), 0, None)])
_COLON = characters.of(":")
UNPREFIXED = concat(
    [
        Character(characters.without(characters.NAME_START, _COLON)),
        repeat(Character(characters.without(characters.NAME, _COLON)), 0, None),
    ]
)
_FLOAT = r"[+\-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+\-]?({}))?|-?INF|NaN"
_CHARACTER = r"([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI = (
    rf"([A-Za-z][A-Za-z0-9+\-.]{{0,20}}:(//([A-Za-z0-9\-._~]+(:[0-9]{{1,4}})?)?(/{_CHARACTER}*)*"
    rf"|{_CHARACTER}+(/{_CHARACTER}*)*)"
    rf"|/?([A-Za-z0-9\-._~!$'()*+,;=@]|%[0-9A-Fa-f]{{2}})+(/{_CHARACTER}*)*)?(\?({_CHARACTER}|[/?])*)?"
    rf"(#({_CHARACTER}|[/?])*)?"
)
BASE64 = "[A-Za-z0-9+/]"
BASE64_ENDS = ("", f"{BASE64}{{2}}[AEIMQUYcgkosw048]=", f"{BASE64}[AQgw]==")
"""How a text ends of which the last group lacks so many bytes."""


def _interval(low: int | None, high: int | None) -> tuple[Bound | None, Bound | None]:
    return None if low is None else Bound(Decimal(low)), None if high is None else Bound(Decimal(high))


WHOLE = {
    "integer": _interval(None, None),
    "nonPositiveInteger": _interval(None, 0),
    "negativeInteger": _interval(None, -1),
    "nonNegativeInteger": _interval(0, None),
    "positiveInteger": _interval(1, None),
    "long": _interval(-(2**63), 2**63 - 1),
    "int": _interval(-(2**31), 2**31 - 1),
    "short": _interval(-(2**15), 2**15 - 1),
    "byte": _interval(-128, 127),
    "unsignedLong": _interval(0, 2**64 - 1),
    "unsignedInt": _interval(0, 2**32 - 1),
    "unsignedShort": _interval(0, 2**16 - 1),
    "unsignedByte": _interval(0, 255),
}
WHOLE_NUMBER = parse(r"[+\-]?[0-9]{1,40}")
_NAMED = frozenset("NCName ID IDREF ENTITY".split())
LISTS = {"IDREFS": "NCName", "ENTITIES": "NCName", "NMTOKENS": "NMTOKEN"}
PATTERNS = {
    "language": "[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*",
    "boolean": "true|false|1|0",
    "decimal": r"[+\-]?([0-9]{1,40}(\.[0-9]{0,20})?|\.[0-9]{1,20})",
    "float": _FLOAT.format("[0-2]?[0-9]|3[0-7]"),
    "double": _FLOAT.format("[0-9]{1,2}|[12][0-9]{2}|30[0-7]"),
    "dateTime": f"{dates.DATE}T{dates.TIME}{dates.ZONE}",
    "date": dates.DATE + dates.ZONE,
    "time": dates.TIME + dates.ZONE,
    "gYear": f"-?{dates.YEAR}{dates.ZONE}",
    "gYearMonth": f"-?{dates.YEAR}-{dates.MONTH}{dates.ZONE}",
    "gMonthDay": f"--{dates.MONTH_DAY}{dates.ZONE}",
    "gDay": f"---{dates.DAY}{dates.ZONE}",
    "gMonth": f"--{dates.MONTH}{dates.ZONE}",
    "duration": dates.DURATION,
    "hexBinary": "([0-9a-fA-F]{2})*",
    "base64Binary": f"({BASE64}{{4}})*({'|'.join(end or BASE64 + '{4}' for end in BASE64_ENDS)})?",
    "anyURI": _URI,
}


@cache
def builtin_tree(name: str) -> Node:
    """The texts of a built-in type.

    Raises:
        Unwritable: it is not known.
    """
    if name in WHOLE:
        return both([numbers.between(*WHOLE[name], whole=True), WHOLE_NUMBER])
    if name in PATTERNS:
        return parse(PATTERNS[name])
    if name in _NAMED:
        return UNPREFIXED
    texts = {
        "string": ANY,
        "anySimpleType": ANY,
        "anyAtomicType": ANY,
        "normalizedString": REPLACED,
        "token": COLLAPSED,
        "NMTOKEN": repeat(Character(characters.NAME), 1, None),
        "Name": _NAME,
    }
    if name not in texts:
        message = f"the type xs:{name} is not one of XML Schema 1.0"
        raise Unwritable(message)
    return texts[name]
