"""Identifiers, codes and what machines write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.people import filled, host
from finetune.embedded.values.pools import POOLS
from finetune.embedded.values.syllables import pseudo_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_CODES = (
    "@@-#####",
    "@@@#####",
    "######",
    "####-###",
    "@-####",
    "@@@-####-##",
    "##/@@@/###",
    "#######",
    "@#@#@#",
    "@@##-@@##",
    "#####-@",
    "@@/####/##",
    "20##-####",
    "@@@@@-##",
    "@@ ### ###",
    "######@@",
    "@@20##-###",
    "&&&-####",
    "#@@####",
)
_PREFIXES = (
    "INV",
    "ORD",
    "REF",
    "TKT",
    "CASE",
    "PO",
    "SO",
    "BK",
    "RMA",
    "CUST",
    "ID",
    "DOC",
    "REQ",
    "BUG",
    "EMP",
    "ACC",
)


def code(draw: Draw) -> Value:
    """An identifier of some kind."""
    if draw.chance(0.25):
        return verbatim(f"{draw.pick(_PREFIXES)}{draw.pick(('-', '', '/', '_'))}{draw.digits(draw.between(3, 8))}")
    return verbatim(filled(draw, draw.pick(_CODES)))


def long_number(draw: Draw) -> Value:
    """A long row of digits, as a tracking number."""
    return verbatim(
        filled(draw, draw.pick(("@@#########@@", "############", "#### #### ####", "SF#############", "@@@##########")))
    )


def iban(draw: Draw) -> Value:
    """The number of an account."""
    patterns = (
        "@@## #### #### #### ####",
        "@@####################",
        "####-######",
        "********####",
        "#### #### #### ####",
        "xxxx-####",
    )
    return verbatim(filled(draw, draw.pick(patterns)))


def flight_number(draw: Draw) -> Value:
    """The number of a flight."""
    return verbatim(filled(draw, draw.pick(("@@ ####", "@@###", "@@####", "@@ ###"))))


def train_number(draw: Draw) -> Value:
    """The number of a train."""
    if draw.language == "zh":
        return verbatim(f"{draw.pick('GDKTZ')}{draw.between(1, 9999)}")
    return verbatim(filled(draw, draw.pick(("ICE ###", "IC ####", "TGV ####", "RE #", "@@ ###", "EC ##"))))


def plate(draw: Draw) -> Value:
    """The plate of a car."""
    if draw.language == "zh":
        return verbatim(draw.pick("京沪粤浙苏川鄂鲁") + filled(draw, "@·@####"))
    return verbatim(filled(draw, draw.pick(("@@@ ####", "@@-@@ ###", "@@## @@@", "###-@@@", "@-@@ ####"))))


def seat(draw: Draw) -> Value:
    """A seat."""
    if draw.language == "zh":
        return verbatim(f"{draw.between(1, 16)}车{draw.between(1, 20)}{draw.pick('ABCDF')}号")
    return verbatim(f"{draw.between(1, 45)}{draw.pick('ABCDEFGHJK')}")


def gate(draw: Draw) -> Value:
    """A gate or platform."""
    return verbatim(draw.pick((f"{draw.pick('ABCDEFG')}{draw.between(1, 60)}", str(draw.between(1, 40)))))


def address_of_machine(draw: Draw) -> Value:
    """An IP address."""
    return verbatim(".".join(str(draw.between(1, 254)) for _ in range(4)))


def machine(draw: Draw) -> Value:
    """The name of a machine."""
    word = draw.pick((draw.of(POOLS["nouns"]), pseudo_word(draw, 2), draw.pick(("web", "db", "app", "cache", "mail"))))
    return verbatim(
        draw.pick((f"{word}-{draw.between(1, 99):02d}", f"{word}{draw.between(1, 9)}", f"{word}.{host(draw)}"))
    )


def component(draw: Draw) -> Value:
    """A part of a program."""
    word, other = (
        draw.of(POOLS["nouns"]),
        draw.pick(("service", "worker", "api", "queue", "gateway", "scheduler", "daemon")),
    )
    forms = (f"{word}-{other}", f"{word}_{other}", f"{word}.{other}", word, f"{word.capitalize()}{other.capitalize()}")
    return verbatim(draw.pick(forms))


def file_path(draw: Draw) -> Value:
    """The path of a file."""
    parts = [draw.pick((draw.of(POOLS["nouns"]), pseudo_word(draw, 2))) for _ in range(draw.between(1, 3))]
    ending = draw.pick((".txt", ".pdf", ".csv", ".log", ".py", ".json", ".docx", ".xlsx", ".png"))
    return verbatim(draw.pick(("/", "", "/var/", "/home/", "C:/")) + "/".join(parts) + ending)


def version(draw: Draw) -> Value:
    """A version."""
    numbers = ".".join(str(draw.below(20)) for _ in range(draw.between(2, 3)))
    return verbatim(draw.pick(("", "", "v")) + numbers + draw.pick(("", "", "", "-beta", "rc1")))


def color_code(draw: Draw) -> Value:
    """A colour in hexadecimal figures."""
    return verbatim("#" + "".join(draw.pick("0123456789ABCDEF") for _ in range(6)))


def size(draw: Draw) -> Value:
    """A size, copied as it stands."""
    low, high = draw.between(2, 90), draw.between(20, 200)
    forms = (
        "S",
        "M",
        "L",
        "XL",
        f"{low} x {high} cm",
        f"{low}x{high}",
        f"{low} cm",
        f"{low} inches",
        f"{low}.5",
        f"{low} ml",
    )
    return verbatim(draw.pick(forms))


def document_number(draw: Draw) -> Value:
    """The number of a Chinese official document."""
    year, number = draw.between(2010, 2029), draw.between(1, 199)
    return verbatim(f"{draw.of(POOLS['zh_company_characters'])}{draw.pick('发办函字')}〔{year}〕{number}号")
