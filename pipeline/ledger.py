"""The ledger's job: each day, rules that people find too sensitive are proposed to the lead for a change. Owns whom to
ask; refuses to judge (`rules.alerts.ledger`) and to change a rule (a person does).
"""

from __future__ import annotations

from datetime import datetime

from pipeline.report import JobReport
from rules.alerts.ledger import PERIOD, decide_proposals, draw_up
from rules.records import Actor
from storage.alerts.adjustment_writes import apply_proposals
from storage.alerts.adjustments import list_latest_proposals
from storage.alerts.ledger import count_alerts
from storage.db import Database
from storage.people.team import find_lead

ACTOR = Actor.job("ledger")


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Propose what the alerts of the last 90 days call for. Safe to repeat: a rule is proposed once."""
    with database.reading(workspace_id) as tx:  # over ninety days of alerts: nobody shall wait for that to write
        lines = draw_up(count_alerts(tx, now - PERIOD, now), {})
    with database.writing(workspace_id) as tx:
        proposals, lead = decide_proposals(lines, list_latest_proposals(tx), now), find_lead(tx)
        made = apply_proposals(tx, proposals, lead.slack_id, ACTOR, now) if lead is not None else []
    remark = ("Rules are found too sensitive, but there is no lead to ask. See /cs setup.",)
    return JobReport("ledger", {"proposed": len(made)}, remark if proposals and lead is None else ())
