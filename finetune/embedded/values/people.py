"""People and how to reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.pools import POOLS
from finetune.embedded.values.syllables import pseudo_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_ENDINGS = ("", "son", "sen", "ez", "ini", "ova", "ski", "ton", "man", "er", "berg", "ley", "ford", "ani", "escu")
_TITLES = ("Dr.", "Mr.", "Ms.", "Mrs.", "Prof.", "Dr", "Mr", "Ms")
_HOSTS = ("com", "org", "net", "io", "de", "co.uk", "fr", "info", "eu", "edu", "ca", "com.au", "biz", "example")
_PHONES = (
    "+1 ### ### ####",
    "(###) ###-####",
    "###-###-####",
    "+49 ### #######",
    "+44 20 #### ####",
    "0## ### ## ##",
    "+33 # ## ## ## ##",
    "###.###.####",
    "+91 ##### #####",
    "0#### ######",
    "+1-###-###-####",
    "##########",
    "555-####",
)
_ZH_PHONES = (
    "13#########",
    "15#########",
    "18#########",
    "010-########",
    "021-########",
    "1##-####-####",
    "400-###-####",
    "0###-#### ####",
    "0###-########",
)
_ZH_MAIL = ("163.com", "qq.com", "126.com", "sina.com", "foxmail.com", "example.cn")


def filled(draw: Draw, pattern: str) -> str:
    """A pattern with a digit for each `#`, a capital for each `@` and a small letter for each `&`."""
    return "".join(
        str(draw.below(10))
        if sign == "#"
        else draw.pick("ABCDEFGHJKLMNPRSTUVWXYZ")
        if sign == "@"
        else draw.pick("abcdefghjkmnprstuvwxyz")
        if sign == "&"
        else sign
        for sign in pattern
    )


def first_name(draw: Draw) -> Value:
    """A given name."""
    if draw.language == "zh":
        return verbatim(_zh_given(draw))
    return verbatim(draw.of(POOLS["first_names"]) if draw.chance(0.6) else pseudo_word(draw, 2).capitalize())


def last_name(draw: Draw) -> Value:
    """A family name."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_surnames"]))
    if draw.chance(0.55):
        return verbatim(draw.of(POOLS["last_names"]))
    return verbatim(pseudo_word(draw, 2).capitalize() + draw.pick(_ENDINGS))


def person(draw: Draw) -> Value:
    """A full name."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_surnames"]) + _zh_given(draw))
    first, last = first_name(draw).surface, last_name(draw).surface
    rare = (
        f"{first} {draw.pick('ABCDEFGHJKLMPRSTW')}. {last}",
        f"{first[0]}. {last}",
        f"{first} {last}-{last_name(draw).surface}",
    )
    return verbatim(draw.pick(rare) if draw.chance(0.12) else f"{first} {last}")


_ADDRESSES = ("Mr", "Ms", "Mrs", "Mr.", "Ms.", "Mrs.", "Miss", "Herr", "Frau", "Mme", "Cllr", "Sir")


def addressed_person(draw: Draw) -> Value:
    """A full name, perhaps with a word of address before it that is no part of the answer."""
    name = person(draw)
    if draw.language == "zh" or not draw.chance(0.08):
        return name
    return Value(f"{draw.pick(_ADDRESSES)} {name.surface}", name.gold)


def titled_person(draw: Draw) -> Value:
    """A name with its title, both part of the answer."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_surnames"]) + draw.pick(("经理", "老师", "主任", "医生", "总监", "教授")))
    return verbatim(f"{draw.pick(_TITLES)} {draw.pick((last_name, person))(draw).surface}")


def _zh_given(draw: Draw) -> str:
    return "".join(draw.of(POOLS["zh_given"]) for _ in range(1 if draw.chance(0.3) else 2))


def email(draw: Draw) -> Value:
    """An e-mail address."""
    first = draw.of(POOLS["first_names"]) if draw.chance(0.5) else pseudo_word(draw, 2)
    user = draw.pick(
        (first, f"{first}{draw.pick('._-')}{_plain(last_word(draw))}", f"{first[0]}{_plain(last_word(draw))}")
    )
    user += str(draw.below(100)) if draw.chance(0.15) else ""
    if draw.language == "zh" and draw.chance(0.6):
        return verbatim(f"{user.lower()}@{draw.pick(_ZH_MAIL)}")
    if draw.chance(0.15):
        user = draw.pick(("info", "office", "support", "contact", "jobs", "sales", "billing", "hello", "service"))
    return verbatim(f"{user.lower()}@{host(draw)}")


def last_word(draw: Draw) -> str:
    """A family name of one word, or a made-up one."""
    return draw.of(POOLS["last_names"]).split()[-1] if draw.chance(0.5) else pseudo_word(draw, 2)


def _plain(word: str) -> str:
    return word.lower().replace("'", "")


def host(draw: Draw) -> str:
    """The name of a host on the network."""
    word = draw.pick((draw.of(POOLS["nouns"]), pseudo_word(draw, 2), draw.of(POOLS["company_words"]).lower()))
    if draw.chance(0.3):
        word += draw.pick(("-", "")) + draw.pick((draw.of(POOLS["nouns"]), pseudo_word(draw, 2)))
    return f"{word}.{draw.pick(_HOSTS)}"


def url(draw: Draw) -> Value:
    """An address on the web."""
    path = "".join(f"/{draw.pick((draw.of(POOLS['nouns']), pseudo_word(draw, 2)))}" for _ in range(draw.below(3)))
    return verbatim(draw.pick(("https://", "http://", "www.", "https://www.", "")) + host(draw) + path)


def phone(draw: Draw) -> Value:
    """A telephone number."""
    return verbatim(filled(draw, draw.pick(_ZH_PHONES if draw.language == "zh" else _PHONES)))


def handle(draw: Draw) -> Value:
    """A name on a platform."""
    word = draw.pick((draw.of(POOLS["nouns"]), pseudo_word(draw), draw.of(POOLS["first_names"]).lower()))
    tail = draw.pick(("", "", str(draw.below(1000)), "_" + draw.of(POOLS["nouns"]), draw.of(POOLS["adjectives"])))
    return verbatim(word + tail)
