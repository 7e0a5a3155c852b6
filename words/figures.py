"""How figures look: digits, signs, short amounts.

Owns the picture of a number in a language. Refuses reading (see `words.numbers`) and money's minor units.
A minus is a real minus sign (U+2212) and zero has none.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

from babel.numbers import format_decimal

from words.currencies import get_minor_digits, get_symbol
from words.language import get_language

GAP = "\u202f"
MINUS = "\u2212"

_SHORT_FROM = 10_000
_SHORT = Context(prec=3, rounding=ROUND_HALF_UP)
_SCALES = {
    "zh_Hans": ((8, "亿"), (4, "万")),
    "zh_Hant": ((8, "億"), (4, "萬")),
}
_DEFAULT_SCALES = ((9, "B"), (6, "M"), (3, "k"))
_CJK = range(0x2E80, 0xA000)


def show_decimal(value: Decimal, locale: str, decimals: int = 0) -> str:
    """All digits of `value`, grouped; with `decimals` given, exactly so many decimals."""
    pattern = "#,##0." + "0" * decimals if decimals else None
    language = get_language(locale)
    return _sign(value) + format_decimal(abs(value), pattern, language, decimal_quantization=bool(decimals))


def show_amount(value: Decimal, currency: str, locale: str) -> str:
    """Money in major units with its symbol, in full: −€84,000, €0.50; more decimals where the value has more."""
    digits = get_minor_digits(currency)
    has_cents = value != value.to_integral_value() and value == round(value, digits)
    decimals = digits if has_cents else 0
    return _sign(value) + get_symbol(currency) + show_decimal(abs(value), locale, decimals)


def show_short_amount(value: Decimal, currency: str, locale: str) -> str:
    """Money in major units, rounded to three significant digits: €84k, €1.23M; in Chinese ¥8.4万.

    Only for 10,000 and more, see `is_large`.
    """
    rounded = _SHORT.plus(abs(value))
    scales = _SCALES.get(get_language(locale), _DEFAULT_SCALES)
    power, mark = next(scale for scale in scales if rounded.adjusted() >= scale[0])
    digits = show_decimal(rounded.scaleb(-power), locale)
    return f"{_sign(value)}{get_symbol(currency)}{digits}{mark}"


def is_large(value: Decimal) -> bool:
    """Whether short amounts pay: from 10,000 on, either sign."""
    return abs(value) >= _SHORT_FROM


def is_round(value: Decimal) -> bool:
    """Whether three significant digits tell the whole value."""
    return _SHORT.plus(value) == value


def show_unit(unit: str, locale: str) -> str:
    """What follows a plain number: " %", " days", "天". Chinese writes percent and its own words without a gap."""
    if not unit:
        return ""
    is_chinese = get_language(locale).startswith("zh")
    has_gap = not is_chinese if unit == "%" else ord(unit[0]) not in _CJK
    return GAP + unit if has_gap else unit


def _sign(value: Decimal) -> str:
    return MINUS if value < 0 else ""
