"""Numbers with units: what people type, and that what is shown can be typed back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from words.errors import WordsError
from words.numbers import NumberError, Quantity, format_number, parse_quantity
from words.numerals import CHINESE, has_numeral

LOCALES = ["en-US", "en-GB", "zh-CN", "zh-TW", "zh-HK", "de-DE", "fr-FR", "", "no such locale"]
UNITS = ["", "%", "EUR", "USD", "CNY", "JPY", "KWD", "TWD", "CHF", "ALL", "days", "h", "h/week", "天", "人", "kg"]

TYPED = [
    ("7.5%", "7.5", "%"),
    ("7,5 %", "7.5", "%"),
    ("７．５％", "7.5", "%"),
    ("7.5 per cent", "7.5", "%"),
    ("€84k", "84000", "EUR"),
    ("84k€", "84000", "EUR"),
    ("84 k€", "84000", "EUR"),
    ("84 kEUR", "84000", "EUR"),
    ("EUR 84k", "84000", "EUR"),
    ("eur 5", "5", "EUR"),
    ("$1.2M", "1200000", "USD"),
    ("US$5 USD", "5", "USD"),
    ("$5 CAD", "5", "CAD"),
    ("5 Mio. €", "5000000", "EUR"),
    ("1.5bn", "1500000000", ""),
    ("HK$3.5", "3.5", "HKD"),
    ("2000万", "20000000", ""),
    ("2,000万", "20000000", ""),
    ("２０００萬", "20000000", ""),
    ("5 万元", "50000", "CNY"),
    ("1.5亿", "150000000", ""),
    ("1亿2000万", "120000000", ""),
    ("1万亿", "1000000000000", ""),
    ("3千万", "30000000", ""),
    ("三千", "3000", ""),
    ("人民币三千五百", "3500", "CNY"),
    ("十五", "15", ""),
    ("两百零五", "205", ""),
    ("三万零五", "30005", ""),
    ("2千万人", "20000000", "人"),
    ("5百分点", "5", "百分点"),
    ("1,200", "1200", ""),
    ("1 200", "1200", ""),
    ("1\u202f200,5", "1200.5", ""),
    ("1'200 CHF", "1200", "CHF"),
    ("1.200,50", "1200.50", ""),
    ("1.200", "1.2", ""),
    ("1.200.300", "1200300", ""),
    ("1,200,300.5", "1200300.5", ""),
    ("12,34,567", "1234567", ""),
    ("0,125", "0.125", ""),
    (".5", "0.5", ""),
    ("-3", "-3", ""),
    ("−3", "-3", ""),
    ("-€5", "-5", "EUR"),
    ("€-5", "-5", "EUR"),
    ("+4", "4", ""),
    ("-0", "0", ""),
    ("3 days", "3", "days"),
    ("30 h/week", "30", "h/week"),
    ("5 m users", "5000000", "users"),
    ("5 try", "5", "try"),
    ("5 TRY", "5", "TRY"),
]

UNREADABLE = [
    "", " ", "%", "€", "nan", "inf", "-inf", "½", "10²", "1e5", "0x10", "3-4", "12:30", "5.", "1,2,3", "1.5.5", "1 20",
    "+-5", "5%%", "€5 days", "€5 $", "about 5", "3万5", "百万百", "٣", "9" * 16, "0.1234567891", "5" * 3000,
    "5 <!channel>", "5\n6 7", "kr 5",
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "unit"), TYPED)
def test_reads_what_people_type(text: str, value: str, unit: str):
    assert parse_quantity(text) == Quantity(Decimal(value), unit)


@pytest.mark.parametrize("text", UNREADABLE)
def test_refuses_what_is_no_number_and_says_what_to_type(text: str):
    with pytest.raises(NumberError, match="Type"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "home", "unit"),
    [
        ("$5", "CAD", "CAD"),
        ("$5", "EUR", "USD"),
        ("¥5", "JPY", "JPY"),
        ("¥5", "USD", "CNY"),
        ("5元", "TWD", "TWD"),
        ("5元", "", "CNY"),
        ("5 kr", "SEK", "SEK"),
    ],
)
def test_a_shared_sign_means_the_home_currency_where_it_can(text: str, home: str, unit: str):
    assert parse_quantity(text, home=home).unit == unit


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        ("7.50", "%", "7.5\u202f%", "7.5%"),
        ("1200", "", "1,200", "1,200"),
        ("1E+3", "", "1,000", "1,000"),
        ("-0", "", "0", "0"),
        ("-19", "", "−19", "−19"),
        ("12", "days", "12\u202fdays", "12\u202fdays"),
        ("12", "天", "12天", "12天"),
        ("84000", "EUR", "€84k", "€8.4万"),
        ("-84000", "EUR", "−€84k", "−€8.4万"),
        ("1250000", "USD", "$1.25M", "$125万"),
        ("300000000", "CNY", "¥300M", "¥3亿"),
        ("84123", "EUR", "€84,123", "€84,123"),
        ("9500", "EUR", "€9,500", "€9,500"),
        ("1.5", "EUR", "€1.50", "€1.50"),
        ("0.005", "EUR", "€0.005", "€0.005"),
        ("120", "CHF", "CHF\u202f120", "CHF\u202f120"),
    ],
)
def test_shows_numbers_the_way_each_language_reads_them(value: str, unit: str, english: str, chinese: str):
    assert format_number(Decimal(value), unit, "en-US") == english
    assert format_number(Decimal(value), unit, "zh-CN") == chinese


def test_traditional_chinese_has_its_own_scale_words():
    assert format_number(Decimal(84000), "TWD", "zh-TW") == "NT$8.4萬"


@given(
    value=st.decimals(min_value=Decimal(-(10**15) + 1), max_value=Decimal(10**15 - 1), places=9)
    | st.integers(-(10**15) + 1, 10**15 - 1).map(Decimal)
    | st.integers(-999, 999).map(lambda n: Decimal(n * 1000)),
    unit=st.sampled_from(UNITS),
    locale=st.sampled_from(LOCALES),
)
def test_what_is_shown_can_be_typed_back(value: Decimal, unit: str, locale: str):
    assert parse_quantity(format_number(value, unit, locale)) == Quantity(value, unit)


@given(st.text() | st.text(alphabet="0123456789.,-+ €$%k万亿千百十二零m'"))
def test_any_text_is_a_finite_number_in_range_or_a_words_error(text: str):
    try:
        quantity = parse_quantity(text)
    except WordsError:
        return
    assert quantity.value.is_finite()
    assert abs(quantity.value) < 10**15
    assert parse_quantity(format_number(quantity.value, quantity.unit, "en")) == quantity


@given(st.text(alphabet=f"0９½²{CHINESE}.,- kM€%", max_size=12))
def test_where_no_numeral_is_there_is_no_number(text: str):
    try:
        parse_quantity(text)
    except WordsError:
        return
    assert has_numeral(text)
    assert not has_numeral("conversion by year end")
