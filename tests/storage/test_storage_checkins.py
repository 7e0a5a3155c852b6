"""Reading check-ins, offers, next steps and risks in bulk, on both databases; changes guarded by the version."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from rules.errors import StaleError
from rules.records import Actor, OfferState
from rules.success.checkins import AddCheckin, CheckinDraft, TellMember, decide_checkin, decide_skip, decide_supersede
from rules.success.risks import RiskDraft, RiskOutcome, decide_add_risk, decide_close_risk
from rules.success.tasks import TaskDraft, decide_add_task, decide_finish_task
from storage.db import Tx
from storage.success.changes import find_earlier
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import (
    find_open_offer,
    last_checkins,
    latest_pulses,
    list_of_batch,
    list_open_offers,
    list_told_members,
    to_batch,
)
from storage.success.risk_writes import apply_risks
from storage.success.risks import count_open_risks, count_risks, list_risks, to_risk
from storage.success.task_writes import apply_tasks
from storage.success.tasks import count_tasks, page_tasks, to_task
from storage.success.touches import last_touches
from tests.alert_rows import TODAY, add_account, add_member
from tests.conftest import NOW

ACTOR = Actor("member", "m-U1")
DAY = timedelta(days=1)


@pytest.fixture
def rows(tx: Tx) -> Tx:
    """Two members, two accounts of the first one and an archived one."""
    add_member(tx, "U1"), add_member(tx, "U2")
    add_account(tx, "acme", owner_id="m-U1")
    add_account(tx, "globex", owner_id="m-U1")
    add_account(tx, "gone", owner_id="m-U1", archived_at=NOW)
    return tx


def tell(tx: Tx, member: str, due: dict[str, date], day: date = TODAY) -> None:
    apply_checkins(tx, [TellMember(f"m-{member}", member, day, tuple(due.items()))], ACTOR, NOW)


def check_in(tx: Tx, account_id: str, day: date, pulse: int) -> None:
    whole = AddCheckin(CheckinDraft(account_id, "m-U1", day, pulse), TODAY)
    apply_checkins(tx, decide_checkin(whole), ACTOR, NOW)


def test_open_offers_by_member_the_longest_due_first(rows: Tx):
    tell(rows, "U1", {"acme": TODAY, "gone": TODAY})
    tell(rows, "U2", {"globex": TODAY - DAY})
    assert [account.id for _offer, account in list_open_offers(rows, None)] == ["globex", "acme"]
    assert [account.id for _offer, account in list_open_offers(rows, "m-U1")] == ["acme"]
    assert list_told_members(rows, [TODAY]) == {("m-U1", TODAY), ("m-U2", TODAY)}
    assert list_told_members(rows, [TODAY + DAY]) == set()
    assert len(list_of_batch(rows, to_batch("m-U1", TODAY))) == 2


def test_one_open_offer_per_account(rows: Tx):
    tell(rows, "U1", {"acme": TODAY})
    with pytest.raises(IntegrityError), rows.session.begin_nested():
        tell(rows, "U2", {"acme": TODAY})
    offer = find_open_offer(rows, "acme")
    assert offer is not None
    apply_checkins(rows, [decide_supersede(to_offer(offer), TODAY)], ACTOR, NOW)
    tell(rows, "U2", {"acme": TODAY})
    assert [found.member_id for found, _account in list_open_offers(rows, None)] == ["m-U2"]


def test_an_offer_changed_meanwhile_is_left_alone(rows: Tx):
    tell(rows, "U1", {"acme": TODAY})
    offer = find_open_offer(rows, "acme")
    assert offer is not None
    (skip,) = decide_skip(to_offer(offer), "on leave", "m-U1", TODAY)
    apply_checkins(rows, [skip], ACTOR, NOW)
    for again in (skip, decide_supersede(to_offer(offer), TODAY)):
        with pytest.raises(StaleError):
            apply_checkins(rows, [again], ACTOR, NOW)
    assert offer.state is OfferState.SKIPPED


def test_the_latest_pulse_and_touch(rows: Tx):
    assert latest_pulses(rows, ["acme", "globex"]) == {}
    check_in(rows, "acme", TODAY - DAY, 2)
    check_in(rows, "acme", TODAY - 3 * DAY, 5)
    check_in(rows, "globex", TODAY, 4)
    ids = ["acme", "globex"]
    assert latest_pulses(rows, ids) == {"acme": (2, TODAY - DAY), "globex": (4, TODAY)}
    assert last_checkins(rows, ids) == {"acme": TODAY - DAY, "globex": TODAY}
    assert last_touches(rows, ["acme"]) == {"acme": TODAY - DAY}


def test_open_tasks_by_owner_and_day(rows: Tx):
    for draft in (
        TaskDraft("acme", "undated", "m-U2"),
        TaskDraft("acme", "late", "m-U2", TODAY + 9 * DAY),
        TaskDraft("globex", "unowned", None, TODAY + DAY),
        TaskDraft("gone", "archived", "m-U2", TODAY),
    ):
        apply_tasks(rows, decide_add_task(draft, TODAY), ACTOR, NOW)
    assert [task.text for task, _account in page_tasks(rows)] == ["unowned", "late", "undated"]
    assert [task.text for task, _account in page_tasks(rows, owner_id="m-U2")] == ["late", "undated"]
    assert [task.text for task, _account in page_tasks(rows, owner_id="m-U1", until=TODAY + DAY)] == ["unowned"]
    (late, _account) = page_tasks(rows, owner_id="m-U2", until=TODAY + 9 * DAY)[0]
    apply_tasks(rows, decide_finish_task(to_task(late), "m-U1", NOW), ACTOR, NOW)
    assert count_tasks(rows) == 2


def test_a_change_is_found_again_with_the_values_before_it(rows: Tx):
    (task,) = apply_tasks(rows, decide_add_task(TaskDraft("acme", "call", "m-U1", TODAY), TODAY), ACTOR, NOW)
    state = to_task(task)
    apply_tasks(rows, decide_finish_task(state, "m-U2", NOW), ACTOR, NOW)
    earlier = find_earlier(rows, task, "task.done")
    assert earlier is not None
    assert earlier.values == {"done_at": None, "done_by": None}
    assert (earlier.is_last, earlier.is_undone) == (True, False)
    with pytest.raises(StaleError):
        apply_tasks(rows, decide_finish_task(replace(state, done_at=None), "m-U1", NOW), ACTOR, NOW)


def test_risks_open_and_closed(rows: Tx):
    (risk,) = apply_risks(rows, decide_add_risk(RiskDraft("acme", "late payer"), TODAY), ACTOR, NOW)
    apply_risks(rows, decide_add_risk(RiskDraft("gone", "archived"), TODAY), ACTOR, NOW)
    assert count_open_risks(rows, ["acme", "globex"]) == {"acme": 1}
    assert (count_risks(rows, owner_id="m-U1"), count_risks(rows, owner_id="m-U2")) == (1, 0)
    closing = decide_close_risk(to_risk(risk), RiskOutcome.MOOT, "paid", "m-U1", TODAY)
    apply_risks(rows, closing, ACTOR, NOW)
    assert list_risks(rows) == []
    ((closed, account),) = list_risks(rows, is_open=False)
    assert (closed.outcome, account.id) == (RiskOutcome.MOOT, "acme")
    earlier = find_earlier(rows, closed, "risk.closed")
    assert earlier is not None
    assert earlier.values == {"closed_on": None, "closed_by": None, "outcome": None, "outcome_note": ""}
