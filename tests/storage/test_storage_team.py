"""Working times, absences and stand-ins read in bulk, on both databases."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlmodel import select

from rules.people.team import ChangeMember
from rules.people.working_time import WorkingTime
from rules.records import Actor, Role
from storage.accounts.accounts import AccountRow
from storage.accounts.channels import count_own_channels
from storage.audit import AuditRow, find_line
from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.delivery.welcomes import welcome_first_lead
from storage.owners import (
    Orphans,
    count_owned,
    give_accounts,
    is_given_since,
    list_left,
    list_unmatched,
    save_from_slack,
    take_accounts_back,
)
from storage.people.members import MemberRow, SlackProfile
from storage.people.team import (
    count_leading,
    count_people,
    find_stand_ins,
    get_team_time,
    list_away,
    list_people,
    list_working_times,
)
from storage.people.team_writes import apply_team, is_changed_since, take_back
from storage.people.workspaces import WorkspaceRow, find_setting, get_workspace
from tests.conftest import NOW

DAY = date(2026, 3, 10)
LEE = Actor("member", "lee", "Lee")


def add(tx: Tx, slack_id: str, **more: object) -> MemberRow:
    """A person in Berlin, with these columns."""
    row = save_from_slack(tx, SlackProfile(slack_id, slack_id, zone="Europe/Berlin"), NOW)
    for name, value in more.items():
        setattr(row, name, value)
    tx.session.flush()
    return row


def add_account(tx: Tx, name: str, **more: object) -> AccountRow:
    row = AccountRow(workspace_id=tx.workspace_id, slug=name.lower(), name=name, created_at=NOW)
    for column, value in more.items():
        setattr(row, column, value)
    tx.session.add(row)
    tx.session.flush()
    return row


def test_nothing_chosen_is_nine_to_half_past_five_in_slacks_zone(tx: Tx):
    row = add(tx, "U1")
    assert list_working_times(tx) == {row.id: WorkingTime("Europe/Berlin", time(9), time(17, 30), time(9, 10))}


def test_a_persons_own_values_come_before_the_workspaces(tx: Tx):
    home = get_workspace(tx)
    home.country, home.work_from, home.work_until, home.digest_at, home.weekly_on = "DE", "08:00", "16:00", "08:45", 2
    plain = add(tx, "U1")
    own = add(tx, "U2", own_zone="Asia/Shanghai", country="CN", work_from="10:00", work_until="19:00")
    early = add(tx, "U3", digest_at="07:00")
    found = list_working_times(tx)
    assert found[plain.id] == WorkingTime("Europe/Berlin", time(8), time(16), time(8, 45), "DE", 2)
    assert found[own.id] == WorkingTime("Asia/Shanghai", time(10), time(19), time(10, 10), "CN", 2)
    assert found[early.id].digest_at == time(7)
    assert own.local_zone == "Asia/Shanghai"


def test_the_team_has_the_workspaces_zone_and_hours(tx: Tx):
    home = get_workspace(tx)
    home.zone, home.work_from, home.country = "Europe/London", "08:30", "GB"
    assert get_team_time(tx) == WorkingTime("Europe/London", time(8, 30), time(17, 30), time(8, 40), "GB", 0)
    home.digest_at = "10:00"
    assert get_team_time(tx).digest_at == time(10)


def test_only_those_asked_for_and_only_people_who_are_there(tx: Tx):
    one, gone = add(tx, "U1"), add(tx, "U2", is_active=False)
    add(tx, "UBOT", is_bot=True)
    other = WorkspaceRow(team_id="T9", created_at=NOW)
    tx.session.add(other)
    tx.session.flush()
    stranger = add(Tx(tx.session, other.id), "U9")
    assert set(list_working_times(tx)) == {one.id}
    assert set(list_working_times(tx, [one.id, gone.id, stranger.id, "nobody"])) == {one.id, gone.id}
    assert list_working_times(tx, []) == {}


def test_two_hundred_people_take_two_statements(tx: Tx):
    rows = [add(tx, f"U{number:03}") for number in range(200)]
    ids = [row.id for row in rows]
    tx.session.expire_all()
    sent: list[str] = []

    def count(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert len(list_working_times(tx, ids)) == 200
        assert len(list_working_times(tx)) == 200
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(sent) == 3, "the workspace is read once"


def test_people_are_listed_by_name_in_pages(tx: Tx):
    for slack_id in ("U3", "u2", "U1"):
        add(tx, slack_id)
    assert [row.name for row in list_people(tx)] == ["U1", "u2", "U3"]
    assert [row.name for row in list_people(tx, limit=1, offset=1)] == ["u2"]
    assert count_people(tx) == 3


def test_leads_and_admins_are_counted_but_for_one(tx: Tx):
    lead, _admin = add(tx, "U1", role=Role.LEAD), add(tx, "U2", role=Role.ADMIN)
    add(tx, "U3", role=Role.LEAD, is_active=False)
    assert count_leading(tx, without=lead.id) == 1
    assert count_leading(tx, without="") == 2


def test_a_cover_stands_in_on_the_days_of_absence_only(tx: Tx):
    bo = add(tx, "U2")
    ada = add(tx, "U1", cover_id=bo.id, away_from=date(2026, 3, 10), away_until=date(2026, 3, 12))
    for day, is_away in ((9, False), (10, True), (12, True), (13, False)):
        assert find_stand_ins(tx, date(2026, 3, day)) == ({ada.id: bo.id} if is_away else {})
        assert list_away(tx, date(2026, 3, day)) == ({ada.id} if is_away else set())


def test_a_cover_who_is_away_too_hands_on_and_one_who_left_does_not_stand_in(tx: Tx):
    span = {"away_from": DAY, "away_until": DAY}
    cy = add(tx, "U3")
    bo = add(tx, "U2", cover_id=cy.id, **span)
    ada = add(tx, "U1", cover_id=bo.id, **span)
    assert find_stand_ins(tx, DAY) == {ada.id: cy.id, bo.id: cy.id}
    cy.is_active = False
    tx.session.flush()
    assert find_stand_ins(tx, DAY) == {}
    assert list_away(tx, DAY) == {ada.id, bo.id}


def test_away_without_a_cover_is_away(tx: Tx):
    ada = add(tx, "U1", away_from=DAY, away_until=DAY)
    assert list_away(tx, DAY) == {ada.id}
    assert find_stand_ins(tx, DAY) == {}


# ---------------------------------------------------------------- changes and what takes them back


def test_a_change_of_a_person_is_audited_and_taken_back(tx: Tx):
    bo, ada = add(tx, "U2"), add(tx, "U1")
    changes = {"role": Role.LEAD, "away_from": DAY, "away_until": DAY, "cover_id": bo.id}
    (line_id,) = apply_team(tx, [ChangeMember(ada.id, changes)], LEE, NOW)
    line = find_line(tx, line_id)
    assert line is not None
    assert line.before == {"role": "csm", "away_from": None, "away_until": None, "cover_id": None}
    assert line.after == {"role": "lead", "away_from": "2026-03-10", "away_until": "2026-03-10", "cover_id": bo.id}
    assert not is_changed_since(tx, line)
    ada.role = Role.VIEWER
    tx.session.flush()
    assert is_changed_since(tx, line)
    take_back(tx, line, LEE, NOW)
    assert (ada.role, ada.away_from, ada.cover_id, ada.version) == (Role.CSM, None, None, 3)


def test_somebody_slack_switched_off_keeps_the_accounts_until_they_are_given_away(tx: Tx):
    bo, ada = add(tx, "U2"), add(tx, "U1")
    accounts = [add_account(tx, name, owner_id=ada.id) for name in ("Acme", "Globex")]
    assert count_owned(tx) == {ada.id: 2}
    save_from_slack(tx, SlackProfile("U1", "Ada", is_active=False), NOW)
    assert list_left(tx) == [Orphans(2, owner_id=ada.id, name="Ada")]
    assert count_people(tx) == 1
    line_id, ids = give_accounts(tx, list_left(tx)[0], bo.id, LEE, NOW)
    assert sorted(ids) == sorted(row.id for row in accounts)
    assert (count_owned(tx), list_left(tx)) == ({bo.id: 2}, [])
    line = find_line(tx, line_id)
    assert line is not None
    assert not is_given_since(tx, line)
    take_accounts_back(tx, line, LEE, NOW)
    assert count_owned(tx) == {ada.id: 2}
    assert is_given_since(tx, line)


def test_addresses_nobody_has_are_counted_without_regard_to_case_and_archive(tx: Tx):
    bo = add(tx, "U2")
    for name, email in (("Acme", "Zoe@x.example"), ("Globex", "zoe@x.example"), ("Initech", "yan@x.example")):
        add_account(tx, name, owner_email=email)
    add_account(tx, "Old", owner_email="zoe@x.example", archived_at=NOW)
    add_account(tx, "Owned", owner_email="bo@x.example", owner_id=bo.id)
    assert list_unmatched(tx) == [Orphans(2, email="zoe@x.example"), Orphans(1, email="yan@x.example")]
    _line, ids = give_accounts(tx, list_unmatched(tx)[0], bo.id, LEE, NOW)
    assert len(ids) == 2
    assert list_unmatched(tx) == [Orphans(1, email="yan@x.example")]
    told = tx.session.exec(select(AuditRow.account_id).where(AuditRow.verb == "account.changed")).all()
    assert sorted(filter(None, told)) == sorted(ids)


def test_accounts_with_a_channel_of_their_own_are_counted(tx: Tx):
    add_account(tx, "Acme", channel_id="C1")
    add_account(tx, "Globex")
    assert count_own_channels(tx) == 1


def test_a_setting_nobody_changed_was_set_by_nobody(tx: Tx):
    assert find_setting(tx, "currency") is None


def test_the_first_who_can_set_up_is_welcomed_and_nobody_else(tx: Tx):
    csm = save_from_slack(tx, SlackProfile("U1", "Ada"), NOW)
    admin = save_from_slack(tx, SlackProfile("U2", "Max", is_admin=True), NOW)
    other = save_from_slack(tx, SlackProfile("U3", "Meg", is_admin=True), NOW)
    assert [welcome_first_lead(tx, row, NOW) for row in (csm, admin, admin, other)] == [False, True, False, False]
    assert get_workspace(tx).installer_id == "U2"
    (row,) = tx.session.exec(select(OutboxRow)).all()
    assert (row.kind, row.reference, row.channel) == ("welcome", tx.workspace_id, "U2")
