"""Every kind of alert as its own rule makes it, from whatever names people give to things."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from commands.blocks.alert_looks import AlertView
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
from storage.alerts.alerts import EpisodeRow
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
    full = make_evidence(text)
    thin = replace(full, scores=make_thin(full), usage=Usage(TODAY - 300 * DAY, TODAY - DAY, 90))
    wanted = ((full, set(AlertKind) - {AlertKind.DATA_THIN}), (thin, {AlertKind.DATA_THIN}))
    return [
        each
        for evidence, kinds in wanted
        for rule in RULES
        for each in rule.observe(evidence)
        if each.verdict is Verdict.BAD and each.kind in kinds
    ]


def make_thin(evidence: Evidence) -> dict[date, DayScore]:
    """The scores with a last one that too little is known for."""
    known = {"trend": (30.0, 15.0)}
    return {**evidence.scores, TODAY: DayScore(TODAY, None, Band.UNKNOWN, 0.41, "", known)}


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
