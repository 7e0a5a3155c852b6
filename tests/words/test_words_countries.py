"""Countries: codes and names in every language we speak, and what is none."""

from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from words.countries import CountryError, format_country, parse_country


@pytest.mark.parametrize(
    ("text", "code"),
    [("DE", "DE"), ("de ", "DE"), ("DEU", "DE"), ("germany", "DE"), ("德国", "DE"), ("德國", "DE"), ("usa", "US"),
     ("uk", "GB"), ("United King", "GB"), ("Switz", "CH"), ("Côte d’Ivoire", "CI"), ("Turkiye", "TR")],
)  # fmt: skip
def test_countries_are_read_as_people_write_them(text: str, code: str):
    assert parse_country(text) == code


@pytest.mark.parametrize("text", ["", "Atlantis", "EU", "ZZ", "United", "X", "1", "ger", "150"])
def test_what_is_no_country_or_several_is_refused(text: str):
    with pytest.raises(CountryError):
        parse_country(text)


@given(st.sampled_from(["DE", "CN", "US", "CI", "TW", "AE", "GB", "KR"]), st.sampled_from(["en-US", "zh-CN", "zh-TW"]))
def test_what_is_shown_is_read_back(code: str, locale: str):
    assert parse_country(format_country(code, locale)) == code


def test_every_country_of_the_catalogue_is_read_back_in_english():
    known = Locale("en").territories
    codes = [code for code in known if len(code) == 2 and code.isalpha() and code not in {"XA", "XB", "ZZ"}]
    unread = []
    for code in codes:
        try:
            assert parse_country(known[code]) == code
        except CountryError:
            unread.append(code)
    assert set(unread) == {"EU", "EZ", "QO", "UN"}
    assert format_country("??", "en") == "??"
