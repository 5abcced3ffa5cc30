"""Companies, places and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.people import filled, last_name
from finetune.embedded.values.pools import POOLS
from finetune.embedded.values.syllables import pseudo_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_TOWN_ENDINGS = (
    "",
    "ville",
    "burg",
    "ton",
    "field",
    "haven",
    "stad",
    "grad",
    "port",
    "mouth",
    " Falls",
    " Springs",
    "dale",
)
_ROADS = ("Street", "St.", "Avenue", "Ave", "Road", "Rd", "Lane", "Drive", "Boulevard", "Way", "Court", "Place", "St")
_ZIPS = ("#####", "#####", "#####-####", "@@# #@@", "@# #@@", "####", "@#@ #@#", "## ###", "#### @@")


def company(draw: Draw) -> Value:
    """A company."""
    if draw.language == "zh":
        return verbatim(_zh_company(draw))
    stem = draw.pick((_family, _word, _word, _made_up, _made_up))(draw)
    if draw.chance(0.5):
        stem += " " + draw.of(POOLS["company_fields"])
    if draw.chance(0.45):
        stem += " " + draw.pick(POOLS["company_suffixes"].train)
    return verbatim(stem)


def _family(draw: Draw) -> str:
    name = last_name(draw).surface
    return f"{name} {draw.pick(('&', 'and'))} {last_name(draw).surface}" if draw.chance(0.25) else name


def _word(draw: Draw) -> str:
    return draw.of(POOLS["company_words"])


def _made_up(draw: Draw) -> str:
    word = pseudo_word(draw).capitalize()
    return word + draw.pick(("", "", "tech", "soft", "ware", "net", "ly", "ify", "co", "lab"))


def _zh_company(draw: Draw) -> str:
    place = draw.of(POOLS["zh_cities"]) if draw.chance(0.45) else ""
    stem = "".join(draw.of(POOLS["zh_company_characters"]) for _ in range(2 if draw.chance(0.8) else 3))
    suffix = draw.pick(POOLS["zh_company_suffixes"].train)
    return place + stem + draw.of(POOLS["zh_company_fields"]) + suffix


def city(draw: Draw) -> Value:
    """A town."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_cities"]) + draw.pick(("", "", "市")))
    if draw.chance(0.6):
        return verbatim(draw.of(POOLS["cities"]))
    return verbatim(pseudo_word(draw, 2).capitalize() + draw.pick(_TOWN_ENDINGS))


def country(draw: Draw) -> Value:
    """A country."""
    return verbatim(draw.of(POOLS["countries"]))


def region(draw: Draw) -> Value:
    """A state, province or region."""
    return verbatim(draw.of(POOLS["regions"]) if draw.chance(0.7) else pseudo_word(draw).capitalize())


def district(draw: Draw) -> Value:
    """A part of a town."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_districts"]))
    if draw.chance(0.7):
        return verbatim(draw.of(POOLS["districts"]))
    return verbatim(pseudo_word(draw).capitalize() + draw.pick((" Quarter", " Hill", " Park", "side", "")))


def street(draw: Draw) -> Value:
    """A street with a number."""
    if draw.language == "zh":
        road = draw.of(POOLS["zh_streets"]) + draw.pick(("路", "街", "大道", "东路", "北路"))
        return verbatim(f"{road}{draw.between(1, 999)}号")
    name = draw.of(POOLS["streets"]) if draw.chance(0.6) else pseudo_word(draw, 2).capitalize()
    if draw.chance(0.15):
        return verbatim(f"{name}{draw.pick(('straße', 'weg', 'gasse', 'strasse'))} {draw.between(1, 199)}")
    return verbatim(f"{draw.between(1, 9 if draw.chance(0.2) else 1999)} {name} {draw.pick(_ROADS)}")


_WITHIN = (
    "Flat {}",
    "Flat {}{}",
    "Apt {}{}",
    "Unit {}",
    "Suite {}0{}",
    "Room {}",
    "Building {1}",
    "Floor {}",
    "Lot {}",
)


def address(draw: Draw) -> Value:
    """A street and a town in one line."""
    if draw.language == "zh":
        return verbatim(city(draw).surface + district(draw).surface + street(draw).surface)
    within = f"{draw.pick(_WITHIN).format(draw.between(1, 40), draw.pick('ABCDEF'))}, " if draw.chance(0.12) else ""
    parts = [within + street(draw).surface, city(draw).surface]
    return verbatim(", ".join(parts) if draw.chance(0.6) else f"{parts[0]}, {zip_code(draw).surface} {parts[1]}")


def zip_code(draw: Draw) -> Value:
    """A postal code."""
    return verbatim(draw.digits(6) if draw.language == "zh" else filled(draw, draw.pick(_ZIPS)))


def landmark(draw: Draw) -> Value:
    """Something a place is near to."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_streets"]) + draw.pick(("广场", "公园", "地铁站", "大厦", "医院")))
    kinds = (
        "Park",
        "Station",
        "Museum",
        "Square",
        "Bridge",
        "Hotel",
        "Cathedral",
        "Market",
        "Stadium",
        "Theatre",
        "Café",
    )
    name = draw.pick((last_name(draw).surface, draw.of(POOLS["streets"]), pseudo_word(draw).capitalize()))
    return verbatim(("the " if draw.chance(0.1) else "") + f"{name} {draw.pick(kinds)}")


def venue(draw: Draw) -> Value:
    """A place where something takes place."""
    if draw.language == "zh":
        halls = ("会议中心", "体育馆", "大礼堂", "图书馆", "酒店三楼会议室", "报告厅", "会议室", "展览馆")
        return verbatim(draw.of(POOLS["zh_streets"]) + draw.pick(halls))
    kinds = (
        "Hall",
        "Center",
        "Arena",
        "Theatre",
        "Gardens",
        "Conference Centre",
        "Ballroom",
        "Library",
        "House",
        "Club",
    )
    name = draw.pick((last_name(draw).surface, draw.of(POOLS["company_words"]), pseudo_word(draw).capitalize()))
    return verbatim(f"{name} {draw.pick(kinds)}")


def room(draw: Draw) -> Value:
    """A room in a building."""
    if draw.language == "zh":
        return verbatim(f"{draw.between(1, 20)}{draw.between(1, 30):02d}{draw.pick(('室', '会议室', '教室'))}")
    kinds = ("Room", "Conference Room", "Lab", "Meeting Room", "Hall", "Suite")
    return verbatim(f"{draw.pick(kinds)} {draw.pick((draw.digits(3), draw.pick('ABCDEFG'), _word(draw)))}")


def restaurant(draw: Draw) -> Value:
    """A place to eat."""
    noun, adjective = draw.of(POOLS["nouns"]).capitalize(), draw.of(POOLS["adjectives"]).capitalize()
    last, word = last_name(draw).surface, pseudo_word(draw).capitalize()
    kinds = ("House", "Kitchen", "Grill", "Bistro", "Bar", "Café", "Garden", "Express", "Diner", "Inn")
    forms = (
        f"The {adjective} {noun}",
        f"{last}'s",
        f"The {noun}",
        f"{word} {draw.pick(kinds)}",
        f"{draw.pick(('La', 'Le', 'El', 'Il', 'Casa', 'Chez', 'Da', 'Bar', 'Café'))} {word}",
        f"The {noun} and {draw.of(POOLS['nouns']).capitalize()}",
        word,
    )
    return verbatim(draw.pick(forms))


def hotel(draw: Draw) -> Value:
    """A place to sleep."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_streets"]) + draw.pick(("大酒店", "宾馆", "酒店", "国际酒店")))
    name = draw.pick((last_name(draw).surface, _word(draw), pseudo_word(draw).capitalize()))
    forms = (f"Hotel {name}", f"{name} Hotel", f"{name} Inn", f"The {name}", f"{name} Resort", f"Grand {name} Hotel")
    return verbatim(draw.pick(forms))
