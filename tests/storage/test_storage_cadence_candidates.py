"""Accounts whose check-in may be due: nobody is left out to whom the rules would say so, and few others are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.records import AccountState, OfferState, Tier
from rules.success.cadence import depends_on_decision, next_due
from storage.db import Tx
from storage.success.cadence_candidates import list_candidates
from storage.success.cadences import Watched, list_cadences
from storage.success.checkins import CheckinOfferRow, CheckinRow
from storage.success.journeys import JourneyRow
from tests.alert_rows import TODAY, add_account, add_member
from tests.conftest import NOW

DAY = timedelta(days=1)
AGO = st.sampled_from([0, 1, 5, 6, 7, 8, 13, 14, 15, 29, 30, 31, 89, 90, 91, 400]).map(lambda days: TODAY - days * DAY)
PAUSES = st.tuples(AGO, st.none() | st.integers(1, 40), st.sampled_from([OfferState.SKIPPED, OfferState.DONE]))
ACCOUNTS = st.fixed_dictionaries(
    {
        "tier": st.sampled_from([*Tier, None]),
        "state": st.sampled_from([AccountState.CUSTOMER, AccountState.CUSTOMER, *AccountState]),
        "started_on": st.none() | AGO,
        "known_on": AGO,
        "owner_id": st.sampled_from(["m-U1", "m-U2", None]),
        "is_archived": st.sampled_from([False, False, True]),
        "stage": st.sampled_from(["", "onboarding", "adoption", "closed"]),
        "checkins": st.lists(st.tuples(AGO, st.booleans()), max_size=2),
        "pauses": st.lists(PAUSES, max_size=2),
    }
)
EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_numbers = count()


def at(day: date) -> datetime:
    return datetime.combine(day, time(12), NOW.tzinfo)


def store(tx: Tx, *, known_on: date, is_archived: bool, stage: str, checkins: Any, pauses: Any, **more: Any) -> str:
    """An account with its journey, check-ins and what was left out; returns its id."""
    name = f"a{next(_numbers)}"
    account = add_account(tx, name, archived_at=NOW if is_archived else None, **more)
    account.created_at = at(known_on)
    of = {"workspace_id": tx.workspace_id, "account_id": name}
    if stage:
        closed_at = NOW if stage == "closed" else None
        named: dict[str, Any] = {"template_key": "standard", "name": "Standard", "stage_key": stage}
        named |= {"started_on": TODAY, "stage_since": TODAY}
        tx.session.add(JourneyRow(**of, **named, created_at=NOW, closed_at=closed_at))
    for day, is_removed in checkins:
        tx.session.add(CheckinRow(**of, happened_on=day, created_at=at(day), removed_at=NOW if is_removed else None))
    for day, wait, state in pauses:
        until = day + wait * DAY if wait else None
        named = {"due_on": day, "offered_on": day, "settled_on": day, "resumes_on": until, "state": state}
        tx.session.add(CheckinOfferRow(**of, **named, member_id="m-U1", created_at=at(day)))
    tx.session.flush()
    return name


@pytest.fixture
def people(tx: Tx) -> Tx:
    for each in ("U1", "U2"):
        add_member(tx, each)
    return tx


def list_due(found: Sequence[Watched], decides_on: date | None) -> dict[str, date]:
    """By account the day its check-in is due, if it is, were there a contract to decide on."""
    facts = {each.account_id: replace(each.facts, decides_on=decides_on) for each in found}
    days = {id_: next_due(each, TODAY) for id_, each in facts.items()}
    return {id_: day for id_, day in days.items() if day is not None and day <= TODAY}


@EXAMPLES
@given(st.lists(ACCOUNTS, min_size=1, max_size=12))
def test_nobody_whose_check_in_is_due_is_left_out(people: Tx, accounts: list[dict[str, Any]]):
    with people.session.begin_nested() as savepoint:
        ids = [store(people, **each) for each in accounts]
        everybody = list_cadences(people, ids, TODAY, {})
        for owner_id in (None, "m-U1"):
            wanted = [each for each in everybody if owner_id in (None, each.owner_id)]
            found = list_candidates(people, owner_id, TODAY)
            known = {each.account_id: each for each in wanted}
            assert all(each == known[each.account_id] for each in found)
            for decides_on in (None, TODAY, TODAY + 90 * DAY):
                assert list_due(found, decides_on) == list_due(wanted, decides_on)
        savepoint.rollback()
    people.session.expunge_all()


@EXAMPLES
@given(ACCOUNTS)
def test_contracts_matter_where_the_rules_ask_for_them(people: Tx, account: dict[str, Any]):
    with people.session.begin_nested() as savepoint:
        (found,) = list_cadences(people, [store(people, **account | {"is_archived": False})], TODAY, {})
        savepoint.rollback()
    people.session.expunge_all()
    if not depends_on_decision(found.facts, TODAY):
        assert list_due([found], None) == list_due([found], TODAY)


def test_whom_we_were_in_touch_with_is_not_even_read(people: Tx):
    base: dict[str, Any] = {"state": AccountState.CUSTOMER, "owner_id": "m-U1", "started_on": TODAY - 400 * DAY}
    base |= {"known_on": TODAY - 400 * DAY, "is_archived": False, "stage": "adoption", "pauses": []}
    for tier, days in ((Tier.A, 13), (Tier.B, 13), (Tier.C, 89), (None, 89), (Tier.D, 400)):
        store(people, **base, tier=tier, checkins=[(TODAY - days * DAY, False)])
    assert list_candidates(people, None, TODAY) == []
    until_yesterday = [(TODAY - 3 * DAY, 2, OfferState.SKIPPED)]
    put_off = store(people, **base | {"pauses": until_yesterday}, tier=Tier.C, checkins=[(TODAY - 5 * DAY, False)])
    assert [each.account_id for each in list_candidates(people, None, TODAY)] == [put_off]
    due = store(people, **base, tier=Tier.C, checkins=[(TODAY - 90 * DAY, False)])
    assert {each.account_id for each in list_candidates(people, None, TODAY)} == {due, put_off}
