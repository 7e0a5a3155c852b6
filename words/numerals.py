"""Digits as people group them, and Chinese numerals: text to Decimal.

Owns separators (1,200.50 · 1.200,50 · 1 200 · 1'200) and 万, 亿, 三千五百. Refuses units, signs, currencies
and sentences about errors: what cannot be read is None.

How an ambiguous separator is decided:

- one comma followed by exactly three digits groups thousands (1,200 is 1200; but 0,125 is 0.125);
- one dot is a decimal point (1.200 is 1.2), unless a comma follows it (1.200,50 is 1200.5);
- several dots or commas group thousands, Indian grouping (12,34,567) included;
- a space or an apostrophe groups thousands only.
"""

import re
import unicodedata
from decimal import Decimal

_SHAPES = tuple(
    re.compile(shape, re.ASCII)
    for shape in (
        r"(?P<whole>\d+)",
        r"(?P<whole>\d{1,3}(?P<gap>[ '’])\d{3}(?:(?P=gap)\d{3})*)(?:[.,](?P<fraction>\d+))?",
        r"(?P<whole>[1-9]\d{0,2}(?:,\d{3})+)(?:\.(?P<fraction>\d+))?",
        r"(?P<whole>[1-9]\d?(?:,\d{2})+,\d{3})(?:\.(?P<fraction>\d+))?",
        r"(?P<whole>[1-9]\d{0,2}(?:\.\d{3})+),(?P<fraction>\d+)",
        r"(?P<whole>[1-9]\d{0,2}(?:\.\d{3}){2,})",
        r"(?P<whole>\d*)[.,](?P<fraction>\d+)",
    )
)
_MINUSES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
_VARIANTS = str.maketrans("萬億兩〇", "万亿两零")
_DIGITS = {digit: str(value) for value, digit in enumerate("零一二三四五六七八九")} | {"两": "2"}
_POWERS = (("亿", 8), ("万", 4), ("千", 3), ("百", 2), ("十", 1))
_LONGEST = 40

CHINESE = "零〇一二两兩三四五六七八九十百千万萬亿億"
_NUMERALS = frozenset("0123456789" + CHINESE)


def clean(text: str) -> str:
    """Full-width forms made plain, every minus one minus, surrounding space gone.

    Superscripts and fractions (², ½) are kept as they are, because NFKC would turn 10² into 102.
    """
    plain = "".join(
        sign if unicodedata.category(sign) == "No" else unicodedata.normalize("NFKC", sign) for sign in text
    )
    return plain.translate(_MINUSES).strip()


def count_decimals(value: Decimal) -> int:
    """Digits after the point, zeros included: 2 for 1.50."""
    return len(f"{value:f}".partition(".")[2])


def has_numeral(text: str) -> bool:
    """Whether a number can stand anywhere in `text`: without a digit or a Chinese numeral there is none."""
    return any(sign in _NUMERALS for sign in clean(text))


def read_digits(text: str) -> Decimal | None:
    """An unsigned number in Arabic digits by the separator rules above, else None."""
    for shape in _SHAPES:
        if match := shape.fullmatch(text):
            parts = match.groupdict()
            whole = re.sub(r"\D", "", parts["whole"]) or "0"
            return Decimal(f"{whole}.{parts.get('fraction') or ''}")
    return None


def read_numeral(text: str) -> Decimal | None:
    """An unsigned number in Arabic digits, Chinese numerals or both (2,000万, 1亿2000万, 三千五百), else None.

    A colloquial tail such as 3万5 (35,000 to some) is None: it would be a guess.
    """
    if len(text) > _LONGEST:
        return None
    return _read(text.translate(_VARIANTS).strip())


def _read(text: str) -> Decimal | None:
    for mark, power in _POWERS:
        head, found, tail = text.rpartition(mark)
        if found:
            high = Decimal(1) if mark == "十" and not head else _read(head.strip())
            low = _read_tail(tail.strip(), power)
            return None if high is None or low is None else high.scaleb(power) + low
    return read_digits(text) if not set(text) & set(_DIGITS) else _read_digit_signs(text)


def _read_tail(text: str, power: int) -> Decimal | None:
    if not text:
        return Decimal(0)
    has_zero = text.startswith("零")
    low = _read(text.lstrip("零"))
    if low is None or low.adjusted() >= power:
        return None
    is_colloquial = len(text) == 1 and power > 1
    return None if is_colloquial and not has_zero else low


def _read_digit_signs(text: str) -> Decimal | None:
    digits = [_DIGITS.get(sign) for sign in text]
    return Decimal("".join(d for d in digits if d)) if all(digits) else None
