"""`/cs edit`, `/cs archive`, `/cs restore`: what changed is told, others' changes are not lost, alerts end, all of it
can be taken back.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from commands.accounts.account_archive import (
    BACK,
    MORE,
    RESTORE,
    archive,
    ask_archive,
    do_archive,
    do_restore,
    restore,
    turn_page,
)
from commands.accounts.account_edits import UNDO_CHANGE, edit, open_edit, undo_change
from commands.accounts.accounts import add, list_, submit
from commands.blocks.accounts import ARCHIVE
from commands.slice import Ref
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import AlertKind, EpisodeState, Role, Tier
from storage.accounts.accounts import AccountRow, find_account, list_aliases
from storage.alerts.alerts import EpisodeRow
from storage.audit import AuditRow
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown

LATER = timedelta(minutes=1)


def read(desk: Desk, account: AccountRow) -> AccountRow:
    desk.tx.session.expire_all()
    found = find_account(desk.tx, account.id)
    assert found
    return found


def verbs(desk: Desk, account: AccountRow) -> list[str]:
    rows = desk.tx.session.exec(
        select(AuditRow).where(AuditRow.account_id == account.id, AuditRow.object_kind == "account")
    )
    return sorted(row.verb for row in rows)


# ---------------------------------------------------------------- edit


@pytest.mark.parametrize(("owner", "is_held"), [("U0000007", False), ("U0000001", True)])
def test_alerts_held_for_the_owners_hours_are_decided_afresh_for_the_next_one(desk: Desk, owner: str, *, is_held: bool):
    acme = desk.add_account("Acme", owner_id=desk.person().id)
    desk.add_member("U0000007", name="Grace")
    held = add_episode(desk.tx, acme.id, announced_at=None, held_until=desk.now + timedelta(days=2))
    view = get_form(desk.do(edit, "acme"))
    values = {"name": "Acme", "owner": owner, "seats": "5"}
    changed = desk.do(submit, ref=view.ref, values=values, person=desk.person(Role.LEAD))
    desk.tx.session.refresh(held)
    assert bool(held.held_until) is is_held
    held.held_until = desk.now + timedelta(days=2)
    desk.press(undo_change, find_ref(changed, UNDO_CHANGE), person=desk.person(Role.LEAD))
    desk.tx.session.refresh(held)
    assert bool(held.held_until) is is_held


def test_every_field_is_changed_by_form_told_and_taken_back(desk: Desk):
    acme = desk.add_account("Acme", tier=Tier.A, aliases=("ACM",), owner_id=desk.person().id)
    desk.add_member("U0000007", name="Grace")
    view = get_form(desk.do(edit, "acme"))
    before = initial_values(view)
    assert (before["name"], before["country"], before["started_on"]) == ("Acme", None, None)
    values = {"name": "Acme Inc", "external_id": "A-1", "state": "trial", "tier": "B", "industry": "Toys",
              "seats": "70", "aliases": "AI", "country": "germany", "started_on": "2024-05-01", "owner": "U0000007",
              "channel": "C0000042"}  # fmt: skip
    desk.now += LATER
    changed = desk.do(submit, ref=view.ref, values=values, person=desk.person(Role.LEAD))
    text = shown(changed[0])
    for part in ("name Acme → Acme Inc", "tier A → B", "country – → Germany", "customer since – → 1 May 2024",
                 "owner <@U0000001> → <@U0000007>", "other names ACM → AI"):  # fmt: skip
        assert part in text
    row = read(desk, acme)
    assert (row.country, row.started_on, row.seats, row.external_id) == ("DE", date(2024, 5, 1), 70, "A-1")
    ref = find_ref(changed, UNDO_CHANGE)
    assert "country Germany → –" in shown(desk.press(undo_change, ref, person=desk.person(Role.LEAD))[0])
    row = read(desk, acme)
    assert (row.name, row.tier, row.country, row.started_on, row.external_id) == ("Acme", Tier.A, "", None, None)
    assert (row.owner_id, row.channel_id, list_aliases(desk.tx, row.id)) == (desk.person().id, "", ["ACM"])
    assert verbs(desk, acme) == ["account.added", "account.changed", "account.reverted"]
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo_change, ref, person=desk.person(Role.LEAD))


def test_a_form_that_was_overtaken_names_who_was_first(desk: Desk):
    acme = desk.add_account("Acme")
    view = get_form(desk.press(open_edit, Ref("account", acme.id)))
    values = initial_values(view)
    grace = desk.person(Role.CSM, "U2", "Grace")
    desk.now += LATER
    desk.do(submit, ref=view.ref, values={**values, "industry": "Toys"}, person=grace)
    with pytest.raises(StaleError) as refused:
        desk.do(submit, ref=view.ref, values={**values, "industry": "Games"})
    assert refused.value.values["who"] == "Grace"
    assert read(desk, acme).industry == "Toys"


def test_undo_of_a_change_is_refused_late_to_others_and_after_another_change(desk: Desk):
    acme = desk.add_account("Acme")
    values = initial_values(get_form(desk.do(edit, "acme")))
    first = desk.do(submit, ref=Ref("account", acme.id), values={**values, "industry": "Toys"})
    ref = find_ref(first, UNDO_CHANGE)
    with pytest.raises(NotAllowedError):
        desk.press(undo_change, ref, person=desk.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        desk.press(undo_change, ref, now=desk.now + timedelta(minutes=11))
    desk.now += LATER
    desk.do(submit, ref=Ref("account", acme.id), values={**values, "industry": "Toys", "seats": "5"})
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(undo_change, ref)
    with pytest.raises(StaleError, match="nothing to undo"):
        desk.press(undo_change, Ref("account", acme.id))
    assert (read(desk, acme).industry, read(desk, acme).seats) == ("Toys", 5)


def test_a_country_that_is_none_names_its_field(desk: Desk):
    desk.add_account("Acme")
    view = get_form(desk.do(edit, "acme"))
    with pytest.raises(UserError, match="no country") as refused:
        desk.do(submit, ref=view.ref, values={**initial_values(view), "country": "Atlantis"})
    assert refused.value.field == "country"


def test_country_and_start_are_typed_too(desk: Desk):
    assert "Added *Acme*" in desk.say(add, "Acme country 德国 since 2024-05-01")
    (row,) = desk.tx.session.exec(select(AccountRow))
    assert (row.country, row.started_on) == ("DE", date(2024, 5, 1))


def test_edit_without_a_name_asks_and_others_accounts_are_not_ones_own(desk: Desk):
    desk.add_account("Acme", owner_id=desk.person(Role.CSM, "U3", "Grace").id)
    assert "Which account?" in desk.say(edit)
    with pytest.raises(NotAllowedError, match="Grace"):
        desk.do(edit, "acme")
    with pytest.raises(NotAllowedError):
        desk.do(edit, "", person=desk.person(Role.VIEWER, "U4"))


# ---------------------------------------------------------------- archive


def test_archiving_asks_says_what_stops_and_closes_alerts_at_once(desk: Desk):
    acme = desk.add_account("Acme")
    add_episode(desk.tx, acme.id, kind=AlertKind.HEALTH_RED, facts={"score": 41.0})
    asked = desk.do(archive, "acme moved to <!channel>")
    text = shown(asked[0])
    for part in ("Archive *Acme*?", "reminders", "1 open alert is closed", "Reason: moved to &lt;!channel&gt;"):
        assert part in text
    assert read(desk, acme).archived_at is None
    done = desk.press(do_archive, find_ref(asked, ARCHIVE))
    assert "Archived *Acme*. 1 alert was closed." in get_message(done).text
    assert "1 archived account" in shown(desk.press(turn_page, find_ref(done, BACK))[0])
    assert read(desk, acme).archived_at == desk.now
    (episode,) = desk.tx.session.exec(select(EpisodeRow))
    assert (episode.state, episode.close_reason) == (EpisodeState.RESOLVED, "account_gone")
    assert "There are no accounts yet" in desk.say(list_)
    with pytest.raises(StaleError) as refused:
        desk.press(do_archive, Ref("account", acme.id), person=desk.person(Role.LEAD, "U2"))
    assert refused.value.values["who"] == "Ada"
    assert "is back" in shown(desk.press(do_restore, find_ref(done, RESTORE))[0])
    assert read(desk, acme).archived_at is None
    assert verbs(desk, acme) == ["account.added", "account.archived", "account.restored"]


def test_the_archived_are_listed_with_who_and_why_and_restored(desk: Desk):
    assert "No account is archived" in desk.say(restore)
    rows = [desk.add_account(f"Account {number:02}") for number in range(11)]
    for row in rows:
        desk.now += LATER
        desk.press(do_archive, Ref("account", row.id, {"reason": "gone"}))
    first = desk.do(restore)
    assert "11 archived accounts" in shown(first[0])
    assert "*Account 10* · archived 10 Mar 2026 09:11 · <@U0000001> · gone" in shown(first[0])
    assert "*Account 00*" not in shown(first[0])
    second = desk.press(turn_page, find_ref(first, MORE))
    assert "*Account 00*" in shown(second[0])
    assert "*Account 03* is back" in desk.say(restore, "account 03")
    assert read(desk, rows[3]).archived_at is None
    with pytest.raises(UserError, match="no archived account") as refused:
        desk.do(restore, "account 03 gmbh")
    assert refused.value.nearest
    with pytest.raises(StaleError, match="in use already"):
        desk.press(do_restore, Ref("account", rows[3].id))


def test_a_name_that_is_archived_says_how_to_bring_it_back(desk: Desk):
    acme = desk.add_account("Acme")
    desk.press(do_archive, Ref("account", acme.id))
    with pytest.raises(UserError, match="/cs restore"):
        desk.do(add, "Acme")


def test_rights_on_archiving_and_restoring(desk: Desk):
    acme = desk.add_account("Acme", owner_id=desk.person(Role.CSM, "U3", "Grace").id)
    ref, viewer = Ref("account", acme.id), desk.person(Role.VIEWER, "U4")
    for handle, text in ((archive, "acme"), (ask_archive, ""), (do_archive, "")):
        for person in (desk.person(), viewer):
            with pytest.raises(NotAllowedError):
                desk.do(handle, text, ref=ref, person=person)
    acme.archived_at = desk.now
    with pytest.raises(NotAllowedError, match="Grace"):
        desk.press(do_restore, ref)
    with pytest.raises(NotAllowedError, match="Grace"):
        desk.do(restore, "acme")
    with pytest.raises(StaleError, match="no longer exists"):
        desk.press(do_restore, Ref("account", "0" * 32))
    with pytest.raises(UserError, match="too long"):
        acme.archived_at = None
        desk.do(archive, "acme " + "x" * 301, person=desk.person(Role.LEAD, "U5"))
