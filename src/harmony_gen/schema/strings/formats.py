"""The string formats of JSON Schema as regular expressions, for masks and for completions.

A pattern matches a whole string. It is written in what ECMA 262, Python and the engine read alike: characters
themselves, classes, groups, alternatives and repetitions. `format_checks` accepts no string outside of it, so a
mask made of it excludes nothing valid; where it is exact, a masked string needs no further check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Format:
    """The strings of a format.

    Attributes:
        pattern: what the whole string matches.
        exact: everything that matches is valid; otherwise some of it is not.
        longest: the most characters a valid string has, where the pattern does not say.
    """

    pattern: str
    exact: bool = True
    longest: int | None = None


# RFC 3339: dates of the Gregorian calendar, times, and durations (appendix A).
_YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][48]|[2468]0|[13579][26])00)"
_LONG_MONTH = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH = "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(0[1-9]|1[0-9]|2[0-8])"
_DATE = f"({_YEAR}-({_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})|{_LEAP_YEAR}-02-29)"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"{_CLOCK}:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]{_CLOCK})"
_DURATION_TIME = "T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)"
_DURATION_DATE = "([0-9]+D|[0-9]+M([0-9]+D)?|[0-9]+Y([0-9]+M([0-9]+D)?)?)"

# RFC 2673 and RFC 4291.
_HEX = "[0-9A-Fa-f]"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(\.{_BYTE}){{3}}"


def _ipv6(gap: int) -> str:
    """Addresses in which `::` stands for at least so many groups."""
    group, most = f"{_HEX}{{1,4}}", 8 - gap
    options = [f"({group}:){{7}}{group}", f"({group}:){{1,{most}}}:", f":((:{group}){{1,{most}}}|:)"]
    options += [f"({group}:){{1,{most - right}}}(:{group}){{1,{right}}}" for right in range(1, most)]
    options += [f"({group}:){{6}}{_IPV4}", f"::({group}:){{0,{most - 2}}}{_IPV4}"]
    options += [f"({group}:){{1,{most - 2 - right}}}(:{group}){{0,{right}}}:{_IPV4}" for right in range(most - 2)]
    return "|".join(options)


# RFC 3986 and RFC 3987.
_PERCENT = f"%{_HEX}{{2}}"
_PLAIN = "A-Za-z0-9._~!$&'()*+,;="  # unreserved and sub-delims, but for the hyphen
_PLANES = "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 14))
_HIGH = f"\uf900-\ufdcf\ufdf0-\uffef{_PLANES}\U000e1000-\U000efffd"
_UCSCHAR = f"\u00a0-\ud7ff{_HIGH}"
_IRI_CHAR = "\u00a0-\u200d\u2010-\u2029\u202f-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"  # no marks of direction: 4.1
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"


def _resource(version: str, letters: str = "", private: str = "") -> tuple[str, str]:
    """Identifiers, and references to them.

    Args:
        version: the letter in front of the version of a future IP address.
        letters: the inside of a class of further characters.
        private: the same of those in a query only.
    """
    name = f"([{_PLAIN}{letters}-]|{_PERCENT})*"
    user = f"([{_PLAIN}{letters}:-]|{_PERCENT})*"
    first = f"([{_PLAIN}{letters}@-]|{_PERCENT})+"
    char = f"([{_PLAIN}{letters}:@-]|{_PERCENT})"
    query = f"([{_PLAIN}{letters}{private}:@/?-]|{_PERCENT})*"
    fragment = f"([{_PLAIN}{letters}:@/?-]|{_PERCENT})*"
    literal = rf"\[({_ipv6(1)}|{version}{_HEX}+\.[{_PLAIN}:-]+)\]"
    rooted = f"//({user}@)?({literal}|{name})(:[0-9]*)?(/{char}*)*|/({char}+(/{char}*)*)?"
    scheme = "[A-Za-z][A-Za-z0-9+.-]*:"
    behind = rf"(\?{query})?(#{fragment})?"
    absolute = f"{scheme}({rooted}|{char}+(/{char}*)*)?{behind}"
    return absolute, f"(({scheme})?({rooted})?|({scheme}{char}+|{first})(/{char}*)*){behind}"


_URI, _URI_REFERENCE = _resource("v")
_IRI, _IRI_REFERENCE = _resource("[Vv]", _IRI_CHAR, "\ue000-\uf8ff")  # as jsonschema's check: nothing beyond U+FFFF

# RFC 6570, with erratum 6937: an apostrophe is a literal.
_NAME_CHAR = f"([A-Za-z0-9_]|{_PERCENT})"
_VARIABLE = rf"[A-Za-z0-9_]{_NAME_CHAR}*(\.{_NAME_CHAR}+)*(:[1-9][0-9]{{0,2}}|\*)?"
_EXPRESSION = rf"\{{[+#./;?&]?{_VARIABLE}(,{_VARIABLE})*\}}"
_LITERAL = rf"[!#$&-;=?-\[\]_a-z~{_UCSCHAR}{_PRIVATE}]"


# RFC 1123 and RFC 5890.
def _domain(char: str, dot: str) -> str:
    """Names of labels of 1 to 63 characters, with two hyphens in third place only behind `xn`."""
    inner = f"[{char}-]"
    end = f"[{char}]"
    short = f"{end}({inner}{{0,2}}{end})?"
    long = f"{end}{inner}({end}{inner}|-{end}){inner}{{0,58}}{end}"
    label = f"({short}|{long}|[Xx][Nn]--[A-Za-z0-9-]{{0,58}}[A-Za-z0-9])"
    return f"{label}({dot}{label})*"


_IDN_CHAR = (
    "A-Za-z0-9\u00b7\u00df-\u1fff\u200c\u200d\u208f\u2132-\u214e\u2184\u2c30-\u2dff\u2e2f\u3005-\u3007\u302a-\u302d\u303c"
    "\u3041-\u31ff\u3400-\ud7fb\ufa0e-\ufa29\ufb1e\ufe20-\ufe2f\ufe73\U00010000-\U0003ffff"
)  # all that RFC 5892 allows in some context, and a little more
_HOSTNAME = _domain("A-Za-z0-9", r"\.")
_IDN_HOSTNAME = _domain(_IDN_CHAR, "[.\u3002\uff0e\uff61]")


# RFC 5321 and RFC 6531. Of the address literals with a tag, only that of IPv6 is registered.
def _mailbox(letters: str, domain: str) -> str:
    atom = rf"[A-Za-z0-9!#$%&'*+/=?\^_`{{|}}~{letters}-]"
    quoted = rf'"([ !#-\[\]-~{letters}]|\\[ -~]){{0,62}}"'
    literal = rf"\[({_IPV4}|[Ii][Pp][Vv]6:({_ipv6(2)}))\]"
    return rf"({atom}(\.?{atom}){{0,63}}|{quoted})@({domain}|{literal})"


_BEYOND_ASCII = "\u0080-\ud7ff\ue000-\U0010ffff"

# RFC 6901.
_POINTER = "(/([^/~]|~[01])*)*"

# ECMA 262 in Unicode mode, without the groups and escapes that Python does not know.
_CODE = f"x{_HEX}{{2}}|u{_HEX}{{4}}"
_SYNTAX = r"\^$\\.*+?()\[\]{}|"
_ESCAPE = rf"\\([{_SYNTAX}/BDSWbdfnrstvw0-9]|{_CODE})"
_CLASS_ESCAPE = rf"\\([{_SYNTAX}/DSWbdfnrstvw0-]|{_CODE})"
_CLASS = rf"\[(\^\^|\^?([^\\\]\^]|{_CLASS_ESCAPE}))([^\\\]]|{_CLASS_ESCAPE})*\]"
_ATOM = rf"[^{_SYNTAX}]|\.|{_ESCAPE}|{_CLASS}"
_OPENING = r"\((\?(:|=|!|<=|<!))?"
_REPEATED = r"(([*+?]|\{[0-9]+(,[0-9]*)?\})\??)?"
_REGEX = rf"({_OPENING}|[|\^$]|({_ATOM}|\)){_REPEATED})*"


def _nested(depth: int) -> str:
    """Regular expressions with groups nested so deep at most, all of them closed."""
    group = rf"|{_OPENING}{_nested(depth - 1)}\)" if depth else ""
    return rf"([|\^$]|({_ATOM}{group}){_REPEATED})*"


LONGEST_DOMAIN = 253
LONGEST_MAILBOX = 254
"""Octets of a name in the Domain Name System, and of a path in SMTP without its angle brackets."""

STANDARD: Mapping[str, Format] = {
    "date": Format(_DATE),
    "time": Format(_TIME),
    "date-time": Format(f"{_DATE}[Tt]{_TIME}"),
    "duration": Format(f"P({_DURATION_DATE}({_DURATION_TIME})?|{_DURATION_TIME}|[0-9]+W)"),
    "ipv4": Format(_IPV4),
    "ipv6": Format(_ipv6(1)),
    "uuid": Format(f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"),
    "uri": Format(_URI),
    "uri-reference": Format(_URI_REFERENCE),
    "iri": Format(_IRI),
    "iri-reference": Format(_IRI_REFERENCE),
    "uri-template": Format(f"({_LITERAL}|{_PERCENT}|{_EXPRESSION})*"),
    "json-pointer": Format(_POINTER),
    "relative-json-pointer": Format(f"[1-9]*[0-9](#|{_POINTER})"),
    "hostname": Format(_HOSTNAME, exact=False, longest=LONGEST_DOMAIN),
    "idn-hostname": Format(_IDN_HOSTNAME, exact=False, longest=LONGEST_DOMAIN),
    "email": Format(_mailbox("", _HOSTNAME), exact=False, longest=LONGEST_MAILBOX),
    "idn-email": Format(_mailbox(_BEYOND_ASCII, _domain(_IDN_CHAR, r"\.")), exact=False, longest=LONGEST_MAILBOX),
    "regex": Format(_REGEX, exact=False),
}
"""The formats of the standard by name, the same in all dialects."""

FORMATS: Mapping[str, str] = {name: known.pattern for name, known in STANDARD.items()} | {"regex": _nested(3)}
"""Patterns to complete a partial string by: as above, but for regular expressions with their groups closed."""
