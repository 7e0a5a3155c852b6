"""What people see of noise control: why an alert waits, mutes and their list, settings with what is inherited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.alerts.alert_lines import get_access, handle_line
from commands.alerts.alert_views import render_alert_of
from commands.alerts.mute_views import LENGTH, NEXT
from commands.alerts.mutes import turn_page
from commands.alerts.noise import reset, submit
from commands.blocks.alert_noise import quiet_words
from commands.slice import Ref
from rules.alerts.mutes import AddMute, Scope
from rules.errors import NotAllowedError, UserError
from rules.records import Actor, AlertKind, QuietReason, Role
from storage.alerts.alerts import EpisodeRow
from storage.alerts.mutes import apply_mute, list_active
from storage.alerts.noise_settings import get_noise_settings
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, find_ref, get_form, initial_values
from words.reader import Reader

FACTS: dict[str, Any] = {"score": 31.0, "day": "2026-03-09", "data_day": "2026-03-09"}
ACTOR = Actor("import", "test")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"is_quiet": True}, "for digests only"),
        (
            {"is_quiet": True, "quiet_reason": "budget", "quiet_count": 3},
            "waits for the digest: 3 alerts that day already",
        ),
        (
            {"is_quiet": True, "quiet_reason": "budget", "quiet_count": 1},
            "waits for the digest: 1 alert that day already",
        ),
        ({"is_quiet": True, "quiet_reason": "channel", "quiet_count": 10}, "waits for the digest: 10 messages"),
        ({"is_quiet": True, "quiet_reason": "muted"}, "muted"),
    ],
)
def test_an_alert_says_why_it_waits(values: dict[str, Any], words: str):
    row = EpisodeRow(workspace_id="w", account_id="a", kind=AlertKind.SILENCE, rule_version="1", **values)
    assert quiet_words(Reader(), row).startswith(words)
    assert bool(quiet_words(Reader(), row)) == bool(words)


@pytest.mark.parametrize("reason", list(QuietReason))
def test_every_reason_has_words_of_its_own(reason: QuietReason):
    rows = [
        EpisodeRow(workspace_id="w", account_id="a", rule_version="1", is_quiet=True, quiet_reason=each, quiet_count=2)
        for each in {*QuietReason} - {QuietReason.DIGEST_KIND}
    ]
    assert len({quiet_words(Reader(), row) for row in rows}) == len(rows)
    assert reason.value not in {quiet_words(Reader(), row) for row in rows} or reason is QuietReason.MUTED


def test_a_message_holds_the_other_alerts_of_its_account(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    lead = add_episode(desk.tx, account.id, kind=AlertKind.HEALTH_RED, facts=FACTS)
    other = add_episode(
        desk.tx,
        account.id,
        kind=AlertKind.SILENCE,
        told_with=lead.id,
        facts={"last_use": "2026-02-01", "working_days": 20},
    )
    said = render_alert_of(lead.id, desk.tx, Reader())
    assert said is not None
    assert "1 more of this account" in said.text
    assert other.id in str(said.blocks)
    other.closed_at = desk.now
    desk.tx.session.flush()
    closed = render_alert_of(lead.id, desk.tx, Reader())
    assert closed is not None
    assert other.id not in str(closed.blocks)


@pytest.mark.parametrize(
    ("typed", "access"),
    [
        ("mute acme until 1 Sep", "writes"),
        ("mute acme", "reads"),
        ("mute", "reads"),
        ("unmute", "reads"),
        ("unmute acme", "writes"),
        ("mutes", "reads"),
        ("settings mine", "reads"),
    ],
)
def test_only_what_changes_something_waits_for_a_writer(typed: str, access: str):
    assert get_access(typed) == access


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        ("all until 20 Mar", Scope()),
        ("silence until 20 Mar too many", Scope(kind=AlertKind.SILENCE)),
        ("health_red until 20 Mar", Scope(kind=AlertKind.HEALTH_RED)),
        ("target behind for 10 days", Scope(kind=AlertKind.TARGET_BEHIND)),
    ],
)
def test_a_lead_mutes_a_kind_or_everything(desk: Desk, typed: str, scope: Scope):
    desk.do(handle_line, f"mute {typed}", person=desk.person(Role.LEAD))
    [mute] = list_active(desk.tx, desk.now)
    assert mute.scope == scope


def test_a_csm_mutes_their_own_account_alone(desk: Desk):
    desk.add_account(owner_id=desk.person().id)
    desk.do(handle_line, "mute acme until 20 Mar merger")
    [mute] = list_active(desk.tx, desk.now)
    assert mute.scope.account_id is not None
    with pytest.raises(NotAllowedError):
        desk.do(handle_line, "mute silence until 20 Mar")


def test_ninety_days_are_the_most(desk: Desk):
    desk.add_account(owner_id=desk.person().id)
    with pytest.raises(UserError, match="90 days"):
        desk.do(handle_line, "mute acme until 2026-07-01")
    assert list_active(desk.tx, desk.now) == []


def test_the_list_of_mutes_has_pages(desk: Desk):
    for number in range(LENGTH + 1):
        until = desk.now + timedelta(days=number + 1)
        apply_mute(desk.tx, AddMute(Scope(), until, f"reason {number:02}"), ACTOR, desk.now)
    first = desk.do(handle_line, "mutes")
    assert ("reason 00" in str(first), "reason 10" in str(first)) == (True, False)
    assert "reason 10" in str(desk.press(turn_page, find_ref(first, NEXT)))


def test_settings_are_inherited_and_reset(desk: Desk):
    person = desk.person()
    values = {"owner_daily": "1", "at_once_from": "high", "digest_tiers": "usual"}
    desk.do(submit, ref=Ref("noise", person.id), values=values)
    home, own = get_noise_settings(desk.tx)
    assert (home.owner_daily, own[person.id].owner_daily, own[person.id].digest_tiers) == (3, 1, home.digest_tiers)
    assert initial_values(get_form(desk.do(handle_line, "settings mine")))["owner_daily"] == "1"
    assert get_form(desk.do(handle_line, "settings")) == get_form(desk.do(handle_line, "settings mine"))
    desk.press(reset, Ref("noise", person.id))
    assert get_noise_settings(desk.tx)[1].get(person.id, home) == home


def test_a_lead_who_names_nobody_sets_the_workspace(desk: Desk):
    form = get_form(desk.do(handle_line, "settings", person=desk.person(Role.LEAD)))
    assert form.ref == Ref("noise", "")


@pytest.mark.parametrize(("field", "value"), [("owner_daily", "51"), ("owner_daily", "-1"), ("owner_daily", "2.5")])
def test_a_setting_out_of_range_names_its_field(desk: Desk, field: str, value: str):
    with pytest.raises(UserError) as error:
        desk.do(submit, ref=Ref("noise", desk.person().id), values={field: value})
    assert error.value.field == field
