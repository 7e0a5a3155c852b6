"""Money in minor units: read, shown, and refused where a guess would be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from words.money import Amount, MoneyError, format_money, parse_money

CURRENCIES = ["EUR", "USD", "GBP", "CNY", "JPY", "KWD", "CAD", "TWD", "HKD", "CHF", "SEK", "INR", "ISK"]
LOCALES = ["en-US", "zh-CN", "zh-TW", "de-DE"]


@pytest.mark.parametrize(
    ("text", "default", "minor", "currency"),
    [
        ("€84k", "USD", 8_400_000, "EUR"),
        ("84,000.50", "USD", 8_400_050, "USD"),
        ("1.200,00", "EUR", 120_000, "EUR"),
        ("1.2M USD", "EUR", 120_000_000, "USD"),
        ("2000万", "CNY", 2_000_000_000, "CNY"),
        ("2万元", "TWD", 2_000_000, "TWD"),
        ("$5", "CAD", 500, "CAD"),
        ("500 kr", "SEK", 50_000, "SEK"),
        ("500", "JPY", 500, "JPY"),
        ("1.234", "KWD", 1_234, "KWD"),
        ("-€5", "EUR", -500, "EUR"),
    ],
)
def test_reads_amounts_in_minor_units(text: str, default: str, minor: int, currency: str):
    assert parse_money(text, default) == Amount(minor, currency)


@pytest.mark.parametrize(
    ("text", "default"), [("€1.200", "EUR"), ("5.5", "JPY"), ("5%", "EUR"), ("12 days", "EUR"), ("0.001", "USD")]
)
def test_refuses_other_units_and_decimals_the_currency_lacks(text: str, default: str):
    with pytest.raises(MoneyError, match=r"not an amount of money|too many decimals"):
        parse_money(text, default)


@pytest.mark.parametrize(
    ("amount", "full", "compact", "chinese"),
    [
        (Amount(8_400_000, "EUR"), "€84,000", "€84k", "€8.4万"),
        (Amount(8_400_050, "EUR"), "€84,000.50", "€84k", "€8.4万"),
        (Amount(123_456_789, "USD"), "$1,234,567.89", "$1.23M", "$123万"),
        (Amount(99_999_999, "USD"), "$999,999.99", "$1M", "$100万"),
        (Amount(999_999, "USD"), "$9,999.99", "$9,999.99", "$9,999.99"),
        (Amount(500, "JPY"), "JP¥500", "JP¥500", "JP¥500"),
        (Amount(1_234, "KWD"), "KWD\u202f1.234", "KWD\u202f1.234", "KWD\u202f1.234"),
        (Amount(-8_400_000, "EUR"), "−€84,000", "−€84k", "−€8.4万"),
        (Amount(0, "EUR"), "€0", "€0", "€0"),
    ],
)
def test_shows_amounts_in_full_and_short(amount: Amount, full: str, compact: str, chinese: str):
    assert format_money(amount, "en-US") == full
    assert format_money(amount, "en-US", is_compact=True) == compact
    assert format_money(amount, "zh-CN", is_compact=True) == chinese


@given(st.integers(-(10**14), 10**14), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_a_full_amount_can_be_typed_back(minor: int, currency: str, locale: str):
    amount = Amount(minor, currency)
    assert parse_money(format_money(amount, locale), currency) == amount


@given(st.integers(10**6, 10**14), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_a_short_amount_is_off_by_half_a_percent_at_most(minor: int, currency: str, locale: str):
    shown = format_money(Amount(minor, currency), locale, is_compact=True)
    assert abs(parse_money(shown, currency).minor - minor) * 200 <= minor
