"""What people see of alerts that nobody takes, and of those of which nothing is heard: reminder, lead's message, line
in the channel, question; the log of an account's alerts; and taking back a wrong click.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from commands.alerts import alerts
from commands.alerts.alert_lines import handle_line
from commands.alerts.alert_log import turn_log
from commands.alerts.alert_undo import undo
from commands.alerts.alert_views import render_alert_of
from commands.alerts.alert_waiting import (
    keep,
    render_escalation_of,
    render_history_of,
    render_lead_message_of,
    render_reminder_of,
    render_reminders_of,
)
from commands.slice import Message, Ref, Surface
from pipeline.wake import run_timers
from playground.blockkit.check import check_blocks
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import AlertKind, EpisodeState, Role, Severity
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow, get_episode, list_history
from storage.alerts.escalations import EscalationDigestRow
from storage.alerts.timers import list_due_timers
from storage.delivery.outbox import OutboxRow
from tests.alert_rows import add_account, add_episode, add_sent
from tests.commands.conftest import Desk, find_ref, get_message
from tests.commands.test_commands_alerts import drop_facts, ref_of, verbs
from tests.conftest import NOW
from words.reader import Reader

READER = Reader("en-US", "UTC")


@pytest.fixture
def episode(desk: Desk) -> EpisodeRow:
    """An open, posted alert of an account that nobody owns."""
    add_account(desk.tx, "acme")
    row = add_episode(desk.tx, "acme", facts=drop_facts(), level=23.0, severity=Severity.CRITICAL)
    add_sent(desk.tx, "alert", row.id)
    return row


def actions_of(said: Message | None) -> list[str]:
    assert said is not None
    check_blocks(list(said.blocks), "message")
    rows = [block["elements"] for block in said.blocks if block["type"] == "actions"]
    return [each["action_id"] for row in rows for each in row]


# ---------------------------------------------------------------- nobody takes it


@pytest.mark.parametrize(("level", "words"), [(1, "reminded"), (2, "it went to the lead"), (3, "it went to the team")])
def test_the_message_says_how_far_it_went(desk: Desk, episode: EpisodeRow, level: int, words: str):
    episode.escalated_to, episode.escalated_at = level, NOW
    said = render_alert_of(episode.id, desk.tx, READER)
    assert said is not None
    assert f"nobody has taken it, {words}" in said.text


@pytest.mark.parametrize("reason", ["budget", "channel"])
def test_a_reminder_of_what_a_digest_told_stands_by_itself(desk: Desk, episode: EpisodeRow, reason: str):
    episode.is_quiet, episode.quiet_reason, episode.quiet_count, episode.announced_at = True, reason, 3, None
    before = render_alert_of(episode.id, desk.tx, READER)
    assert before is not None
    assert "waits for the digest: 3" in before.text
    episode.escalated_to, episode.escalated_at = 1, NOW
    said = render_reminder_of(episode.id, desk.tx, READER)
    assert said is not None
    assert actions_of(said)[0] == "alerts.take"
    text = str(said.blocks)
    for part in ("Is it yours?", "*acme*", "nobody has taken it, reminded", "*Why*", "*Next*"):
        assert part in text, part
    assert "digest" not in text
    assert "thread" not in text
    episode.quiet_reason = "muted"
    muted = render_alert_of(episode.id, desk.tx, READER)
    assert muted is not None
    assert muted.text.endswith("— muted")


def test_a_reminder_of_many_shows_what_waits_for_its_reader_now(desk: Desk):
    me = desk.add_member("U0000009")
    more = {"is_quiet": True, "quiet_reason": "budget", "announced_at": None, "escalated_to": 1, "escalated_at": NOW}
    for each in range(25):
        plan = [{"level": 0, "at": ""}, {"level": 1, "at": "", "told": [me.id if each else "somebody else"]}]
        add_account(desk.tx, f"a{each}")
        add_episode(desk.tx, f"a{each}", facts=drop_facts(), severity=Severity.HIGH, escalation=plan, **more)
    said = render_reminders_of(me.id, desk.tx, READER)
    assert said is not None
    check_blocks(list(said.blocks), "message")
    assert said.text == "Nobody has taken 24 alerts yet. Are they yours?"
    assert "nobody has taken it, reminded" in str(said.blocks[1])
    assert "and 4 more: `/cs alerts`" in str(said.blocks[-1])
    for row in desk.tx.session.exec(select(EpisodeRow)):
        row.state = EpisodeState.ACKED
    assert render_reminders_of(me.id, desk.tx, READER) is None


def test_a_reminder_is_the_alert_with_its_buttons(desk: Desk, episode: EpisodeRow):
    said = render_reminder_of(episode.id, desk.tx, READER)
    assert said is not None
    assert said.text.startswith("Nobody has taken this alert yet. Is it yours? 🔴 *acme*")
    assert actions_of(said)[0] == "alerts.take"


@pytest.mark.parametrize("render", [render_reminder_of, render_escalation_of])
def test_what_was_not_sent_yet_is_dropped_once_somebody_has_it(desk: Desk, episode: EpisodeRow, render: Any):
    desk.press(alerts.take, ref_of(episode))
    assert render(episode.id, desk.tx, READER) is None
    add_sent(desk.tx, "alert_reminder", episode.id, seq=90)
    add_sent(desk.tx, "alert_escalation", episode.id, seq=91)
    said = render(episode.id, desk.tx, READER)
    assert "taken by <@U0000001>" in said.text
    assert actions_of(said) == []


def test_the_line_in_the_channel_can_be_taken(desk: Desk, episode: EpisodeRow):
    assert actions_of(render_escalation_of(episode.id, desk.tx, READER)) == ["alerts.take", "alerts.open"]


def test_the_leads_message_shows_what_waits_now(desk: Desk, episode: EpisodeRow):
    lead = desk.add_member("U0000009", Role.LEAD)
    told = EscalationDigestRow(workspace_id=desk.tx.workspace_id, member_id=lead.id, day=NOW.date(), created_at=NOW)
    desk.tx.session.add(told)
    episode.escalated_to, episode.escalated_at = 2, NOW
    for each in range(25):
        add_account(desk.tx, f"a{each}")
        add_episode(desk.tx, f"a{each}", facts=drop_facts(), escalated_to=2, escalated_at=NOW)
    said = render_lead_message_of(told.id, desk.tx, READER)
    assert said is not None
    check_blocks(list(said.blocks), "message")
    assert said.text.startswith("Nobody has taken 26 alerts")
    assert "and 6 more" in str(said.blocks[-1])
    assert "*acme*" in str(said.blocks[1])  # the critical one comes first
    for row in desk.tx.session.exec(select(EpisodeRow)):
        row.state = EpisodeState.ACKED
    assert render_lead_message_of(told.id, desk.tx, READER) is None
    assert render_lead_message_of("0" * 32, desk.tx, READER) is None


# ---------------------------------------------------------------- the question


@pytest.fixture
def asked(desk: Desk, episode: EpisodeRow) -> EpisodeRow:
    """Taken by Ada, who has been asked whether she is still on it."""
    desk.press(alerts.take, ref_of(episode))
    _ask(desk, episode)
    return episode


def _ask(desk: Desk, episode: EpisodeRow) -> None:
    from_now = desk.now + timedelta(days=9)
    desk.now = from_now
    row = get_episode(desk.tx, episode.id)
    row.timer_at = from_now - timedelta(days=1)
    desk.tx.session.add(row)
    desk.tx.session.flush()
    assert run_timers(desk.tx, list_due_timers(desk.tx, from_now), from_now) == {"asked": 1}


def _question(desk: Desk, episode: EpisodeRow) -> Message | None:
    line = next(each for each in list_history(desk.tx, episode.id) if each.verb == "asked")
    return render_history_of(line.id, desk.tx, READER)


def test_the_question_names_who_took_it_and_can_be_answered(desk: Desk, asked: EpisodeRow):
    said = _question(desk, asked)
    assert said is not None
    assert said.text.startswith("<@U0000001>: are you still on it?")
    assert actions_of(said) == ["alerts.keep", "alerts.resolve", "alerts.snooze"]
    alert = render_alert_of(asked.id, desk.tx, READER)
    assert alert is not None
    assert "still on it?" in alert.text


def test_who_was_given_it_since_is_the_one_asked(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.take, ref_of(episode))
    desk.press(alerts.submit_assign, ref_of(episode), values={"owner": "U0000009"})
    _ask(desk, episode)
    said = _question(desk, episode)
    assert said is not None
    assert said.text.startswith("<@U0000009>: are you still on it?")


def test_who_takes_what_was_assigned_to_another_is_the_one_asked(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.submit_assign, ref_of(episode), values={"owner": "U0000009"})
    desk.press(alerts.take, ref_of(episode))
    _ask(desk, episode)
    said = _question(desk, episode)
    assert said is not None
    assert said.text.startswith("<@U0000001>: are you still on it?")


def test_an_answer_takes_the_buttons_away(desk: Desk, asked: EpisodeRow):
    assert list(desk.press(keep, ref_of(asked), surface=Surface.MESSAGE)) == []
    assert verbs(desk, asked) == ["taken", "asked", "kept"]
    said = _question(desk, asked)
    assert said is not None
    assert said.text.startswith("<@U0000001>")
    assert actions_of(said) == []
    with pytest.raises(StaleError, match="Nobody is waiting for this answer"):
        desk.press(keep, ref_of(asked))
    line = list_history(desk.tx, asked.id)[1]
    rows = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.reference == line.id)).all()
    assert [row.is_update for row in rows] == [False]  # it is still queued, and will be drawn as it is then


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CSM])
def test_only_who_may_act_on_it_may_answer(desk: Desk, asked: EpisodeRow, role: Role):
    account = desk.tx.session.get(AccountRow, "acme")
    assert account is not None
    account.owner_id = desk.person().id
    desk.tx.session.add(account)
    stranger = desk.person(role, "U0000077", "Eve")
    with pytest.raises(NotAllowedError):
        desk.press(keep, ref_of(asked), person=stranger)
    with pytest.raises(NotAllowedError):
        desk.press(undo, ref_of(asked, version="2"), person=stranger)


# ---------------------------------------------------------------- taking back


@pytest.mark.parametrize(
    ("handle", "values", "verb"),
    [
        (alerts.take, {}, "taken"),
        (alerts.resolve, {}, "resolved"),
        (alerts.submit_dismiss, {"reason": "known"}, "dismissed"),
    ],
)
def test_a_wrong_click_is_taken_back_from_the_answer(
    desk: Desk, episode: EpisodeRow, handle: Any, values: dict[str, str], verb: str
):
    [whisper] = desk.press(handle, ref_of(episode), surface=Surface.MESSAGE, values=values)
    back = find_ref([whisper], "alerts.undo")
    said = get_message(desk.press(undo, back))
    assert said.text.startswith("🔴")
    row = get_episode(desk.tx, episode.id)
    assert (row.state, row.taken_by, row.closed_at, row.is_latched) == (EpisodeState.OPEN, None, None, False)
    assert (row.close_reason, row.closed_by) == ("", None)
    assert verbs(desk, episode) == [verb, "undone"]
    assert row.epoch == 3
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo, back)


def test_a_late_or_foreign_or_outdated_undo_is_refused(desk: Desk, episode: EpisodeRow):
    back = find_ref(desk.press(alerts.take, ref_of(episode)), "alerts.undo")
    with pytest.raises(NotAllowedError, match="Only the person who did this"):
        desk.press(undo, back, person=desk.person(slack_id="U0000055", name="Bo"))
    with pytest.raises(StaleError, match="10 minutes only"):
        desk.press(undo, back, now=NOW + timedelta(minutes=11))
    desk.press(alerts.resolve, ref_of(episode))
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(undo, back)
    assert verbs(desk, episode) == ["taken", "resolved"]


def test_nothing_else_can_be_taken_back(desk: Desk, episode: EpisodeRow):
    with pytest.raises(StaleError):
        desk.press(undo, ref_of(episode, version="1"))
    desk.press(alerts.snooze, ref_of(episode, days="3"))
    with pytest.raises(StaleError, match="something happened"):
        desk.press(undo, ref_of(episode, version="2"))


# ---------------------------------------------------------------- the log


def test_the_log_tells_all_that_happened_to_all_alerts_of_an_account(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.take, ref_of(episode))
    desk.press(alerts.resolve, ref_of(episode))
    other = add_episode(desk.tx, "acme", kind=AlertKind.SILENCE, facts={"last_use": "2026-02-17", "working_days": 14})
    desk.press(alerts.take, ref_of(other))
    add_account(desk.tx, "bolt")
    elsewhere = add_episode(desk.tx, "bolt", facts=drop_facts())
    desk.press(alerts.take, ref_of(elsewhere))
    said = desk.say(handle_line, "log acme")
    assert "*acme*: 3 entries about its alerts" in said
    assert "health fell · Resolved · <@U0000001>" in said
    assert "silence · Taken · <@U0000001>" in said


def test_a_long_log_has_pages(desk: Desk, episode: EpisodeRow):
    for each in range(14):
        desk.now = NOW + timedelta(minutes=each)
        desk.press(alerts.snooze, ref_of(episode, days="3"))
    first = desk.do(handle_line, "log acme")
    assert len(get_message(first).blocks) == 15
    second = desk.press(turn_log, find_ref(first, "alerts.log_more"))
    assert len(get_message(second).blocks) == 5
    assert find_ref(second, "alerts.log_back").extra["page"] == "1"


def test_a_log_of_nothing_says_so(desk: Desk):
    add_account(desk.tx, "calm")
    assert "It never had an alert" in desk.say(handle_line, "log calm")
    with pytest.raises(UserError, match="I know no account"):
        desk.do(handle_line, "log zzzzqqq")
    with pytest.raises(UserError):
        desk.press(turn_log, Ref("account", "0" * 32))
