"""Every kind of alert as people see it, made by its own rule from whatever names people give to things."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.blocks.alert_looks import AlertView, Look
from commands.blocks.alert_why import Case, render_why
from commands.blocks.alerts import LOOKS, alert_line, render_alert
from playground.blockkit.check import check_blocks
from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, TargetSeen
from rules.alerts.signals import RULE_OF, RULES
from rules.health.health import DayScore
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Band, EpisodeState, TargetKind, Tier
from rules.renewals.renewals import RenewalFacts
from rules.success.journeys import JourneyFacts, MilestoneFacts, StageFacts
from rules.success.targets import TargetFacts
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from tests.conftest import NOW
from words.reader import Reader

TODAY = NOW.date()
DAY = timedelta(days=1)
READERS = [Reader("en-US", "UTC"), Reader("zh-CN", "Asia/Shanghai")]
WORST = "<!channel> & <https://x.y|z> *_`~" + "长" * 3000


def make_evidence(text: str) -> Evidence:
    """An account where every rule finds something, with `text` for every name that people or files give."""
    scores = {
        TODAY - back * DAY: DayScore(TODAY - back * DAY, x, band, 0.9, "", {"trend": (x, 15.0), "targets": (x, 20.0)})
        for back, x, band in ((0, 30.0, Band.RED), (9, 90.0, Band.GREEN))
    }
    milestones = [
        MilestoneFacts(f"m{at}", "s", text, TODAY + offset * DAY, customer_owner=text, moved_count=2)
        for at, offset in enumerate((-40, 3))
    ]
    stages = (StageFacts("s", text, 10),)
    return Evidence(
        TODAY,
        scores,
        Usage(TODAY - 300 * DAY, TODAY - 40 * DAY, 90),
        Feed(TODAY - DAY),
        tier=Tier.A,
        targets=tuple(_list_targets(text)),
        journey=JourneyFacts("j", "s", text, TODAY - 90 * DAY, 10, tuple(milestones), stages, name=text),
        renewals=(
            RenewalFacts("r1", "c1", TODAY + 60 * DAY, TODAY - DAY, notice_received_on=TODAY - DAY),
            RenewalFacts("r2", "c2", TODAY - 40 * DAY, TODAY - 40 * DAY),
        ),
    )


def _list_targets(text: str) -> list[TargetSeen]:
    since = TODAY - 100 * DAY
    values = {"behind": TODAY - 10 * DAY, "stale": TODAY - 90 * DAY, "step": TODAY - 20 * DAY}
    return [
        TargetSeen(
            name,
            text,
            text[:12],
            TargetFacts(
                TargetKind.LEVEL,
                Decimal(0),
                Decimal(100),
                since,
                since + 200 * DAY,
                steps=((TODAY + 2 * DAY, Decimal(51)),) if name == "step" else (),
                agreed_on=since,
                created_on=since,
                measurements=((measured, Decimal(1)),),
            ),
            "metric",
            text,
        )
        for name, measured in values.items()
    ]


def list_bad(text: str) -> list[Observation]:
    """What the rules see, as it is stored."""
    return [each for rule in RULES for each in rule.observe(make_evidence(text)) if each.verdict is Verdict.BAD]


def view_of(seen: Observation, name: str, state: EpisodeState = EpisodeState.OPEN, **more: Any) -> AlertView:
    is_closed = state in (EpisodeState.RESOLVED, EpisodeState.DISMISSED)
    row = EpisodeRow(
        workspace_id="w",
        account_id="a",
        kind=seen.kind,
        subject=seen.subject,
        severity=seen.severity,
        state=state,
        rule_version=RULE_OF[seen.kind].version,
        facts=json.loads(json.dumps(dict(seen.facts))),
        opened_at=NOW,
        taken_at=NOW,
        snoozed_until=NOW,
        closed_at=NOW if is_closed else None,
        close_reason="known" if state is EpisodeState.DISMISSED else "gone",
        close_note=name,
        **more,
    )
    return AlertView(row, AccountRow(id="a", workspace_id="w", name=name, slug="x", created_at=NOW))


def list_texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for key, value in node.items() if key != "value" for text in list_texts(value)]
    if isinstance(node, list):
        return [text for each in node for text in list_texts(each)]
    return [node] if isinstance(node, str) else []


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
