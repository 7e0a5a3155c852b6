"""Numbers with their units, as people type and read them.

Owns text to Quantity and back. Refuses money in minor units (see `words.money`) and rounding: a number is
shown with the digits it has.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from words.currencies import find_currency
from words.errors import WordsError, excerpt
from words.figures import is_large, is_round, show_amount, show_decimal, show_short_amount, show_unit
from words.numerals import CHINESE, clean, count_decimals, read_numeral

_SIGN = f"(?:[0-9{CHINESE.replace('百', '')}]|百(?!分))"
_SHAPE = re.compile(
    rf"(?P<sign>[+-]?)\s*(?P<front>[^0-9\s.,+-]{{0,4}}?)\s*(?P<inner>[+-]?)"
    rf"(?P<number>(?:{_SIGN}|\.(?=[0-9]))(?:{_SIGN}|[.,'’]| (?={_SIGN}))*)(?P<rest>.*)",
)
_LATIN = re.compile(r"[a-z]+", re.IGNORECASE | re.ASCII)
_SCALES = (
    dict.fromkeys(("k", "tsd", "thousand"), 3)
    | dict.fromkeys(("m", "mn", "mio", "mln", "million", "millions"), 6)
    | dict.fromkeys(("b", "bn", "mrd", "billion", "billions"), 9)
)
_PERCENT = frozenset({"%", "percent", "per cent", "pct"})
_SHARED_SIGNS = frozenset({"$", "¥"})
_LONGEST = 60
_LONGEST_UNIT = 16
_POWER_LIMIT = 15
_MOST_DECIMALS = 9


class NumberError(WordsError):
    """The text is not a number with an optional unit."""


@dataclass(frozen=True)
class Quantity:
    """A finite number below 10^15 with at most 9 decimals, and its unit.

    `unit` is "" (a plain number), "%" (7.5 means 7.5 %), an ISO 4217 code such as "EUR" (the value in major
    units), or a short word as typed ("days", "h", "人").
    """

    value: Decimal
    unit: str


def parse_quantity(text: str, home: str = "") -> Quantity:
    """Read `7.5%`, `€84k`, `1.2M EUR`, `2,000万`, `1 200`, `-3 days` and the like.

    k, m and b (also with a space) are thousand, million and billion, whatever their case: minutes are "min".
    Separators are decided as `words.numerals` documents; shared currency signs by `home` (an ISO 4217 code).

    Raises:
        NumberError: not readable, or outside the range of `Quantity`.
    """
    plain = clean(text)
    match = _SHAPE.fullmatch(plain) if len(plain) <= _LONGEST else None
    if not match or (match["sign"] and match["inner"]):
        raise _unreadable(text)
    number = read_numeral(match["number"])
    if number is None:
        raise _unreadable(text)
    power, tail = _split_scale(match["rest"].strip())
    unit = _read_unit(match["front"], tail, home)
    if unit is None:
        raise NumberError(
            "I read a number in “{text}”, but not what stands around it. Type it like 7.5%, €84k or 12 days.",
            text=excerpt(text),
        )
    value = _limited(number.scaleb(power), text)
    return Quantity(-value if "-" in (match["sign"], match["inner"]) and value else value, unit)


def format_number(value: Decimal, unit: str, locale: str) -> str:
    """The number with all its digits and its unit; `parse_quantity` gives the same back.

    Money of 10,000 and more is shortened where that loses nothing (€84k, €1.25M, ¥8.4万; €84,123 stays whole).
    A gap is a narrow no-break space. `locale` is any Slack or POSIX locale.
    """
    if find_currency(unit) != unit:
        return show_decimal(value, locale) + show_unit(unit, locale)
    if is_large(value) and is_round(value):
        return show_short_amount(value, unit, locale)
    return show_amount(value, unit, locale)


def _split_scale(rest: str) -> tuple[int, str]:
    """The power of ten that a scale word after the number means, and what follows it."""
    word = _LATIN.match(rest)
    if not word:
        return 0, rest
    if (power := _SCALES.get(word[0].lower())) is not None:
        return power, rest[word.end() :].lstrip(". ")
    is_joined = word[0][0].lower() in _SCALES and word[0][1:].isupper() and find_currency(word[0][1:])
    return (_SCALES[word[0][0].lower()], rest[1:]) if is_joined else (0, rest)


def _read_unit(front: str, tail: str, home: str) -> str | None:
    before = find_currency(front, home)
    after = find_currency(tail, home)
    if front:
        is_same = not tail or after == before or (after and front in _SHARED_SIGNS)
        return (after or before) if before and is_same else None
    if not tail or after:
        return after or ""
    if tail.casefold() in _PERCENT:
        return "%"
    return tail if _is_unit_word(tail) else None


def _is_unit_word(word: str) -> bool:
    """Letters with at most one slash inside, that do not begin like a scale (a second "k" or 万)."""
    has_scale = bool(_split_scale(word)[0] or re.match(_SIGN, word))
    return word.replace("/", "", 1).isalpha() and len(word) <= _LONGEST_UNIT and not has_scale


def _limited(value: Decimal, text: str) -> Decimal:
    if value.adjusted() >= _POWER_LIMIT and value:
        raise NumberError("“{text}” is too large. Type a number below 10^15.", text=excerpt(text))
    if count_decimals(value) > _MOST_DECIMALS:
        raise NumberError("“{text}” has too many decimals. Type at most 9.", text=excerpt(text))
    return Decimal(f"{value:f}")


def _unreadable(text: str) -> NumberError:
    return NumberError(
        "“{text}” is not a number I can read. Type it like 7.5%, €84k, 1,200 or 12 days.", text=excerpt(text)
    )
