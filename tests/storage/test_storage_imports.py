"""Bulk writes of imports, on both databases: new, changed, same; what only Slack knows stays."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import select

from rules.accounts.imports import Outcome
from rules.records import Actor
from storage.account_imports import import_accounts, match_accounts
from storage.accounts.accounts import AccountRow, AliasRow
from storage.audit import AuditRow
from storage.db import Tx
from storage.health.tickets import import_tickets
from storage.health.usage import find_events, insert_events
from storage.people.members import MemberRow
from storage.renewals.contracts import find_accounts_of_contracts, import_contracts, list_contracts
from storage.success.target_imports import import_measurements, import_targets
from storage.success.targets import MeasurementRow, TargetStepRow
from storage.types import new_id
from tests.conftest import NOW

ACTOR = Actor("import", "accounts file.csv", "import")
NEW, CHANGED, SAME = Outcome
DAY = date(2026, 3, 9)


def add_accounts(tx: Tx, *rows: dict[str, Any]) -> list[Outcome]:
    return import_accounts(tx, rows, ACTOR, NOW)


def get_account(tx: Tx, external_id: str) -> AccountRow:
    tx.session.expire_all()
    return tx.session.exec(
        select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id, AccountRow.external_id == external_id)
    ).one()


def make_account(tx: Tx) -> str:
    add_accounts(tx, {"external_id": "A1", "name": "Acme"})
    return get_account(tx, "A1").id


def test_accounts_are_adopted_by_name_once_and_twins_get_slugs_of_their_own(tx: Tx):
    tx.session.add(AccountRow(workspace_id=tx.workspace_id, slug="acme", name="Acme", created_at=NOW))
    tx.session.flush()
    rows = ({"external_id": "A1", "name": "ACME"}, {"external_id": "A2", "name": "Acme"})
    assert len(match_accounts(tx, [(row["external_id"], row["name"]) for row in rows])) == 1
    assert add_accounts(tx, *rows) == [CHANGED, NEW]
    assert add_accounts(tx, *rows) == [SAME, SAME]
    assert (get_account(tx, "A1").slug, get_account(tx, "A2").slug) == ("acme", "acme-a2")


def test_aliases_are_added_with_audit_and_never_removed(tx: Tx):
    assert add_accounts(tx, {"external_id": "A1", "name": "Acme", "aliases": ("ACM",)}) == [NEW]
    assert add_accounts(tx, {"external_id": "A1", "name": "Acme", "aliases": ("Coyote", "acm")}) == [CHANGED]
    assert add_accounts(tx, {"external_id": "A1", "name": "Acme", "aliases": ()}) == [SAME]
    names = tx.session.exec(select(AliasRow.alias).where(AliasRow.workspace_id == tx.workspace_id)).all()
    assert sorted(names) == ["ACM", "Coyote"]
    told = tx.session.exec(select(AuditRow).where(AuditRow.workspace_id == tx.workspace_id)).all()
    assert [row.after for row in told if row.object_kind == "account_aliases"][-1] == {"aliases": ["Coyote"]}


def test_an_owner_taken_in_slack_stays_until_the_file_names_somebody_else(tx: Tx):
    for id_, email in (("m1", "ada@example.com"), ("m2", "bob@example.com")):
        tx.session.add(MemberRow(id=id_, workspace_id=tx.workspace_id, slack_id=id_, email=email, seen_at=NOW))
    tx.session.flush()
    file = {"external_id": "A1", "name": "Acme", "owner_email": "eve@example.com"}
    add_accounts(tx, file)
    account = get_account(tx, "A1")
    account.owner_id = "m1"
    tx.session.flush()
    assert add_accounts(tx, file) == [SAME]
    assert get_account(tx, "A1").owner_id == "m1"
    assert add_accounts(tx, {**file, "owner_email": "bob@example.com"}) == [CHANGED]
    assert get_account(tx, "A1").owner_id == "m2"
    get_account(tx, "A1").owner_id = "m1"
    tx.session.flush()
    assert add_accounts(tx, {**file, "owner_email": "bob@example.com"}) == [SAME]
    assert get_account(tx, "A1").owner_id == "m1"


def test_contracts_and_tickets_merge_by_external_id(tx: Tx):
    account_id = make_account(tx)
    contract = {"external_id": "K1", "account_id": account_id, "start_on": DAY, "yearly_minor": 100}
    assert import_contracts(tx, [contract], ACTOR, NOW) == [NEW]
    assert import_contracts(tx, [contract, {**contract, "external_id": "K2"}], ACTOR, NOW) == [SAME, NEW]
    assert import_contracts(tx, [{**contract, "yearly_minor": 200}], ACTOR, NOW) == [CHANGED]
    assert [row.yearly_minor for row in list_contracts(tx, [account_id])[account_id]] == [200, 100]
    assert find_accounts_of_contracts(tx, ["K1", "K'9", "K2"]) == {"K1": account_id, "K2": account_id}
    ticket = {"external_id": "T1", "account_id": account_id, "opened_at": NOW, "closed_at": None}
    assert import_tickets(tx, [ticket], ACTOR, NOW) == [NEW]
    assert import_tickets(tx, [ticket], ACTOR, NOW) == [SAME]
    assert import_tickets(tx, [{**ticket, "closed_at": NOW}], ACTOR, NOW) == [CHANGED]
    assert import_tickets(tx, [], ACTOR, NOW) == []


def test_targets_change_with_their_steps_and_measurements_by_day(tx: Tx):
    row = _target(make_account(tx))
    steps = ((date(2026, 6, 30), Decimal("6.50")),)
    assert import_targets(tx, [(row, steps)], ACTOR, NOW) == [NEW]
    assert import_targets(tx, [(row, ((date(2026, 6, 30), Decimal("6.5")),))], ACTOR, NOW) == [SAME]
    assert import_targets(tx, [(row, ())], ACTOR, NOW) == [CHANGED]
    assert tx.session.exec(select(TargetStepRow).where(TargetStepRow.workspace_id == tx.workspace_id)).all() == []
    value = {"account_id": row["account_id"], "metric_key": "nps", "measured_on": DAY, "value": Decimal("1.5")}
    assert import_measurements(tx, [value], ACTOR, NOW) == [NEW]
    assert import_measurements(tx, [{**value, "value": Decimal("1.50")}], ACTOR, NOW) == [SAME]
    assert import_measurements(tx, [{**value, "value": Decimal(2)}], ACTOR, NOW) == [CHANGED]
    stored = tx.session.exec(select(MeasurementRow).where(MeasurementRow.workspace_id == tx.workspace_id)).one()
    assert (stored.value, stored.source) == (Decimal(2), "file")


def _target(account_id: str) -> dict[str, Any]:
    return {
        "external_id": "G1",
        "account_id": account_id,
        "metric_key": "nps",
        "baseline": Decimal(1),
        "goal": Decimal(9),
        "start_on": date(2026, 1, 1),
        "due_on": date(2026, 12, 31),
        "owner_email": "",
        "created_at": datetime(2026, 1, 1, tzinfo=NOW.tzinfo),
    }


def test_events_are_found_by_many_ids_and_inserted_once(tx: Tx):
    account_id = make_account(tx)
    ids = [new_id() for _ in range(1500)] + ["it's", '"quoted"', "号"]
    rows = [
        {"source": "s", "message_id": id_, "account_id": account_id, "team": "", "metric_key": "export", "person": "",
         "day": DAY, "value": 0.1}
        for id_ in ids
    ]  # fmt: skip
    assert insert_events(tx, rows[:2]) == 2
    assert insert_events(tx, rows) == len(ids) - 2
    found = find_events(tx, "s", [*ids, "unknown"])
    assert set(found) == set(ids)
    assert set(found.values()) == {(account_id, "", "export", "", DAY, 0.1)}
    assert find_events(tx, "other", ids) == {}
