"""Alerts in people's hands: each button, form and typed verb, its stored change, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from commands.alerts import alerts
from commands.alerts.alert_lines import handle_line
from commands.alerts.alert_views import render_alert_of, render_event_of, render_summary_of
from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import render_alert
from commands.blocks.targets import LOG_VALUE
from commands.slice import Call, OpenForm, Ref, Surface
from playground.blockkit.check import check_blocks
from rules.alerts.evidence import Evidence
from rules.alerts.health_signals import observe_drop
from rules.errors import NotAllowedError, StaleError, UserError
from rules.health.drops import Comparison, compare
from rules.health.health import DayScore
from rules.records import AlertKind, Band, EpisodeState, Role, Severity
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow, get_episode, list_history
from storage.audit import AuditRow
from storage.delivery.outbox import OutboxRow
from storage.renewals.contracts import ContractRow
from tests.alert_rows import add_account, add_episode, add_sent
from tests.commands.conftest import Desk, find_ref, get_form, get_message, shown
from tests.conftest import NOW
from words.reader import Reader

TODAY = date(2026, 3, 10)
READER = Reader("en-US", "UTC")


def drop_facts(before: float = 72, after: float = 49) -> dict[str, Any]:
    """Facts as the rule writes them."""
    days = {}
    for day, x, band in ((TODAY - timedelta(days=9), before, Band.YELLOW), (TODAY, after, Band.RED)):
        days[day] = DayScore(day, x, band, 0.85, "", {"trend": (x, 15.0), "targets": (x, 20.0)})
    return dict(observe_drop(Evidence(TODAY, days)).facts)


@pytest.fixture
def episode(desk: Desk) -> EpisodeRow:
    """An open, posted alert of an account that nobody owns."""
    add_account(desk.tx, "acme")
    row = add_episode(desk.tx, "acme", facts=drop_facts(), level=23.0, severity=Severity.CRITICAL)
    add_sent(desk.tx, "alert", row.id)
    return row


def ref_of(row: EpisodeRow, **extra: str) -> Ref:
    return Ref("episode", row.id, extra)


def verbs(desk: Desk, row: EpisodeRow) -> list[str]:
    return [line.verb for line in list_history(desk.tx, row.id)]


def queued(desk: Desk) -> list[tuple[str, bool]]:
    rows = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.state == "queued"))
    return sorted((row.kind, row.is_update) for row in rows)


# ---------------------------------------------------------------- the message


def test_the_message_says_what_why_and_what_next(desk: Desk, episode: EpisodeRow):
    desk.tx.session.add(
        ContractRow(
            workspace_id=desk.tx.workspace_id,
            external_id="c1",
            account_id="acme",
            start_on=date(2025, 6, 1),
            end_on=date(2026, 5, 31),
            yearly_minor=8_400_000,
        )
    )
    said = render_alert_of(episode.id, desk.tx, READER)
    assert said is not None
    assert said.text == "🔴 *acme* health fell 72 → 49 in 9 days"
    text = "\n".join(_shown_texts(list(said.blocks)))
    assert "no owner · renews 31 May 2026 · €84k" in text
    assert "= −23" in text
    assert "rule drop-1" in text
    assert "coverage 85%" in text.replace("\u202f", "").replace("\xa0", "").replace(" %", "%")
    assert {each["action_id"] for each in said.blocks[-1]["elements"]} == {
        "alerts.take",
        "alerts.snooze",
        "alerts.more",
    }
    check_blocks(list(said.blocks), "message")


def _shown_texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in _shown_texts(value)]
    if isinstance(node, list):
        return [text for each in node for text in _shown_texts(each)]
    return [node] if isinstance(node, str) else []


@given(st.floats(50, 100), st.floats(0, 49), st.floats(0, 100), st.sampled_from(["", "overdue", "notice"]))
def test_the_contributions_shown_add_up_to_the_first_line(before: float, after: float, other: float, cap: str):
    earlier = DayScore(TODAY - timedelta(days=3), before, Band.GREEN, 1.0, "", {"trend": (before, 15.0)})
    later_factors = {"trend": (after, 15.0)}
    later = DayScore(TODAY, after, Band.RED, 1.0, cap, later_factors)
    compared = compare(earlier, later)
    assert isinstance(compared, Comparison)
    seen = observe_drop(Evidence(TODAY, {earlier.day: earlier, later.day: later}))
    row = EpisodeRow(
        workspace_id="w",
        account_id="a",
        kind=AlertKind.HEALTH_DROP,
        severity=Severity.HIGH,
        rule_version="drop-1",
        opened_at=NOW,
        facts=dict(seen.facts),
    )
    view = AlertView(row, AccountRow(workspace_id="w", name="<!channel> & co", slug="x", created_at=NOW))
    said = render_alert(READER, view)
    why = next(text for text in _shown_texts(list(said.blocks)) if text.startswith("*Why*"))
    parts = why.split("  ", 1)[1].split("  = ")
    points = [_points(part) for part in parts[0].split(" · ")]
    assert sum(points) == int(parts[1].replace("−", "-").replace("+", ""))
    assert "<!channel>" not in said.text
    check_blocks(list(said.blocks), "message")


def _points(part: str) -> int:
    """The signed number of a contribution such as "Targets −12 (80 → 20)"."""
    word = next(each for each in reversed(part.split(" (", maxsplit=1)[0].split()) if each.lstrip("−+").isdigit())
    return int(word.replace("−", "-").replace("+", ""))


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (AlertKind.HEALTH_RED, {"score": 41.0, "day": "2026-03-10", "capped_by": "overdue", "factors": []}),
        (AlertKind.SILENCE, {"last_use": "2026-02-17", "data_day": "2026-03-09", "working_days": 14}),
    ],
)
@pytest.mark.parametrize("state", list(EpisodeState))
def test_every_kind_in_every_state_fits_slack(desk: Desk, kind: AlertKind, facts: dict[str, Any], state: EpisodeState):
    add_account(desk.tx, "acme")
    ada = desk.add_member()
    is_closed = state in (EpisodeState.RESOLVED, EpisodeState.DISMISSED)
    row = add_episode(
        desk.tx,
        "acme",
        kind=kind,
        facts=facts,
        state=state,
        taken_by=ada.id,
        taken_at=NOW,
        snoozed_until=NOW,
        closed_at=NOW if is_closed else None,
        closed_by=ada.id if is_closed else None,
        close_reason="known" if state is EpisodeState.DISMISSED else "",
        close_note="x" * 3000,
    )
    said = render_alert_of(row.id, desk.tx, READER)
    assert said is not None
    check_blocks(list(said.blocks), "message")
    assert len(said.blocks) == (1 if is_closed else 5)


def test_an_alert_that_is_gone_renders_nothing(desk: Desk):
    assert render_alert_of("nothing", desk.tx, READER) is None
    assert render_summary_of("nothing", desk.tx, READER) is None
    assert render_event_of("nothing", desk.tx, READER) is None


# ---------------------------------------------------------------- buttons


def test_take(desk: Desk, episode: EpisodeRow):
    [whisper] = desk.press(alerts.take, ref_of(episode), surface=Surface.MESSAGE)
    assert find_ref([whisper], "alerts.undo").extra == {"version": "2"}
    row = get_episode(desk.tx, episode.id)
    assert (row.state, row.taken_at, row.version, row.epoch) == (EpisodeState.ACKED, NOW, 2, 2)
    assert verbs(desk, episode) == ["taken"]
    assert queued(desk) == [("alert", True), ("alert_event", False)]
    said = render_alert_of(episode.id, desk.tx, READER)
    assert said is not None
    assert said.text.startswith("🟠 *acme* health fell 72 → 49 in 9 days — taken by <@U0000001>")
    assert [each["action_id"] for each in said.blocks[-1]["elements"]] == [
        LOG_VALUE,
        "alerts.resolve",
        "alerts.snooze",
        "alerts.more",
    ]


def test_a_second_take_says_who_was_first(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.take, ref_of(episode))
    with pytest.raises(StaleError, match="already taken by Ada"):
        desk.press(alerts.take, ref_of(episode), person=desk.person(slack_id="U0000002", name="Bo"))
    with pytest.raises(StaleError, match="You took this alert already"):
        desk.press(alerts.take, ref_of(episode))
    assert verbs(desk, episode) == ["taken"]


def test_my_own_copy_changes_in_place(desk: Desk, episode: EpisodeRow):
    said = get_message(desk.press(alerts.take, ref_of(episode)))
    assert "taken by" in said.text


def test_resolve_is_one_grey_line(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.resolve, ref_of(episode))
    row = get_episode(desk.tx, episode.id)
    assert (row.state, row.is_latched, row.closed_at) == (EpisodeState.RESOLVED, True, NOW)
    said = render_alert_of(episode.id, desk.tx, READER)
    assert said is not None
    assert [block["type"] for block in said.blocks] == ["context"]


@pytest.mark.parametrize("handle", [alerts.take, alerts.resolve, alerts.snooze], ids=["take", "resolve", "snooze"])
def test_old_buttons_of_a_closed_alert(desk: Desk, episode: EpisodeRow, handle: Any):
    desk.press(alerts.resolve, ref_of(episode))
    with pytest.raises(StaleError, match="resolved by"):
        desk.press(handle, ref_of(episode, days="1"))
    assert verbs(desk, episode) == ["resolved"]


def test_snooze_by_the_menu(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.snooze, ref_of(episode, days="3"))
    row = get_episode(desk.tx, episode.id)
    assert (row.state, row.snoozed_until) == (EpisodeState.SNOOZED, NOW + timedelta(days=3))


def test_snooze_until_opens_a_form_that_snoozes(desk: Desk, episode: EpisodeRow):
    view = get_form(desk.press(alerts.snooze, ref_of(episode, days="until"), surface=Surface.MESSAGE))
    values = {"until": "2026-03-20", "note": "fair"}
    said = desk.say(alerts.submit_snooze, ref=view.ref, values=values, surface=Surface.FORM)
    assert "snoozed until 20 Mar 2026" in said
    assert list_history(desk.tx, episode.id)[-1].note == "fair"


@pytest.mark.parametrize(
    ("until", "match"),
    [
        ("2026-03-10", "in the future"),
        ("2026-04-12", "30 days at most"),
        ("2026-03-25", "decided on 2026-03-24"),
        ("gibberish", "gibberish"),
    ],
)
def test_a_snooze_out_of_range(desk: Desk, episode: EpisodeRow, until: str, match: str):
    contract = {"external_id": "c1", "account_id": "acme", "start_on": date(2025, 4, 1), "end_on": date(2026, 6, 1)}
    desk.tx.session.add(ContractRow(workspace_id=desk.tx.workspace_id, notice_by=date(2026, 3, 24), **contract))
    with pytest.raises(UserError, match=match) as caught:
        desk.press(alerts.submit_snooze, ref_of(episode), values={"until": until}, surface=Surface.FORM)
    assert caught.value.field == "until"
    assert verbs(desk, episode) == []


def test_assign_by_the_form(desk: Desk, episode: EpisodeRow):
    view = get_form(desk.press(alerts.choose_more, ref_of(episode, do="assign")))
    desk.do(alerts.submit_assign, ref=view.ref, values={"owner": "U0000009"}, surface=Surface.FORM)
    row = get_episode(desk.tx, episode.id)
    assert row.owner_id == desk.add_member("U0000009").id
    assert row.state is EpisodeState.OPEN
    with pytest.raises(UserError, match="Choose who"):
        desk.do(alerts.submit_assign, ref=view.ref, values={}, surface=Surface.FORM)


def test_dismiss_needs_a_reason_and_words_for_another_one(desk: Desk, episode: EpisodeRow):
    view = get_form(desk.press(alerts.choose_more, ref_of(episode, do="dismiss")))
    with pytest.raises(UserError, match="Choose a reason") as caught:
        desk.do(alerts.submit_dismiss, ref=view.ref, values={}, surface=Surface.FORM)
    assert caught.value.field == "reason"
    with pytest.raises(UserError, match="few words") as caught:
        desk.do(alerts.submit_dismiss, ref=view.ref, values={"reason": "other", "note": "  "}, surface=Surface.FORM)
    assert caught.value.field == "note"
    values = {"reason": "other", "note": "merger"}
    said = desk.say(alerts.submit_dismiss, ref=view.ref, values=values, surface=Surface.FORM)
    assert "dismissed by <@U0000001>: another reason (merger)" in said
    row = get_episode(desk.tx, episode.id)
    assert (row.state, row.close_reason, row.close_note) == (EpisodeState.DISMISSED, "other", "merger")


def test_resolve_with_a_note(desk: Desk, episode: EpisodeRow):
    view = get_form(desk.press(alerts.choose_more, ref_of(episode, do="resolve")))
    desk.do(alerts.submit_resolve, ref=view.ref, values={"note": "trained them"}, surface=Surface.FORM)
    assert get_episode(desk.tx, episode.id).close_note == "trained them"


def test_why_shows_the_whole_sum_and_the_history(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.take, ref_of(episode))
    view = get_form(desk.press(alerts.choose_more, ref_of(episode, do="why")))
    text = shown(OpenForm(view))
    assert "(49 − 72) × 20 / 35 = −13.1" in text
    assert "Taken" in text
    assert view.submit == ""


def test_open_account_and_open_alert(desk: Desk, episode: EpisodeRow):
    assert "/cs show acme" in desk.say(alerts.choose_more, ref=ref_of(episode, do="account"))
    assert get_message(desk.press(alerts.open_alert, ref_of(episode))).text.startswith("🔴")


@pytest.mark.parametrize("do", ["", "fly"])
def test_a_menu_of_another_version(desk: Desk, episode: EpisodeRow, do: str):
    with pytest.raises(StaleError, match="older version"):
        desk.press(alerts.choose_more, ref_of(episode, do=do))


HANDLERS = [
    alerts.take,
    alerts.resolve,
    alerts.snooze,
    alerts.choose_more,
    alerts.submit_snooze,
    alerts.submit_assign,
    alerts.submit_dismiss,
    alerts.submit_resolve,
]
VALUES = {"until": "2026-03-20", "owner": "U0000002", "reason": "known", "note": ""}


@pytest.mark.parametrize("handle", HANDLERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize(("role", "is_owned"), [(Role.VIEWER, False), (Role.CSM, True)])
def test_without_rights_nothing_happens(desk: Desk, episode: EpisodeRow, handle: Any, role: Role, is_owned: bool):
    if is_owned:
        _give(desk, episode, desk.add_member("U0000005", name="Eve").id)
    person = desk.person(role, "U0000003", "Cy")
    with pytest.raises(NotAllowedError):
        desk.press(handle, ref_of(episode, days="1", do="dismiss"), person=person, values=VALUES)
    assert verbs(desk, episode) == []
    assert get_episode(desk.tx, episode.id).version == 1


def _give(desk: Desk, episode: EpisodeRow, owner_id: str) -> None:
    account = desk.tx.session.get(AccountRow, episode.account_id)
    assert account is not None
    account.owner_id = owner_id
    desk.tx.session.add(account)
    desk.tx.session.flush()


def test_a_lead_and_whom_it_is_assigned_to_may_act(desk: Desk, episode: EpisodeRow):
    _give(desk, episode, desk.add_member("U0000005", name="Eve").id)
    cy = desk.person(Role.CSM, "U0000003", "Cy")
    lead = desk.person(Role.LEAD, "U0000004", "Di")
    desk.press(alerts.submit_assign, ref_of(episode), person=lead, values={"owner": "U0000003"})
    desk.press(alerts.take, ref_of(episode), person=cy)
    assert verbs(desk, episode) == ["assigned", "taken"]


@pytest.mark.parametrize("handle", HANDLERS, ids=lambda each: each.__name__)
def test_a_button_of_what_is_gone(desk: Desk, episode: EpisodeRow, handle: Any):
    for ref in (Ref("episode", "f" * 32), Ref("account", episode.id)):
        with pytest.raises(UserError, match="no longer exists"):
            desk.press(handle, ref, values=VALUES)
    account = desk.tx.session.get(AccountRow, "acme")
    assert account is not None
    account.archived_at = NOW
    desk.tx.session.add(account)
    with pytest.raises(UserError, match="no longer exists"):
        desk.press(handle, ref_of(episode), values=VALUES)
    assert desk.tx.session.exec(select(AlertEventRow)).all() == []


def test_every_change_is_audited(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.take, ref_of(episode))
    desk.press(alerts.resolve, ref_of(episode))
    rows = desk.tx.session.exec(select(AuditRow).where(AuditRow.object_id == episode.id)).all()
    assert [(row.verb, row.actor_kind) for row in rows] == [("alert.taken", "member"), ("alert.resolved", "member")]


# ---------------------------------------------------------------- typed


def test_an_empty_list_says_so(desk: Desk):
    assert "Nothing needs you" in desk.say(handle_line)
    assert "0 closed alerts" in desk.say(handle_line, "closed")


def test_lists_of_mine_all_an_account_and_closed(desk: Desk, episode: EpisodeRow):
    me = desk.person()
    add_account(desk.tx, "bolt")
    add_episode(desk.tx, "bolt", facts=drop_facts(), owner_id=me.id)
    assert "1 open alert of yours" in desk.say(handle_line)
    assert "2 open alerts" in desk.say(handle_line, "all")
    assert "acme: 1 open alert" in desk.say(handle_line, "acme")
    desk.press(alerts.resolve, ref_of(episode))
    assert "1 closed alert" in desk.say(handle_line, "closed")
    assert "acme: 0 open alerts" in desk.say(handle_line, "acme")


def test_a_long_list_has_pages(desk: Desk):
    for each in range(23):
        add_account(desk.tx, f"a{each}")
        add_episode(desk.tx, f"a{each}", facts=drop_facts())
    first = desk.do(handle_line, "all")
    assert len(get_message(first).blocks) == 13
    second = desk.press(alerts.turn_page, find_ref(first, "alerts.next"))
    third = desk.press(alerts.turn_page, find_ref(second, "alerts.next"))
    assert len(get_message(third).blocks) == 6
    assert find_ref(third, "alerts.back").extra["page"] == "2"


def test_take_resolve_snooze_and_assign_by_words(desk: Desk, episode: EpisodeRow):
    assert "taken by" in desk.say(handle_line, "take acme")
    assert "snoozed until 13 Mar 2026" in desk.say(handle_line, "snooze acme 13 Mar holidays")
    desk.say(handle_line, "assign acme <@U0000009|zed>")
    assert "resolved by" in desk.say(handle_line, "resolve acme called them")
    assert verbs(desk, episode) == ["taken", "snoozed", "assigned", "resolved"]
    assert [line.note for line in list_history(desk.tx, episode.id)] == ["", "holidays", "", "called them"]


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("snooze acme", "alerts.snooze_form"),
        ("assign acme", "alerts.assign_form"),
        ("dismiss acme old news", "alerts.dismiss_form"),
    ],
)
def test_missing_words_open_the_form(desk: Desk, episode: EpisodeRow, line: str, form: str):
    assert get_form(desk.do(handle_line, line)).form == form


def test_words_about_nothing(desk: Desk, episode: EpisodeRow):
    add_account(desk.tx, "calm")
    with pytest.raises(UserError, match="calm has no open alert"):
        desk.do(handle_line, "take calm")
    with pytest.raises(UserError, match="I know no account"):
        desk.do(handle_line, "take zzzzqqq")
    with pytest.raises(UserError, match="I know no account"):
        desk.do(handle_line, "zzzzqqq")


def test_several_alerts_of_an_account_are_shown_to_choose_from(desk: Desk, episode: EpisodeRow):
    add_episode(desk.tx, "acme", kind=AlertKind.SILENCE, facts={"last_use": "2026-02-17", "working_days": 14})
    assert "acme: 2 open alerts" in desk.say(handle_line, "take acme")
    assert verbs(desk, episode) == []


# ---------------------------------------------------------------- summaries and threads


def test_a_summary_of_many_fits_slack_and_says_how_many_more(desk: Desk):
    for each in range(30):
        add_account(desk.tx, f"a{each}")
        add_episode(desk.tx, f"a{each}", facts=drop_facts(), summary_id="s1")
    said = render_summary_of("s1", desk.tx, READER)
    assert said is not None
    check_blocks(list(said.blocks), "message")
    assert said.text == "30 new alerts at once"
    assert "and 10 more: `/cs alerts`" in _shown_texts(list(said.blocks))


def test_a_summary_follows_what_people_do(desk: Desk):
    add_account(desk.tx, "acme")
    row = add_episode(desk.tx, "acme", facts=drop_facts(), summary_id="s1", batch="first")
    add_sent(desk.tx, "alert_summary", "s1")
    desk.press(alerts.take, ref_of(row))
    assert queued(desk) == [("alert_summary", True)]
    said = render_summary_of("s1", desk.tx, READER)
    assert said is not None
    assert any("taken by" in text for text in _shown_texts(list(said.blocks)))


def test_the_thread_says_who_did_what(desk: Desk, episode: EpisodeRow):
    desk.press(alerts.submit_assign, ref_of(episode), values={"owner": "U0000009"})
    [line] = list_history(desk.tx, episode.id)
    said = render_event_of(line.id, desk.tx, READER)
    assert said is not None
    assert said.text == "Assigned → <@U0000009> · <@U0000001>"


def test_handlers_need_no_reference_to_answer_in_words(desk: Desk):
    call: Call = desk.call()
    with pytest.raises(UserError):
        alerts.take(call, desk.tx)
