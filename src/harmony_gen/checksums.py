"""Checksums of numbers that people mistype, as conditions of rules: `rule("/iban", iban)`.

Each returns nothing, or raises ValueError with the reason, so that `Result.rejections` tells it.
"""

from __future__ import annotations

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_DIGITS = re.compile(r"\d+")


def iban(text: str) -> None:
    """An international bank account number: ISO 13616, checked by ISO 7064, MOD 97-10. Spaces are allowed.

    Raises:
        ValueError: it is none.
    """
    plain = text.replace(" ", "")
    if not _IBAN.fullmatch(plain):
        message = "an IBAN has two letters, two digits, and 11 to 30 letters or digits"
        raise ValueError(message)
    if int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 != 1:
        message = "the check digits of the IBAN are wrong"
        raise ValueError(message)


def luhn(text: str | int) -> None:
    """A number whose last digit checks the others: of payment cards, of devices (ISO/IEC 7812-1, annex B).

    Spaces and hyphens are allowed.

    Raises:
        ValueError: it is none.
    """
    plain = str(text).replace(" ", "").replace("-", "")
    if not _DIGITS.fullmatch(plain) or not plain.isascii():
        message = "it is no number"
        raise ValueError(message)
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in plain[-2::-2])
    if (sum(map(int, plain[-1::-2])) + sum(doubled)) % 10:
        message = "the check digit is wrong"
        raise ValueError(message)
