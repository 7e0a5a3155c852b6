"""Money in minor units, as people type and read it.

Owns amounts of one currency. Refuses exchange rates and sums: adding up is a rule, not a word.
"""

from dataclasses import dataclass
from decimal import Decimal

from words.currencies import find_currency, get_minor_digits
from words.errors import WordsError, excerpt
from words.figures import is_large, show_amount, show_short_amount
from words.numbers import parse_quantity
from words.numerals import count_decimals


class MoneyError(WordsError):
    """The text is a number, but no amount of money."""


@dataclass(frozen=True)
class Amount:
    """Money: `minor` units (cents; 1 for JPY, thousandths for KWD) of the ISO 4217 `currency`."""

    minor: int
    currency: str


def parse_money(text: str, default_currency: str) -> Amount:
    """Read `€84k`, `84,000.50`, `1.2M USD` or `2000万`; without a currency it is `default_currency`.

    A sign that several currencies share ($, ¥, kr, 元) means the default where that fits, see
    `words.currencies.find_currency`. More decimals than the currency has are refused rather than rounded,
    which also catches "€1.200" meant as 1,200.

    Raises:
        NumberError: not a number with a unit.
        MoneyError: another unit than a currency, or too many decimals.
    """
    quantity = parse_quantity(text, home=default_currency)
    currency = quantity.unit or default_currency
    if quantity.unit and find_currency(quantity.unit) != quantity.unit:
        raise MoneyError("“{text}” is not an amount of money. Type it like €84k or 84000.", text=excerpt(text))
    digits = get_minor_digits(currency)
    if count_decimals(quantity.value) > digits:
        raise MoneyError(
            "“{text}” has too many decimals: {currency} has {digits}. Type it without thousands dots, like 1200.",
            text=excerpt(text),
            currency=currency,
            digits=digits,
        )
    return Amount(int(quantity.value.scaleb(digits)), currency)


def format_money(amount: Amount, locale: str, *, is_compact: bool = False) -> str:
    """`€84,000`, `€84,000.50`, `JP¥500`; compact from 10,000 on: `€84k`, `€1.23M`, in Chinese `¥8.4万`.

    Compact rounds to three significant digits. Cents are shown when there are any.
    """
    value = Decimal(amount.minor).scaleb(-get_minor_digits(amount.currency))
    if is_compact and is_large(value):
        return show_short_amount(value, amount.currency, locale)
    return show_amount(value, amount.currency, locale)
