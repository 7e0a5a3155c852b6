"""A small company in a workspace, made only by what people and the clock do: files imported, days worked, an alert
opened. Owns its figures; every id is Milepost's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlmodel import SQLModel, select

from pipeline import daily, digest, renewals
from pipeline.imports.mapping import Kind
from pipeline.imports.run import Job, run_import
from rules.accounts.contacts import ContactDraft, decide_contact
from rules.accounts.notes import AddNote, decide_note
from rules.alerts.ledger import Propose
from rules.alerts.mutes import AddMute, Scope
from rules.alerts.tuning import Remedy
from rules.records import Actor, AlertKind, Role, TouchKind
from rules.success.checkins import AddCheckin, CheckinDraft, TellMember, decide_checkin
from rules.success.journey_walk import decide_start
from rules.success.journeys import Doer, MilestoneDraft
from rules.success.milestones import decide_add
from rules.success.plans import MeasurementDraft
from rules.success.risks import RiskDraft
from rules.success.tasks import TaskDraft
from rules.success.templates import plan_journey
from storage.accounts.accounts import AccountRow
from storage.accounts.contacts import ContactRow, apply_contacts
from storage.accounts.notes import NoteRow, apply_notes
from storage.alerts.adjustment_writes import accept, apply_proposals
from storage.alerts.adjustments import RuleAdjustmentRow, RuleProposalRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.mutes import MuteRow, apply_mute
from storage.db import Database, Tx
from storage.delivery.digests import DigestRow
from storage.delivery.outbox import OutboxRow
from storage.delivery.schedules import ScheduleRow
from storage.library import find_template
from storage.people.members import MemberRow, add_by_slack_id
from storage.renewals.contracts import ContractRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import CheckinOfferRow, CheckinRow, find_open_offer
from storage.success.journey_writes import apply_journeys
from storage.success.journeys import JourneyRow, MilestoneRow, find_journey_facts
from storage.success.risks import RiskRow
from storage.success.targets import MeasurementRow, TargetRow
from storage.success.tasks import TaskRow
from tests.conftest import NOW

SILENT_DAYS = 30
"""For so long nobody of the first account has used the product."""

FILES = {
    Kind.ACCOUNTS: "external_id,name,state,tier,industry,channel,aliases\n"
    "A1,Acme Corp,customer,A,mining,C0ACME00001,ACM\nA2,Globex,customer,B,,,\n",
    Kind.CONTRACTS: "external_id,account,start_on,end_on,yearly_amount,currency,seats\n"
    "K1,A1,2025-06-01,2026-05-31,84000,EUR,60\n",
    Kind.TARGETS: "external_id,account,metric,unit,baseline,goal,start_on,due_on,agreed_on,steps,value,measured_on\n"
    "T1,A1,conversion,%,5,10,2026-01-01,2026-12-31,2026-01-01,2026-06-30=6;2026-09-30=8,6,2026-02-20\n",
    Kind.TICKETS: "external_id,account,title,priority,opened_at\nS1,A1,Slow,high,2026-03-01T09:00:00Z\n",
}


@dataclass(frozen=True)
class Company:
    """Where one workspace's rows are found, by the word its buttons use for them."""

    database: Database
    workspace_id: str

    def ids(self) -> dict[str, list[str]]:
        """Ids of everything that a button, form or menu could name."""
        kinds: dict[str, type[SQLModel]] = {
            "account": AccountRow,
            "target": TargetRow,
            "measurement": MeasurementRow,
            "episode": EpisodeRow,
            "alert_event": AlertEventRow,
            "member": MemberRow,
            "noise": MemberRow,
            "mute": MuteRow,
            "contact": ContactRow,
            "note": NoteRow,
            "outbox": OutboxRow,
            "digest": DigestRow,
            "schedule": ScheduleRow,
            "checkin": CheckinRow,
            "offer": CheckinOfferRow,
            "task": TaskRow,
            "risk": RiskRow,
            "renewal": RenewalRow,
            "journey": JourneyRow,
            "milestone": MilestoneRow,
            "proposal": RuleProposalRow,
            "adjustment": RuleAdjustmentRow,
        }
        with self.database.reading(self.workspace_id) as tx:
            found = {
                kind: sorted(row.id for row in tx.session.exec(select(table).filter_by(workspace_id=tx.workspace_id)))
                for kind, table in kinds.items()
            }
            contracts = tx.session.exec(select(ContractRow).filter_by(workspace_id=tx.workspace_id))
            return found | {"contract": sorted(row.external_id for row in contracts)}


def fill(database: Database, workspace_id: str, folder: Path, words: Mapping[str, str] | None = None) -> Company:
    """Import the files, with some of their words changed, and work two days, after which Acme Corp is silent."""
    folder.mkdir(exist_ok=True)
    for kind, content in (FILES | {Kind.USAGE: usage_file()}).items():
        path, text = folder / f"{kind}.csv", content
        for word, other in (words or {}).items():
            text = text.replace(word, other)
        path.write_text(text, encoding="utf-8")
        report = run_import(database, workspace_id, Job(kind, path), NOW)
        assert not report.rejects, report.rejects
    for days in (1, 0):
        daily.run(database, workspace_id, NOW - timedelta(days=days))
    with database.writing(workspace_id) as tx:
        meet(tx, (words or {}).get("conversion", "known"))
    with database.writing(workspace_id) as tx:
        check_in(tx, f"{(words or {}).get('conversion', 'known')} words")
        walk(tx, f"{(words or {}).get('conversion', 'known')} milestone")
        hush(tx, f"{(words or {}).get('conversion', 'known')} reason")
    with database.writing(workspace_id) as tx:
        change_rules(tx)
    renewals.run(database, workspace_id, NOW)
    digest.run(database, workspace_id, NOW + timedelta(days=1, minutes=10))
    return Company(database, workspace_id)


def check_in(tx: Tx, said: str) -> None:
    """One of the team offers themselves a check-in and does it, with a value, a risk and a next step; another waits."""
    today = NOW.date()
    member = add_by_slack_id(tx, "U0000TEAM1", role=Role.CSM, zone="UTC", locale="en-US")
    measured = tx.session.exec(select(MeasurementRow).where(MeasurementRow.workspace_id == tx.workspace_id)).first()
    accounts = tx.session.exec(select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id)).all()
    assert measured is not None
    told = TellMember(member.id, member.slack_id, today, tuple((each.id, today) for each in accounts))
    apply_checkins(tx, [told], member_actor(member), NOW)
    account_id, offer = measured.account_id, find_open_offer(tx, measured.account_id)
    assert offer is not None
    whole = AddCheckin(
        CheckinDraft(account_id, member.id, today, pulse=4, changed=said),
        today,
        values=(MeasurementDraft(account_id, measured.metric_key, Decimal(7), today, author_id=member.id),),
        risk=RiskDraft(account_id, said, "plan", member.id),
        step=TaskDraft(account_id, said, member.id, today + timedelta(days=7)),
        offer=to_offer(offer),
    )
    apply_checkins(tx, decide_checkin(whole), member_actor(member), NOW)


def change_rules(tx: Tx) -> None:
    """One rule was raised after it was proposed, and another is proposed."""
    member, job = add_by_slack_id(tx, "U0000TEAM1", role=Role.CSM, zone="UTC", locale="en-US"), Actor.job("ledger")
    kinds = (AlertKind.TARGET_BEHIND, AlertKind.HEALTH_DROP)
    rows = apply_proposals(tx, [Propose(kind, 8, 5, 0.3) for kind in kinds], "", job, NOW)
    accept(tx, rows[0], Remedy.RAISE, 0.5, member_actor(member), today=NOW.date(), now=NOW)


def walk(tx: Tx, name: str) -> None:
    """Each customer is on a journey, with a milestone of its own."""
    template, actor, doer = find_template("light"), Actor.job("small company"), Doer("", NOW, NOW.date())
    assert template is not None
    for account in tx.session.exec(select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id)):
        plan = plan_journey(template, NOW.date() - timedelta(days=5))
        apply_journeys(tx, decide_start(account.id, plan, doer), actor, NOW)
        journey = find_journey_facts(tx, account.id)
        assert journey is not None
        draft = MilestoneDraft(name, plan.stage_key, NOW.date() + timedelta(days=9))
        apply_journeys(tx, [decide_add(journey, draft, doer)], actor, NOW)


def member_actor(member: MemberRow) -> Actor:
    return Actor("member", member.id, member.name)


def hush(tx: Tx, reason: str) -> None:
    """One kind of alert, of which there are none, is muted for a month."""
    scope, until = Scope(kind=AlertKind.STAGE_STUCK), NOW + timedelta(days=30)
    apply_mute(tx, AddMute(scope, until, reason), Actor("import", "accounts.csv"), NOW)


def meet(tx: Tx, name: str) -> None:
    """Somebody at each customer is known, and was called."""
    actor = Actor.job("small company")
    for account in tx.session.exec(select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id)):
        apply_contacts(tx, decide_contact(account.id, ContactDraft(name), NOW.date()), actor, NOW)
        note = AddNote(account.id, TouchKind.CALL, f"{name} called", NOW.date())
        apply_notes(tx, decide_note(note, NOW.date()), actor, NOW)


def usage_file() -> str:
    """Ninety days of use; Acme's ended some weeks ago."""
    lines = ["account,team,metric,person,day,value"]
    for back in range(1, 91):
        day = (NOW - timedelta(days=back)).date()
        lines += [f"A2,,logins,p1,{day},3"]
        lines += [f"A1,north,logins,p2,{day},5"] if back > SILENT_DAYS else []
    return "\n".join(lines) + "\n"
