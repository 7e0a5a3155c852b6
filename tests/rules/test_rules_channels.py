"""Where words about customers may go: never where another organisation is known to read, and to an account's own
channel only where none is known not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.delivery.channels import Place, Sharing, choose_channel, choose_team_channel, judge_sharing, may_hold

INTERNAL, SHARED, UNKNOWN = Sharing.INTERNAL, Sharing.SHARED, Sharing.UNKNOWN
CHANNELS = ("", "C1", "C2")
sharings = st.fixed_dictionaries({channel: st.sampled_from(list(Sharing)) for channel in CHANNELS})
people = st.lists(st.sampled_from(["", "U1", "U2"]), max_size=3)


@given(st.sampled_from(CHANNELS), st.sampled_from(CHANNELS), sharings, people)
def test_nothing_is_said_where_another_organisation_reads(
    own: str, team: str, known: Mapping[str, Sharing], others: list[str]
):
    chosen = choose_channel(Place(own, known[own]), Place(team, known[team]), others)
    assert chosen in {own, team, *others, ""}
    if chosen in (own, team) and chosen:
        assert known[chosen] is not SHARED
    if chosen == own != team and chosen:
        assert known[own] is INTERNAL


@given(st.sampled_from(CHANNELS), st.sampled_from(CHANNELS), sharings, people)
def test_it_is_silent_only_where_there_is_nowhere_to_go(
    own: str, team: str, known: Mapping[str, Sharing], others: list[str]
):
    usable = [own and known[own] is INTERNAL, team and known[team] is not SHARED, *others]
    assert bool(choose_channel(Place(own, known[own]), Place(team, known[team]), others)) == any(usable)


@given(people, st.sampled_from([SHARED, UNKNOWN]))
def test_where_channels_cannot_be_looked_at_the_team_hears_of_everything(others: list[str], own: Sharing):
    assert choose_channel(Place("C1", own), Place("C2", UNKNOWN), others) == "C2"


@pytest.mark.parametrize(
    ("own", "team", "others", "expected"),
    [
        (Place("C1", INTERNAL), Place("C2", INTERNAL), ["U1"], "C1"),
        (Place("C1", SHARED), Place("C2", INTERNAL), ["U1"], "C2"),
        (Place("C1", UNKNOWN), Place("C2", UNKNOWN), ["U1"], "C2"),
        (Place("C1", SHARED), Place("C2", SHARED), ["", "U1", "U2"], "U1"),
        (Place("C1", SHARED), Place(), ["U1"], "U1"),
        (Place("C1", UNKNOWN), Place(), [], ""),
        (Place(), Place("C2", UNKNOWN), [], "C2"),
    ],
)
def test_the_order_of_places(own: Place, team: Place, others: list[str], expected: str):
    assert choose_channel(own, team, others) == expected


def test_a_place_without_a_channel_holds_nothing():
    assert [may_hold(Place("", sharing)) for sharing in Sharing] == [False, False, False]
    assert [may_hold(Place("C1", sharing)) for sharing in (INTERNAL, SHARED, UNKNOWN)] == [True, False, False]
    assert [choose_team_channel(Place("C1", sharing)) for sharing in (INTERNAL, SHARED, UNKNOWN)] == ["C1", "", "C1"]


@pytest.mark.parametrize(("ext", "pending", "shared"), list(product([True, False, None], [True, False], [True, False])))
def test_one_sign_of_sharing_is_enough(ext: bool | None, pending: bool, shared: bool):
    judged = judge_sharing(is_ext_shared=ext, is_pending=pending, is_shared=shared)
    assert (judged is SHARED) == any([ext, pending, shared])
    assert (judged is UNKNOWN) == (ext is None and not pending and not shared)
