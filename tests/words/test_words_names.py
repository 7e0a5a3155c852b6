"""Names: folded, found, split off, and never mistaken for another customer."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from words.names import Named, find_name, fold, slug, split_leading_name

ACME = Named("A-103", ("Acme Corp", "acme-corp", "The Anvil People"))
ACMETRON = Named("A-104", ("Acmetron", "acmetron"))
NORTHWIND = Named("N-1", ("Northwind Traders", "northwind-traders"))
CATL = Named("C-1", ("宁德时代新能源", "catl"))
NORTH_BANK = Named("B-1", ("北方银行", "northbank"))
CLIENT_12 = Named("K-1", ("Client 12",))
CAFE = Named("K-2", ("Café O’Brien",))
SMITH = Named("K-3", ("Smith & Sons & Partners",))
EVERYONE = (ACME, ACMETRON, NORTHWIND, CATL, NORTH_BANK, CLIENT_12, CAFE, SMITH)

TEXTS = st.text(min_size=1, max_size=30)
NAMED = st.lists(TEXTS, min_size=1, max_size=12, unique_by=fold).map(
    lambda names: tuple(Named(f"id {place} of {len(names)}", (name,)) for place, name in enumerate(names))
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  ACME—Corp. ", "acme corp"),
        ("Ｃａｆé", "cafe"),
        ("O’Brien & Sons", "obrien sons"),
        ("Straße", "strasse"),
        ("宁德时代（中国）", "宁德时代 中国"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("C++", "c++"),
        ("!!!", "!!!"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_folds_what_does_not_matter(text: str, folded: str):
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N"])))
def test_folding_ignores_width_and_case_of_any_word(text: str):
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme Corp.", "acme-corp"),
        ("宁德时代", "宁德时代"),
        ("C++ & Co", "c-co"),
        ("!!!", "u21-21-21"),
        ("a" * 99, "a" * 80),
    ],
)
def test_slugs_keep_letters_and_digits_of_any_script(text: str, expected: str):
    assert slug(text) == expected


@given(TEXTS)
def test_a_slug_is_never_empty_and_its_own_slug(text: str):
    assert slug(text)
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("query", "match", "how"),
    [
        ("a-103", ACME, "id"),
        ("ACME CORP", ACME, "name"),
        ("acme-corp", ACME, "name"),
        ("the anvil people", ACME, "alias"),
        ("acme", ACME, "prefix"),
        ("acmet", ACMETRON, "prefix"),
        ("north", NORTHWIND, "ambiguous"),
        ("northw", NORTHWIND, "prefix"),
        ("acne corp", ACME, "close"),
        ("acme crop", ACME, "close"),
        ("nortwind trader", NORTHWIND, "close"),
        ("cafe obrien", CAFE, "name"),
        ("宁德", CATL, "prefix"),
        ("时代", CATL, "prefix"),
        ("银行", NORTH_BANK, "prefix"),
        ("银", NORTH_BANK, "prefix"),
        ("ＣＡＴＬ", CATL, "alias"),
        ("the anvil peple", ACME, "close"),
    ],
)
def test_finds_what_people_mean(query: str, match: Named, how: str):
    found = find_name(query, EVERYONE)
    assert found.how == how
    if how == "ambiguous":
        assert found.match is None
        assert match in found.nearest
    else:
        assert found.match == match


@pytest.mark.parametrize("query", ["client 13", "client 1", "a-10", "a-105", "acme b", "zzz", "x", "农行"])
def test_never_takes_another_number_or_letter_for_a_slip(query: str):
    found = find_name(query, EVERYONE)
    assert found.match is None
    assert len(found.nearest) == 3


@pytest.mark.parametrize("query", ["", "   ", "\u200b"])
def test_nothing_typed_finds_nothing(query: str):
    assert find_name(query, EVERYONE) == find_name("anything", ())


def test_unknown_names_get_the_nearest_first():
    assert find_name("norhtwnid", EVERYONE).nearest[0] == NORTHWIND
    assert find_name("norhtwnid", EVERYONE, nearest=1).nearest == (NORTHWIND,)


def test_two_with_the_same_name_are_ambiguous_unless_the_id_is_typed():
    twins = (Named("1", ("Globex",)), Named("2", ("GLOBEX.",)))
    assert find_name("globex", twins).how == "ambiguous"
    assert find_name("globex", twins).nearest == twins
    assert find_name("2", twins).match == twins[1]


def test_two_equally_close_are_ambiguous():
    pair = (Named("i1", ("Contoso East",)), Named("i2", ("Contoso Eash",)))
    assert find_name("contoso easr", pair).how == "ambiguous"


@pytest.mark.parametrize(
    ("text", "match", "rest"),
    [
        ("acme corp conversion 7.5% after x", ACME, "conversion 7.5% after x"),
        ("Acme conversion 7.5%", ACME, "conversion 7.5%"),
        ("acne corp conversion 7.5%", ACME, "conversion 7.5%"),
        ("acme crop conversion 7.5%", ACME, "conversion 7.5%"),
        ("northwind trader nps 5", NORTHWIND, "nps 5"),
        ("A-103  7.5%", ACME, "7.5%"),
        ("acme corp: note", ACME, "note"),
        ("acme corp -3", ACME, "-3"),
        ("acme corp - 3 days", ACME, "- 3 days"),
        ("smith & sons & partners churn 5%", SMITH, "churn 5%"),
        ('"acme corp" x', ACME, "x"),
        ("“acme corp” x", ACME, "x"),
        ("「宁德时代」转化率 5%", CATL, "转化率 5%"),
        ("宁德时代 转化率 5%", CATL, "转化率 5%"),
        ("宁德时代新能源转化率 5%", CATL, "转化率 5%"),
        ("acme corp", ACME, ""),
        ('"acme corp', ACME, ""),
    ],
)
def test_splits_the_leading_name_off(text: str, match: Named, rest: str):
    found, tail = split_leading_name(text, EVERYONE)
    assert found.match == match
    assert tail == rest


def test_an_ambiguous_beginning_is_split_off_with_its_candidates():
    found, rest = split_leading_name("north conversion 5%", EVERYONE)
    assert found.how == "ambiguous"
    assert set(found.nearest) == {NORTHWIND, NORTH_BANK}
    assert rest == "conversion 5%"


@pytest.mark.parametrize("text", ["umbrella conversion 7%", '"umbrella" 7%', "7%"])
def test_an_unknown_beginning_gets_suggestions(text: str):
    found, _rest = split_leading_name(text, EVERYONE)
    assert found.how == "none"
    assert len(found.nearest) == 3


def test_an_unknown_beginning_leaves_the_text_whole():
    assert split_leading_name(" umbrella 7% ", EVERYONE)[1] == "umbrella 7%"
    assert split_leading_name("", EVERYONE)[1] == ""


@given(NAMED, st.data())
def test_every_exact_name_is_found_in_any_case(among: tuple[Named, ...], data: st.DataObject):
    named = data.draw(st.sampled_from(among))
    assume(fold(named.names[0]))
    assert find_name(named.names[0], among).match == named
    assert find_name(named.id, among).match == named


@given(NAMED, st.data())
def test_a_quoted_name_is_always_split_off_whole(among: tuple[Named, ...], data: st.DataObject):
    named = data.draw(st.sampled_from(among))
    assume(fold(named.names[0]) and "”" not in named.names[0])
    found, rest = split_leading_name(f"“{named.names[0]}” 7.5%", among)
    assert found.match == named
    assert rest == "7.5%"


@given(st.text(), NAMED)
def test_any_query_gets_a_match_or_distinct_suggestions(query: str, among: tuple[Named, ...]):
    for found in (find_name(query, among), split_leading_name(query, among)[0]):
        assert (found.match is None) == (found.how in ("ambiguous", "none"))
        assert len(set(found.nearest)) == len(found.nearest) <= 3
