"""Things, titles, short phrases and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.people import first_name, last_name
from finetune.embedded.values.places import city
from finetune.embedded.values.pools import POOLS
from finetune.embedded.values.syllables import pseudo_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.embedded.draw import Draw


def from_pool(name: str, zh_name: str = "", strange: float = 0.08) -> Callable[[Draw], Value]:
    """A generator of words of one kind.

    Args:
        name: the pool.
        zh_name: the pool for Chinese texts; "" if the same.
        strange: how often a made-up word stands in, so that the kind is learnt and not the list.
    """

    def generate(draw: Draw) -> Value:
        if draw.language == "zh" and zh_name:
            return verbatim(draw.of(POOLS[zh_name]))
        pool = POOLS[name]
        if (draw.language == "en" and draw.chance(strange)) or (draw.split == "words" and not pool.held):
            word = pseudo_word(draw)
            return verbatim(word.capitalize() if pool.train[0][0].isupper() else word)
        return verbatim(draw.of(pool))

    return generate


def product(draw: Draw) -> Value:
    """Something that is sold, perhaps with its size, make or number."""
    if draw.language == "zh":
        name = draw.pick(("", "", "新款", "便携式", "智能", "儿童")) + draw.of(POOLS["zh_things"])
        return verbatim(_specified(draw, name) if draw.chance(_SPECIFIED) else name)
    name = draw.of(POOLS["things"])
    if draw.chance(0.55):
        name = (
            f"{draw.pick((draw.of(POOLS['adjectives']), draw.of(POOLS['colors']), draw.of(POOLS['materials'])))} {name}"
        )
    made_up, number = pseudo_word(draw).capitalize(), draw.between(1, 999)
    forms = (
        *(name,) * 4,
        *(_titled(name),) * 3,
        name.capitalize(),
        f"{made_up} {_titled(name)}",
        f"{made_up} {draw.pick('ABCDEGKMQRSTVXZ')}{number}",
    )
    chosen = draw.pick(forms)
    return verbatim(_specified(draw, chosen) if draw.chance(_SPECIFIED) else chosen)


def grocery(draw: Draw) -> Value:
    """Something to eat or to use up, perhaps with the size of its package."""
    name: str = from_pool("groceries", strange=0.05)(draw).surface
    return verbatim(f"{name} {_measure(draw)}" if draw.language == "en" and draw.chance(0.2) else name)


_SPECIFIED = 0.35
_UNITS = ("mm", "cm", "m", "g", "kg", "ml", "l", "L", "W", "V", "oz", "lb", "inch", "GB", "mg", "pcs", "°", "A", "ft")


def _measure(draw: Draw) -> str:
    """A size with its unit."""
    small, large = draw.between(1, 30), draw.between(1, 60) * 10
    number = draw.pick((str(small), str(large), f"{draw.between(0, 9)}.{draw.between(1, 9)}"))
    return f"{number}{draw.pick(('', ' '))}{draw.pick(_UNITS)}"


def _specified(draw: Draw, name: str) -> str:
    """A thing with what tells it from others of its kind: all of it is its name."""
    first, second = draw.between(1, 99), draw.between(1, 99)
    letter = draw.pick("ABCDEFGHKLMPRSTX")
    if draw.language == "zh":
        return name + draw.pick(
            (
                f"{first * 10}ml",
                f"{first}克装",
                f"{first}寸",
                f"（{draw.pick(('大号', '中号', '小号', '加厚', '家用', '黑色'))}）",
                f"{letter}{first}×{second}",
                f"{letter}款",
                f"-{letter}{second}",
            )
        )
    quality = draw.of(POOLS[draw.pick(("adjectives", "colors", "materials"))])
    return draw.pick(
        (
            *(f"{name} {_measure(draw)}",) * 3,
            f"{name} {_measure(draw)}, {quality}",
            f"{name}, {quality}",
            f"{name} {_measure(draw)} x {_measure(draw)}",
            f"{name} {first}x{second}",
            f"{name} {first} x {second} {draw.pick(('cm', 'mm'))}",
            f"{name} size {draw.pick(('S', 'M', 'L', 'XL', '38', '42', '8'))}",
            f"{name} {first} %",
            f"{name} ({quality})",
            f"{name} (pack of {first})",
            f"{name} {letter}{first}-{second}",
            f"{name} type {letter}",
            f"{name} no. {first}",
            f"{name} with {draw.of(POOLS['materials'])} {draw.of(POOLS['nouns'])}",
        )
    )


def _titled(words: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in words.split(" "))


def title(draw: Draw) -> Value:
    """The title of a work: a song, a book, a film."""
    if draw.language == "zh":
        return verbatim(
            "".join(draw.sample(POOLS["zh_topics"].train, 1)) + draw.pick(("指南", "的故事", "研究", "手册", ""))
        )
    noun, other = draw.of(POOLS["nouns"]).capitalize(), draw.of(POOLS["nouns"]).capitalize()
    adjective = draw.of(POOLS["adjectives"]).capitalize()
    forms = (
        f"The {adjective} {noun}",
        f"{adjective} {noun}",
        f"{noun} of the {other}",
        f"The {noun} and the {other}",
        f"{noun}s",
        f"A {noun} for {first_name(draw).surface}",
        f"{first_name(draw).surface}",
        f"Last {noun} in {city(draw).surface}",
        f"My {adjective} {noun}",
        f"Where the {noun} Sleeps",
        f"{pseudo_word(draw).capitalize()}",
        f"{noun} {draw.between(2, 99)}",
        f"No {noun} without {other}",
        f"The {last_name(draw).surface} {noun}",
    )
    return verbatim(draw.pick(forms))


def event(draw: Draw) -> Value:
    """The name of an event."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_topics"]) + draw.pick(("会议", "培训", "讲座", "研讨会", "活动", "座谈会")))
    kinds = (
        "Festival",
        "Workshop",
        "Conference",
        "Gala",
        "Fair",
        "Summit",
        "Marathon",
        "Concert",
        "Lecture",
        "Meetup",
        "Seminar",
    )
    theme = draw.pick(
        (
            _titled(draw.of(POOLS["nouns"])),
            draw.of(POOLS["adjectives"]).capitalize(),
            city(draw).surface,
            last_name(draw).surface,
        )
    )
    return verbatim(f"{draw.pick(('', '', '', 'Annual ', 'International ', 'Spring '))}{theme} {draw.pick(kinds)}")


def topic(draw: Draw) -> Value:
    """What something is about, in a few words."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_topics"]))
    adjective, noun, other = (draw.of(POOLS[name]) for name in ("adjectives", "nouns", "nouns"))
    words = draw.pick(
        (
            f"{adjective} {noun}",
            f"{noun} {other}",
            f"{noun} and {other}",
            f"{adjective} {noun} {other}",
            f"{noun} in {city(draw).surface}",
        )
    )
    return verbatim(draw.pick((words, words.capitalize(), _titled(words))))


def phrase(draw: Draw, shortest: int = 1, longest: int = 4) -> Value:
    """Words that need not mean anything together."""
    if draw.language == "zh":
        return verbatim("".join(draw.of(POOLS["zh_general"]) for _ in range(draw.between(1, 2))))
    words = " ".join(word(draw) for _ in range(draw.between(shortest, longest)))
    return verbatim(
        draw.pick((words, words, words.capitalize(), _titled(words), words.upper() if draw.chance(0.3) else words))
    )


_WORD_POOLS = ("general",) * 4 + ("nouns",) * 2 + ("adjectives",) * 2 + ("",) * 2


def word(draw: Draw) -> str:
    """A lower-case word of any kind, or a made-up one."""
    pool = draw.pick(_WORD_POOLS)
    return draw.of(POOLS[pool]) if pool else pseudo_word(draw)


def problem(draw: Draw) -> Value:
    """What is wrong with something."""
    thing = draw.pick((draw.of(POOLS["things"]), draw.of(POOLS["nouns"])))
    text = f"{draw.pick(('', 'the ', 'my '))}{thing} {draw.of(POOLS['problems'])}"
    return verbatim(text.capitalize() if draw.chance(0.6) else text)


def message(draw: Draw) -> Value:
    """What a program reports."""
    noun, other = draw.of(POOLS["nouns"]), draw.of(POOLS["nouns"])
    forms = (
        f"{noun} {other} not found",
        f"failed to open {noun} {other}",
        f"{noun.capitalize()} completed",
        f"connection to {noun} refused",
        f"timeout while reading {noun}",
        f"{draw.of(POOLS['adjectives'])} {noun} ignored",
        f"could not parse {noun}",
        f"retrying {noun} in {draw.between(2, 60)}s",
        f"user {first_name(draw).surface.lower()} logged in",
        f"disk {noun} is {draw.between(70, 99)}% full",
    )
    return verbatim(draw.pick(forms))


def team(draw: Draw) -> Value:
    """A team."""
    if draw.language == "zh":
        return verbatim(draw.of(POOLS["zh_cities"]) + draw.pick(("队", "飞龙队", "猛虎队", "雄鹰队")))
    place = city(draw).surface
    word_of_team = draw.of(POOLS["team_words"])
    forms = (
        f"{place} {word_of_team}",
        f"{place} United",
        f"FC {place}",
        f"the {word_of_team}",
        place,
        f"{place} {word_of_team}",
    )
    return verbatim(draw.pick(forms))


def score(draw: Draw) -> Value:
    """The score of a match."""
    high = draw.pick((5, 5, 30, 110))
    return verbatim(f"{draw.below(high)}{draw.pick(('-', ':', '–', ' - '))}{draw.below(high)}")


def ingredient(draw: Draw) -> Value:
    """An ingredient with its amount."""
    amount = draw.pick(
        ("1 cup", "2 cups", "1/2 cup", "200 g", "3 tbsp", "1 tsp", "500 ml", "2", "a pinch of", "4 large")
    )
    return verbatim(f"{amount} {draw.of(POOLS['ingredients'])}")


def estate(draw: Draw) -> Value:
    """The name of a Chinese housing estate."""
    name = "".join(draw.of(POOLS["zh_company_characters"]) for _ in range(2))
    return verbatim(name + draw.pick(("花园", "小区", "家园", "公寓", "新村", "豪庭", "苑", "名城")))


def chinese_restaurant(draw: Draw) -> Value:
    """The name of a Chinese restaurant."""
    name = "".join(draw.of(POOLS["zh_company_characters"]) for _ in range(2))
    return verbatim(name + draw.pick(("酒楼", "饭店", "餐厅", "小馆", "火锅店", "面馆", "食府", "私房菜")))
