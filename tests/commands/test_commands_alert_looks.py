"""Every kind of alert as people see it, made by its own rule from whatever names people give to things."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.blocks.alert_looks import Look
from commands.blocks.alert_why import Case, render_why
from commands.blocks.alerts import LOOKS, alert_line, render_alert
from playground.blockkit.check import check_blocks
from rules.alerts.signals import RULE_OF
from rules.records import AlertKind, EpisodeState
from storage.alerts.alerts import AlertEventRow
from tests.alert_kinds import READERS, WORST, list_bad, list_texts, view_of
from tests.conftest import NOW
from words.reader import Reader


def test_every_kind_has_a_look_and_is_seen_here():
    assert set(LOOKS) == set(AlertKind)
    assert {each.kind for each in list_bad("Name")} == set(AlertKind)


NAMES = st.text(max_size=200) | st.just(WORST) | st.sampled_from(["<!here>", "&", "*", "@ada", "a\nb", " "])


@settings(max_examples=25, deadline=None)
@given(name=NAMES, state=st.sampled_from(list(EpisodeState)), reader=st.sampled_from(READERS))
def test_any_text_fits_slack_and_addresses_nobody(name: str, state: EpisodeState, reader: Reader):
    for seen in list_bad(name):
        view = view_of(seen, name, state)
        said = render_alert(reader, view)
        check_blocks(list(said.blocks), "message")
        assert 0 < len(said.text) <= 4000
        why = render_why(reader, Case(view, history=[_history(name)]))
        check_blocks(why, "modal")
        texts = "\n".join([said.text, *list_texts(list(said.blocks)), *list_texts(why)])
        assert "<!" not in texts
        assert "<http" not in texts


def _history(note: str) -> AlertEventRow:
    return AlertEventRow(
        workspace_id="w", episode_id="e", at=NOW, actor_kind="job", actor_id="scan", verb="opened", note=note
    )


@pytest.mark.parametrize("state", [EpisodeState.OPEN, EpisodeState.ACKED, EpisodeState.SNOOZED])
@pytest.mark.parametrize("kind", list(AlertKind))
def test_own_buttons_come_first_and_one_is_primary(kind: AlertKind, state: EpisodeState):
    seen = next(each for each in list_bad("Name") if each.kind is kind)
    view = view_of(seen, "Acme", state)
    elements = render_alert(READERS[0], view).blocks[-1]["elements"]
    assert sum(each.get("style") == "primary" for each in elements) == 1
    ids = [each["action_id"] for each in elements]
    assert ids[-2:] == ["alerts.snooze", "alerts.more"]
    own = [each.action_id for each in LOOKS[kind].buttons(READERS[0], view)]
    assert ids[: len(own)] == own
    assert ("alerts.resolve" in ids) == (state is EpisodeState.ACKED)
    assert ("alerts.take" in ids) == (state is not EpisodeState.ACKED)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_the_first_line_names_the_account_and_the_rule_is_told(kind: AlertKind):
    seen = next(each for each in list_bad("Conversion") if each.kind is kind)
    view, look = view_of(seen, "Acme"), LOOKS[kind]
    assert isinstance(look, Look)
    assert "*Acme*" in alert_line(READERS[0], view)
    assert "\n" not in alert_line(READERS[0], view)
    why = "\n".join(list_texts(render_why(READERS[0], Case(view, history=[_history("")]))))
    assert look.rule(READERS[0]) in why
    assert f"rule {RULE_OF[kind].version}" in why
    assert 1 <= len(look.next_steps(READERS[0], view)) <= 2


DATED = {
    AlertKind.MILESTONE_DUE: "due_on",
    AlertKind.MILESTONE_OVERDUE: "due_on",
    AlertKind.STAGE_STUCK: "since",
    AlertKind.STEP_DUE: "step_on",
    AlertKind.NOTICE_RECEIVED: "notice_on",
    AlertKind.CONTRACT_EXPIRED: "ends_on",
    AlertKind.TARGET_STALE: "measured_on",
}


@pytest.mark.parametrize(("kind", "name"), DATED.items())
def test_the_sum_behind_a_date_shows_the_date(kind: AlertKind, name: str):
    seen = next(each for each in list_bad("Conversion") if each.kind is kind)
    why = "\n".join(list_texts(render_why(READERS[0], Case(view_of(seen, "Acme")))))
    assert READERS[0].date(date.fromisoformat(str(seen.facts[name]))) in why


def test_a_quiet_alert_says_that_it_waits_for_digests():
    seen = next(each for each in list_bad("Name") if each.kind is AlertKind.MILESTONE_DUE)
    assert alert_line(READERS[0], view_of(seen, "Acme", is_quiet=True)).endswith("for digests only")
    assert "digest" not in alert_line(READERS[0], view_of(seen, "Acme", is_quiet=True), is_listed=True)
    taken = alert_line(READERS[0], view_of(seen, "Acme", EpisodeState.ACKED, is_quiet=True))
    assert "digests" not in taken
