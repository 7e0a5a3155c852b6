"""The language mechanism, the catalogues, and the reader who gets them."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

import words
from words.dates import DateError, parse_date
from words.language import find_catalogue, get_language, list_languages, translate, translate_many
from words.money import Amount
from words.reader import Reader

TRANSLATED = [language for language in list_languages() if language != "en"]
WEDNESDAY = date(2026, 3, 4)


def read(language: str) -> Catalog:
    with find_catalogue(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def list_forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def list_fields(text: str) -> set[str]:
    return {field for _literal, field, _spec, _conversion in Formatter().parse(text) if field is not None}


def list_sentences() -> Iterator[str]:
    """Every msgid that this package raises or says."""
    for path in Path(words.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            is_said = name.endswith("Error") or name in ("translate", "translate_many")
            first = node.args[0] if isinstance(node, ast.Call) and is_said and node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and name != "ValueError":
                yield first.value


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en-US", "en"), ("en-GB", "en"), ("de-DE", "en"), ("", "en"), ("nonsense!", "en"), ("zh-CN", "zh_Hans"),
        ("zh-SG", "zh_Hans"), ("zh", "zh_Hans"), ("zh_Hans", "zh_Hans"), ("zh-TW", "zh_Hant"), ("zh-HK", "zh_Hant"),
        ("zh-Hant-TW", "zh_Hant"), ("zh-MO", "zh_Hant"), ("a" * 99, "en"), ("../../etc", "en"),
    ],
)  # fmt: skip
def test_a_slack_locale_leads_to_a_catalogue(locale: str, language: str):
    assert get_language(locale) == language


def test_there_are_the_promised_languages():
    assert list_languages() == ("en", "zh_Hans", "zh_Hant")


def test_a_missing_translation_is_english():
    assert translate("nobody translated this", "zh-CN") == "nobody translated this"
    assert translate_many("{count} cow", "{count} cows", 2, "zh-CN") == "{count} cows"
    assert translate("", "zh-CN") == ""


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_of_this_package_is_translated(language: str):
    sentences = set(list_sentences())
    assert len(sentences) > 8
    assert {sentence for sentence in sentences if not read(language).get(sentence)} == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_are_whole_and_have_the_fields_of_their_sentence(language: str):
    messages = [message for message in read(language) if message.id]
    assert messages
    for message in messages:
        wanted = set().union(*map(list_fields, list_forms(message.id)))
        forms = list_forms(message.string)
        assert all(forms), message.id
        assert [list_fields(form) for form in forms] == [wanted] * len(forms), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogues_agree_on_their_messages_and_have_no_doubtful_ones(language: str):
    ids = [{message.id for message in read(other) if isinstance(message.id, str)} for other in TRANSLATED]
    assert all(found == ids[0] for found in ids)
    assert not [message.id for message in read(language) if message.id and message.fuzzy]


def test_an_error_is_said_in_the_language_of_the_reader():
    with pytest.raises(DateError) as caught:
        parse_date("31 Feb {x} <!channel>", WEDNESDAY)
    error = caught.value
    assert "31 Feb {x} <!channel>" in str(error)
    assert Reader().say(error.sentence, **error.values) == str(error)
    assert "無法辨識日期「31 Feb {x} <!channel>」" in Reader("zh-TW").say(error.sentence, **error.values)


def test_an_error_repeats_forty_characters_at_most():
    with pytest.raises(DateError) as caught:
        parse_date("x\n" * 3000, WEDNESDAY)
    assert len(str(caught.value.values["text"])) == 40


def test_a_reader_gets_plurals_and_figures_in_their_language():
    english, chinese = Reader("en-US"), Reader("zh-CN")
    assert english.say_many("{count} day", "{count} days", 1) == "1 day"
    assert english.say_many("{count} day", "{count} days", 1200) == "1,200 days"
    assert chinese.say_many("{count} day", "{count} days", 1) == "1 天"
    assert chinese.say_many("{count} day", "{count} days", 2, count="两") == "两 天"
    assert (english.span(61), chinese.span(61)) == ("61 days", "61 天")


def test_a_reader_gets_numbers_money_and_signs():
    reader = Reader("en-US")
    assert reader.number(1200) == "1,200"
    assert reader.quantity(Decimal("7.5"), "%") == "7.5\u202f%"
    assert [reader.signed(delta) for delta in (2, -19, 0)] == ["+2", "−19", "0"]
    assert reader.signed(Decimal("1.5"), "%") == "+1.5\u202f%"
    assert reader.money(Amount(8_400_050, "EUR")) == "€84,000.50"
    assert reader.money(Amount(8_400_050, "EUR"), is_compact=True) == "€84k"


def test_a_reader_gets_days_and_moments_in_their_zone():
    reader = Reader("zh-CN", "Asia/Shanghai")
    assert reader.date(date(2026, 3, 14)) == "2026年3月14日"
    assert reader.date(date(2026, 3, 14), today=WEDNESDAY) == "3月14日"
    assert reader.moment(datetime(2026, 3, 14, 20, 5, tzinfo=UTC)) == "2026年3月15日 04:05"
