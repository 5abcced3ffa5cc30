"""Addresses of mail, of the web and of machines, and UUIDs, as texts spell them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony_gen.schema.scanner import Span

_END = ".,;:!?'*"
"""What ends a sentence or a quotation rather than an address."""
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_REST = r"[^\s<>\"“”„‘’«»`|，。；：！？（）、《》「」【】]{0,2000}"
_OPAQUE = "mailto|tel|sms|urn|geo|news|magnet|data|did|tag"
"""Schemes of URIs that no host follows; other words before a colon are labels."""
_HIDDEN = {
    "@": r"(?:＠|\s?[(\[{]\s?(?:at|@)\s?[)\]}]\s?)",
    ".": r"\s?[(\[{]\s?(?:dot|punkt|\.)\s?[)\]}]\s?",
}
"""The signs of an address of mail, and the spellings that hide them from machines."""
_SCHEME = "https://"
"""What sites are listed with that have no scheme."""


def _mailbox(word: str) -> str:
    return rf"(?<![{word}_])[{word}_][{word}_.%+&-]{{0,63}}@[{word}.-]{{0,252}}[{word}]"


def _host(word: str) -> str:
    return rf"[{word}](?:[{word}.-]*[{word}])?"


def _site(word: str) -> str:
    """A host of several labels, and what follows it; no part of a mailbox, a path or a longer word."""
    label = rf"[{word}](?:[{word}-]*[{word}])?"
    return rf"(?<![{word}À-ɏ_@./-])(?:{label}\.)+[A-Za-z]{{2,}}(?![{word}À-ɏ_@-])(?:[:/?#]{_REST})?"


_ASCII, _ANY = "A-Za-z0-9", r"\w"
_URI = rf"(?<![A-Za-z0-9+.-])(?:[A-Za-z][A-Za-z0-9+.-]*://|(?:{_OPAQUE}):){_REST}"

_FORMS: Mapping[str, tuple[str, ...]] = {
    "email": (_mailbox(_ASCII),),
    "idn-email": (_mailbox(_ASCII), _mailbox(_ANY)),
    "hostname": (_host(_ASCII),),
    "idn-hostname": (_host(_ASCII), _host(_ANY)),
    "uri": (_URI,),
    "iri": (_URI,),
    "ipv4": (r"[0-9]+(?:\.[0-9]+)+",),
    "ipv6": ("(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{1,4}:|::)[0-9A-Fa-f:.]{0,40}",),
    "uuid": ("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",),
}
_SITES: Mapping[str, tuple[str, ...]] = {"uri": (_site(_ASCII),), "iri": (_site(_ASCII), _site(_ANY))}

FORMATS = frozenset(_FORMS)
"""The formats of JSON Schema whose values a text states as they are."""


def mentioned(source: str, kind: str) -> list[str]:
    """What a text names that may be of a format, in the order of the text.

    They are candidates: whether they are valid is for the format to say. Sites without a scheme ("www.acme.com/shop")
    are listed with "https://" before them; "anna (at) acme (dot) com" is read as an address of mail.

    Args:
        source: the text.
        kind: one of `FORMATS`.
    """
    if kind.endswith("email"):
        for sign, spelling in _HIDDEN.items():
            source = re.sub(spelling, sign, source, flags=re.IGNORECASE)
    found = [*_found(_FORMS[kind], source, ""), *_found(_SITES.get(kind, ()), source, _SCHEME)]
    return list(dict.fromkeys(address for _, address in sorted(found)))


def locate(address: str, source: str) -> Span | None:
    """The first place of an address that `mentioned` reads where the text spells it otherwise.

    Returns:
        Half-open character offsets, or None.
    """
    if address.startswith(_SCHEME):
        spelled = re.escape(address.removeprefix(_SCHEME))
    elif "@" in address:
        spelled = "".join(
            f"(?:{re.escape(sign)}|{_HIDDEN[sign]})" if sign in _HIDDEN else re.escape(sign) for sign in address
        )
    else:
        return None
    match = re.search(spelled, source, re.IGNORECASE)
    return match.span() if match and match.group() else None


def _found(forms: tuple[str, ...], source: str, prefix: str) -> list[tuple[int, str]]:
    """Where addresses of some forms begin, and what they are."""
    matches = (match for form in forms for match in re.finditer(form, source))
    return [(match.start(), prefix + _ended(match.group())) for match in matches]


def _ended(address: str) -> str:
    """An address without the marks of the sentence around it; a bracket stays if it was opened within."""
    while address:
        last = address[-1]
        if last not in _END and (last not in _BRACKETS or address.count(_BRACKETS[last]) >= address.count(last)):
            break
        address = address[:-1]
    return address
