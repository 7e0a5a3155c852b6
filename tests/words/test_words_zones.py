"""Time zones by the names people give them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from words.names import find_name
from words.reader import Reader
from words.zones import list_named_zones


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("berlin", "Europe/Berlin"), ("munich", "Europe/Berlin"),
        ("beijing", "Asia/Shanghai"), ("上海", "Asia/Shanghai"), ("kolkata", "Asia/Kolkata"),
        ("delhi", "Asia/Kolkata"),
        ("new york", "America/New_York"), ("sao paulo", "America/Sao_Paulo"), ("utc", "UTC"),
        ("香港", "Asia/Hong_Kong"),
        ("saigon", "Asia/Ho_Chi_Minh"),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_its_name_and_by_its_city(typed: str, zone: str):
    found = find_name(typed, list_named_zones())
    assert found.match is not None, found
    assert found.match.id == zone


def test_an_unknown_place_has_near_ones():
    found = find_name("Europe/Berlim City", list_named_zones())
    assert "Europe/Berlin" in [each.id for each in (found.match, *found.nearest) if each]


def test_every_zone_of_the_list_exists_once():
    ids = [each.id for each in list_named_zones()]
    assert len(ids) == len(set(ids)) > 300
    assert all(ZoneInfo(id_) for id_ in ids)


def test_a_day_of_the_week_is_named_in_the_readers_language():
    assert [Reader(locale).weekday(0) for locale in ("en-US", "zh-CN", "zh-TW", "de-DE")] == [
        "Monday",
        "星期一",
        "星期一",
        "Monday",
    ]
