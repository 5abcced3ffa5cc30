"""Dates, times of day and lengths of time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from finetune.embedded.values.numbers import number_word
from finetune.embedded.values.value import Value, verbatim

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_ZH_DAYS = "一二三四五六日"
_ZH_DIGITS = "〇一二三四五六七八九"
_UNAMBIGUOUS_DAY = 13
_NOON, _EVENING = 12, 18


def day(draw: Draw, later: int = 0) -> Value:
    """A date of recent years; the dates of a record lie near one another.

    Args:
        draw: chance.
        later: 1 for what comes after the record's other dates.
    """
    if not draw.today:
        draw.today = date(2015, 1, 1).toordinal() + draw.below(365 * 14)
    offset = draw.between(1, 20 if draw.chance(0.5) else 400) if later else -draw.below(30)
    return written(draw, date.fromordinal(draw.today + offset))


def birthday(draw: Draw) -> Value:
    """A date of birth."""
    return written(draw, date(1935, 1, 1) + timedelta(days=draw.below(365 * 80)))


def written(draw: Draw, when: date) -> Value:
    """A date in one of the ways people write it, and as ISO has it."""
    surface = _zh_date(draw, when) if draw.language == "zh" else _date(draw, when)
    return Value(surface, when.isoformat())


def _ordinal(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _date(draw: Draw, when: date) -> str:
    if draw.prose:
        return draw.pick((_in_words,) * 7 + (_in_figures, _in_short, _iso))(draw, when)
    return draw.pick((_in_words,) * 4 + (_in_figures,) * 3 + (_in_short,) + (_iso,) * 3)(draw, when)


def _iso(_draw: Draw, when: date) -> str:
    return when.isoformat()


def _in_words(draw: Draw, when: date) -> str:
    """A date with the name of its month."""
    month, weekday, year, number = _MONTHS[when.month - 1], _DAYS[when.weekday()], when.year, when.day
    ordinal = _ordinal(number)
    plain_forms = (f"{month} {number}, {year}", f"{number} {month} {year}")
    rare_forms = (
        f"{month[:3]} {number}, {year}",
        f"{number} {month[:3]} {year}",
        f"{month[:3]}. {number}, {year}",
        f"{month} {ordinal}, {year}",
        f"{ordinal} {month} {year}",
        f"the {ordinal} of {month} {year}",
        f"{month} {ordinal} {year}",
        f"{weekday}, {month} {number}, {year}",
        f"{weekday} {number} {month} {year}",
        f"{weekday[:3]}, {number} {month[:3]} {year}",
    )
    return draw.pick(plain_forms if draw.chance(0.55) else rare_forms)


def _in_short(draw: Draw, when: date) -> str:
    """A date with its month in three letters, at times its year in two figures."""
    month, year, number = _MONTHS[when.month - 1][:3], when.year, when.day
    return draw.pick(
        (f"{number:02d}-{month}-{year}", f"{month.upper()} {number:02d} {year}", f"{number} {month} {year % 100:02d}")
    )


def _in_figures(draw: Draw, when: date) -> str:
    """A date in figures that can be read in one way only."""
    year, month, number = when.year, when.month, when.day
    clear = [
        f"{number:02d}.{month:02d}.{year}",
        f"{number}.{month}.{year}",
        f"{year}/{month:02d}/{number:02d}",
        f"{year}.{month:02d}.{number:02d}",
    ]
    if number >= _UNAMBIGUOUS_DAY:
        clear += [
            f"{number}/{month:02d}/{year}",
            f"{month}/{number}/{year}",
            f"{month:02d}/{number}/{year}",
            f"{number}-{month:02d}-{year}",
        ]
    return draw.pick(clear)


def _zh_date(draw: Draw, when: date) -> str:
    year, month, number = when.year, when.month, when.day
    if draw.chance(0.04):
        digits = "".join(_ZH_DIGITS[int(sign)] for sign in str(year))
        return f"{digits}年{_zh_number(month)}月{_zh_number(number)}日"
    weekday = f"（星期{_ZH_DAYS[when.weekday()]}）" if draw.prose and draw.chance(0.1) else ""
    forms = (
        f"{year}年{month}月{number}日{weekday}",
        f"{year}年{month}月{number}日",
        f"{year}年{month:02d}月{number:02d}日",
        when.isoformat(),
        f"{year}/{month}/{number}",
        f"{year}.{month:02d}.{number:02d}",
    )
    return draw.pick(forms)


def _zh_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else _ZH_DIGITS[tens] + "十") + (_ZH_DIGITS[ones] if ones else "")


def clock(draw: Draw) -> Value:
    """A time of day."""
    hour, minute = draw.between(0, 23), draw.pick((0, 0, 0, 15, 30, 45, draw.below(60)))
    twelve = (hour - 1) % 12 + 1
    if draw.language == "zh":
        part = "上午" if hour < _NOON else "下午" if hour < _EVENING else "晚上"
        forms = [f"{hour:02d}:{minute:02d}", f"{part}{twelve}点", f"{part}{twelve}:{minute:02d}", f"{part}{twelve}点半"]
        return verbatim(draw.pick(forms))
    half = draw.pick(("am", "a.m.", "AM", "A.M.") if hour < _NOON else ("pm", "p.m.", "PM", "P.M."))
    half = draw.pick(("", " ")) + half
    forms = [f"{hour:02d}:{minute:02d}", f"{hour:02d}:{minute:02d}", f"{twelve}:{minute:02d}{half}", f"{twelve}{half}"]
    if draw.prose:
        forms += [
            f"{twelve}.{minute:02d}{half}",
            f"{twelve} o'clock",
            f"half past {number_word(twelve)}",
            f"{twelve}{half}",
        ]
        forms += ["noon", "midnight"] if hour in (0, _NOON) else []
    return verbatim(draw.pick(forms))


def stamp(draw: Draw) -> Value:
    """A moment as machines write it."""
    when = date(2018, 1, 1) + timedelta(days=draw.below(365 * 10))
    hour, minute, second = draw.below(24), draw.below(60), draw.below(60)
    iso = when.isoformat()
    forms = (
        f"{iso}T{hour:02d}:{minute:02d}:{second:02d}Z",
        f"{iso} {hour:02d}:{minute:02d}:{second:02d}",
        f"{iso} {hour:02d}:{minute:02d}:{second:02d},{draw.below(1000):03d}",
        f"{iso}T{hour:02d}:{minute:02d}:{second:02d}+0{draw.below(4)}:00",
        f"{_MONTHS[when.month - 1][:3]} {when.day:2d} {hour:02d}:{minute:02d}:{second:02d}",
        f"{when.day:02d}/{_MONTHS[when.month - 1][:3]}/{when.year}:{hour:02d}:{minute:02d}:{second:02d} +0000",
    )
    return verbatim(draw.pick(forms))


def weekday(draw: Draw) -> Value:
    """A day of the week."""
    return verbatim(f"{draw.pick(('星期', '周'))}{draw.pick(_ZH_DAYS)}" if draw.language == "zh" else draw.pick(_DAYS))


def month(draw: Draw) -> Value:
    """A month."""
    return verbatim(f"{draw.between(1, 12)}月" if draw.language == "zh" else draw.pick(_MONTHS))


def loose_day(draw: Draw) -> Value:
    """A day as people say it, without a year; it is copied as it stands."""
    weekday_name, month_name, number = draw.pick(_DAYS), draw.pick(_MONTHS), draw.between(1, 28)
    if draw.language == "zh":
        return verbatim(
            draw.pick(
                ("明天", "后天", "今天", f"{draw.between(1, 12)}月{number}日", f"下周{draw.pick(_ZH_DAYS)}", "周末")
            )
        )
    forms = (
        "tomorrow",
        "today",
        f"next {weekday_name}",
        f"this {weekday_name}",
        weekday_name,
        f"the {_ordinal(number)} of {month_name}",
        f"{month_name} {number}",
        f"{number} {month_name}",
        f"{month_name} {_ordinal(number)}",
        f"the {_ordinal(number)}",
        "this weekend",
        "next week",
        f"in {number_word(draw.between(2, 9))} days",
        f"in {draw.between(2, 9)} weeks",
        "tonight",
        f"{weekday_name} the {_ordinal(number)}",
    )
    return verbatim(draw.pick(forms))


def moment(draw: Draw) -> Value:
    """A time as people say it: a day, a time of day or both."""
    if draw.language == "zh":
        return verbatim(loose_day(draw).surface + clock(draw).surface)
    some_day = loose_day(draw).surface
    forms = (
        some_day,
        clock(draw).surface,
        f"{some_day} at {clock(draw).surface}",
        f"{clock(draw).surface} {some_day}",
        f"in {draw.between(2, 50)} minutes",
    )
    return verbatim(draw.pick(forms))


def duration(draw: Draw) -> Value:
    """A length of time, copied as it stands."""
    count = draw.between(2, 12)
    if draw.language == "zh":
        return verbatim(
            draw.pick((f"{count}个月", f"{count}天", f"{count}小时", f"{count}年", f"{count * 5}分钟", f"{count}周"))
        )
    unit = draw.pick(("hours", "minutes", "days", "weeks", "months", "years"))
    forms = (
        f"{count} {unit}",
        f"{count} {unit}",
        f"{number_word(count)} {unit}",
        f"{count}h {draw.between(1, 59)}m",
        f"1 {unit[:-1]}",
        f"{count * 5} min",
    )
    return verbatim(draw.pick(forms))
