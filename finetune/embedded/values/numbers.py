"""Numbers, shares, sums of money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.values.value import Value

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_ZH_DIGITS = "零一二三四五六七八九十"
_HUNDRED = 100
_THOUSAND = 1000
_TEN_THOUSAND = 10_000
_CHINESE_WORDS = 10
_CURRENCIES = {
    "USD": ("$", "US$", "dollars"),
    "EUR": ("€", "€", "euros"),
    "GBP": ("£", "£", "pounds"),
    "JPY": ("¥", "JP¥", "yen"),
    "CHF": ("CHF ", "Fr. ", "francs"),
    "CAD": ("CA$", "C$", "Canadian dollars"),
    "AUD": ("A$", "AU$", "Australian dollars"),
    "INR": ("₹", "Rs. ", "rupees"),
    "SEK": ("kr ", "SEK ", "kronor"),
    "CNY": ("¥", "RMB ", "yuan"),
}
_LIKELY = ("USD", "USD", "USD", "USD", "EUR", "EUR", "EUR", "GBP", "GBP", "JPY", "CHF", "CAD", "AUD", "INR", "SEK")


def number_word(number: int) -> str:
    """A number below a hundred, or a round one, in words."""
    if number < len(_ONES):
        return _ONES[number]
    for size, name in ((_THOUSAND, "thousand"), (_HUNDRED, "hundred")):
        if number >= size:
            return f"{number_word(number // size)} {name}"
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def _has_word(number: int) -> bool:
    round_number = number % _THOUSAND == 0 or (number < _THOUSAND and number % _HUNDRED == 0)
    return 0 <= number < _HUNDRED or (round_number and 0 < number < _HUNDRED * _THOUSAND)


def integer(draw: Draw, low: int = 1, high: int = 99) -> Value:
    """A whole number; in prose sometimes in words."""
    number = draw.between(low, high)
    if high > 5 * _THOUSAND and low >= 0 and draw.chance(0.5):
        number = max(low, number // draw.pick((10, 100, 1000)))
    if number > _HUNDRED and draw.prose and draw.chance(0.1):
        number -= number % (_THOUSAND if number > _THOUSAND else _HUNDRED)
    if not draw.figures and _has_word(number) and draw.chance(0.3 if draw.spoken else 0.2 if draw.prose else 0.01):
        return _in_words(draw, number)
    if abs(number) >= _THOUSAND and draw.chance(0.55):
        return Value(f"{number:,}", number)
    return Value(str(number), number)


def _in_words(draw: Draw, number: int) -> Value:
    if draw.language == "zh":
        word = _ZH_DIGITS[number] if number <= _CHINESE_WORDS else str(number)
        return Value(word, number)
    return Value(number_word(number), number)


def year(draw: Draw) -> Value:
    """A year; never with a comma."""
    number = draw.between(1950, 2030)
    return Value(str(number), number)


def ordinal(draw: Draw, high: int = 30) -> Value:
    """A place in an order, as 3rd for 3."""
    number = draw.between(1, high)
    if draw.language == "zh":
        return Value(f"第{number}", number)
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return Value(f"{number}{ending}", number)


def decimal(draw: Draw, low: float = 0, high: float = 100, places: int = 0) -> Value:
    """A number with decimal places: as many as asked for, or one to three."""
    number = round(draw.real(low, high), places or draw.pick((1, 1, 1, 2, 2, 3)))
    text = f"{number:,}" if draw.chance(0.5) else str(number)
    if draw.language == "en" and draw.chance(0.05) and number < _THOUSAND and round(number, 2) == number:
        text = text.replace(".", ",")
    return Value(text, plain(number))


def percentage(draw: Draw, low: float = 0, high: float = 100) -> Value:
    """A share of a hundred, with its sign."""
    number = round(draw.real(low, high), draw.pick((0, 0, 1, 1, 2)))
    text = str(plain(number))
    sign = "%" if draw.language == "zh" else draw.pick(("%", "%", "%", " %", " percent", " per cent"))
    return Value(text + sign, plain(number))


def temperature(draw: Draw) -> Value:
    """A temperature with its unit, or bare."""
    number = draw.between(-25, 42)
    if draw.language == "zh":
        return Value(f"{number}{draw.pick(('℃', '度', '°C'))}", number)
    unit = draw.pick(("°C", "°C", " °C", "°", " degrees", "°F", " degrees Celsius"))
    sign = "minus " if number < 0 and draw.prose and draw.chance(0.4) else "-" if number < 0 else ""
    return Value(f"{sign}{abs(number)}{unit}", number)


def plain(number: float) -> float | int:
    """A number as JSON writes it best: whole numbers without a decimal point."""
    return int(number) if number == int(number) else number


def money(draw: Draw, low: float = 1, high: float = 5000) -> Value:
    """A sum of money; all sums of a record share their currency."""
    if not draw.currency:
        draw.currency = "CNY" if draw.language == "zh" else draw.pick(_LIKELY)
    amount = _amount(draw, low, high)
    if draw.language == "zh":
        return _zh_money(draw, amount)
    return Value(_money_surface(draw, amount), plain(amount))


def _amount(draw: Draw, low: float, high: float) -> float:
    """An amount: small ones are as frequent as large ones."""
    share = draw.real(0, 1)
    raw = low + (high - low) * share * share
    if raw >= 20 * _THOUSAND or draw.currency == "JPY":
        return float(round(raw, -2 if raw >= 20 * _THOUSAND and draw.chance(0.6) else 0)) or 1.0
    return float(round(raw, draw.pick((0, 0, 1, 2, 2, 2, 2)))) or 1.0


def _digits(draw: Draw, amount: float) -> str:
    """The digits of an amount in English or continental spelling."""
    whole = amount == int(amount)
    grouped = draw.chance(0.75)
    bare = whole and draw.chance(0.6)
    text = f"{amount:,.0f}" if bare else f"{amount:,.2f}"
    if draw.currency in ("EUR", "SEK", "CHF") and not bare and draw.chance(0.4):
        return text.translate(str.maketrans(",.", ".," if grouped else " ,"))
    return text if grouped else text.replace(",", "")


def _money_surface(draw: Draw, amount: float) -> str:
    sign, other, word = _CURRENCIES[draw.currency]
    digits = _digits(draw, amount)
    forms = [
        *(f"{sign}{digits}",) * 8,
        f"{other}{digits}",
        f"{draw.currency} {digits}",
        f"{digits} {draw.currency}",
        digits,
    ]
    if draw.prose:
        forms += [f"{digits} {word}"] * 3
    if draw.currency in ("EUR", "SEK"):
        forms += [f"{digits} {sign.strip()}"] * 3
    if amount >= _THOUSAND and amount % (_THOUSAND / 2) == 0:
        forms.append(f"{sign}{plain(amount / _THOUSAND)}k")
    return draw.pick(forms)


def _zh_money(draw: Draw, amount: float) -> Value:
    if amount >= _TEN_THOUSAND and draw.chance(0.4):
        amount = float(round(amount, -3))
        return Value(f"{plain(round(amount / _TEN_THOUSAND, 1))}万元", plain(amount))
    digits = _digits(draw, amount)
    spoken = f"{digits}{'块' if draw.prose else '元'}"
    forms = (f"{digits}元", f"{digits}元", f"¥{digits}", f"￥{digits}", f"人民币{digits}元", spoken, digits)
    return Value(draw.pick(forms), plain(amount))


def large_money(draw: Draw) -> Value:
    """A sum in millions or billions, as 2.87 billion."""
    if not draw.currency:
        draw.currency = "CNY" if draw.language == "zh" else draw.pick(_LIKELY)
    count = round(draw.real(1, 900) if draw.chance(0.4) else draw.real(1, 20), draw.pick((0, 1, 1, 2)))
    if draw.language == "zh":
        unit, factor = draw.pick((("万元", 10_000), ("亿元", 100_000_000)))
        return Value(f"{plain(count)}{unit}", plain(round(count * factor, 0)))
    unit, factor = draw.pick(((" million", 10**6), (" billion", 10**9), ("m", 10**6), ("bn", 10**9)))
    sign, _, word = _CURRENCIES[draw.currency]
    number = f"{plain(count)}{unit}"
    forms = [sign + number, sign + number, f"{draw.currency} {number}"]
    if unit.startswith(" ") and draw.prose:
        forms.append(f"{number} {word}")
    return Value(draw.pick(forms), plain(round(count * factor, 0)))


def currency(draw: Draw) -> Value:
    """The code of the record's currency."""
    if not draw.currency:
        draw.currency = draw.pick(_LIKELY)
    return Value(draw.currency, draw.currency)
