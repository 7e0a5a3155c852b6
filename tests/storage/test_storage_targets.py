"""Targets, measurements and metrics in storage: facts for the rules, writes, taking back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from rules.accounts.accounts import AccountDraft, AddAccount
from rules.errors import UserError
from rules.records import Actor, TargetKind
from rules.success.plans import (
    MeasurementDraft,
    RemoveMeasurement,
    RemoveTarget,
    TargetDraft,
    decide_add_target,
    decide_log,
)
from rules.success.targets import TargetStatus, assess
from storage.accounts.account_writes import apply_accounts
from storage.audit import AuditRow
from storage.db import Tx
from storage.errors import NotFoundError
from storage.success.metrics import ensure_metric, find_metric, list_metrics, list_named_metrics, name_metrics
from storage.success.target_writes import apply_targets, is_measurement_needed, is_target_needed
from storage.success.targets import (
    MeasurementRow,
    TargetRow,
    find_latest_measurement,
    get_measurement,
    get_target,
    list_recent_measurements,
    list_target_facts,
    list_targets,
)
from tests.conftest import NOW

ACTOR = Actor("member", "m1", "Ada")
TODAY = NOW.date()
DRAFT = TargetDraft(
    "", "Conversion", TargetKind.LEVEL, "%", Decimal(5), Decimal(10), TODAY, date(2026, 12, 31), agreed_on=TODAY
)


@pytest.fixture
def account_id(tx: Tx) -> str:
    return apply_accounts(tx, [AddAccount(AccountDraft("Acme"))], ACTOR, NOW)[0].id


def add_target(tx: Tx, account_id: str, running: tuple[str, ...] = (), **more: object) -> TargetRow:
    draft = replace(DRAFT, account_id=account_id, **more)
    (row,) = apply_targets(tx, decide_add_target(draft, TODAY, running), ACTOR, NOW)
    assert isinstance(row, TargetRow)
    return row


def log(tx: Tx, account_id: str, value: str, day: date = TODAY, minutes: int = 1) -> MeasurementRow:
    draft = MeasurementDraft(account_id, "conversion", Decimal(value), day)
    (row,) = apply_targets(tx, decide_log(draft, TODAY), ACTOR, NOW + timedelta(minutes=minutes))
    assert isinstance(row, MeasurementRow)
    return row


def test_facts_hold_steps_and_values_until_the_day(tx: Tx, account_id: str):
    target = add_target(tx, account_id)
    log(tx, account_id, "6.5", TODAY, minutes=2)
    log(tx, account_id, "6.0", TODAY - timedelta(days=3), minutes=3)
    ((row, facts),) = list_target_facts(tx, [account_id], TODAY)[account_id]
    assert row.id == target.id
    assert facts.measurements == ((TODAY - timedelta(days=3), Decimal("6.0")), (TODAY, Decimal("6.5")))
    assert facts.created_on == TODAY
    assert [value for _day, value in facts.steps] == [Decimal("6.66"), Decimal("8.33")]
    assert assess(facts, TODAY).status is TargetStatus.TOO_EARLY
    ((_row, earlier),) = list_target_facts(tx, [account_id], TODAY - timedelta(days=1))[account_id]
    assert len(earlier.measurements) == 1
    assert list_target_facts(tx, ["nobody"], TODAY) == {}


def test_values_keep_every_digit(tx: Tx, account_id: str):
    row = log(tx, account_id, "123456789012345.123456789")
    tx.session.expire_all()
    assert get_measurement(tx, row.id).value == Decimal("123456789012345.123456789")


def test_a_new_target_replaces_and_gives_the_place_back(tx: Tx, account_id: str):
    old = add_target(tx, account_id)
    new = add_target(tx, account_id, running=(old.id,), goal=Decimal(12))
    tx.session.expire_all()
    assert get_target(tx, old.id).replaced_by == new.id
    apply_targets(tx, [RemoveTarget(new.id)], ACTOR, NOW)
    tx.session.expire_all()
    assert get_target(tx, old.id).replaced_by is None
    assert [row.id for row in list_targets(tx, [account_id])] == [old.id]
    verbs = tx.session.exec(select(AuditRow.verb).where(AuditRow.object_kind == "target")).all()
    assert sorted(verbs) == ["target.added", "target.added", "target.undone"]


def test_the_latest_value_is_by_measured_day_and_without_the_taken_back(tx: Tx, account_id: str):
    latest = log(tx, account_id, "6.5")
    older = log(tx, account_id, "6.1", TODAY - timedelta(days=5), minutes=9)
    assert find_latest_measurement(tx, account_id, "conversion", TODAY) == latest
    assert find_latest_measurement(tx, account_id, "conversion", TODAY, without=latest.id) == older
    assert list_recent_measurements(tx, account_id, TODAY) == [latest, older]
    apply_targets(tx, [RemoveMeasurement(latest.id)], ACTOR, NOW)
    assert list_recent_measurements(tx, account_id, TODAY) == [older]
    assert find_latest_measurement(tx, account_id, "churn", TODAY) is None


def test_what_depends_on_what(tx: Tx, account_id: str):
    value = log(tx, account_id, "5.0")
    assert not is_measurement_needed(tx, value)
    draft = replace(DRAFT, account_id=account_id)
    (target,) = apply_targets(tx, decide_add_target(draft, TODAY), ACTOR, NOW + timedelta(minutes=5))
    assert isinstance(target, TargetRow)
    assert is_measurement_needed(tx, value)
    assert not is_target_needed(tx, target)
    log(tx, account_id, "6", minutes=6)
    assert is_target_needed(tx, target)


def test_gone_things_say_so(tx: Tx):
    with pytest.raises(NotFoundError):
        get_target(tx, "gone")
    with pytest.raises(NotFoundError):
        get_measurement(tx, "gone")


def test_metrics_are_made_once_and_named(tx: Tx):
    made = ensure_metric(tx, "Answer  rate", "%")
    assert (made.key, made.name, made.unit) == ("answer-rate", "Answer rate", "%")
    assert ensure_metric(tx, "answer RATE", "EUR").unit == "%"
    assert ensure_metric(tx, "复购率").key == "复购率"
    ensure_metric(tx, "Search", role="feature")
    assert [row.key for row in list_metrics(tx)] == ["answer-rate", "复购率"]
    assert len(list_metrics(tx, None)) == 3
    named = {each.id: each.names for each in list_named_metrics(tx)}
    assert named["answer-rate"][:3] == ("Answer rate", "answer rate", "接听率")
    assert named["复购率"] == ("复购率",)
    assert "复购率" not in named["repurchase-rate"]
    assert "search" not in named
    assert name_metrics(tx, {"answer-rate", "other"}) == {"answer-rate": "Answer rate", "other": "other"}
    assert find_metric(tx, "nothing") is None
    for name in ("", "12", "x" * 81):
        with pytest.raises(UserError):
            ensure_metric(tx, name)
