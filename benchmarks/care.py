"""What people did for the benchmark company's accounts: journeys walked, check-ins, next steps, risks, contacts, notes.
Owns who did what when, by the accounts' numbers; everything goes through the decisions and writers of Milepost itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.accounts.contacts import ContactDraft, decide_contact
from rules.accounts.notes import AddNote, decide_note
from rules.records import Actor, ContactRole, TouchKind
from rules.success.checkins import AddCheckin, CheckinDraft, decide_checkin
from rules.success.journey_walk import decide_start
from rules.success.journeys import Doer
from rules.success.milestones import decide_done
from rules.success.risks import RiskDraft
from rules.success.tasks import TaskDraft
from rules.success.templates import plan_journey
from storage.accounts.contacts import apply_contacts
from storage.accounts.notes import apply_notes
from storage.db import Tx
from storage.library import find_template
from storage.success.checkin_writes import apply_checkins
from storage.success.journey_writes import apply_journeys
from storage.success.journeys import find_journey_facts

_TEMPLATES = ("standard", "standard", "light")
_ROLES = (ContactRole.SPONSOR, ContactRole.USER, ContactRole.TECHNICAL)
_KINDS = (TouchKind.NOTE, TouchKind.CALL, TouchKind.MEETING)


@dataclass(frozen=True)
class Cared:
    """An account by its number, who looks after it, and the day the company stands still on."""

    number: int
    id: str
    owner_id: str
    today: date

    @property
    def actor(self) -> Actor:
        return Actor("member", self.owner_id, self.owner_id)

    def moment(self, days_ago: int) -> datetime:
        """The noon of an earlier day."""
        return datetime.combine(self.today - timedelta(days=days_ago), time(12), ZoneInfo("UTC"))


def care_for(tx: Tx, of: Cared) -> None:
    """All that was done for one account until yesterday."""
    _meet(tx, of)
    _walk(tx, of)
    _check_in(tx, of, days_ago=45 + of.number % 10)
    _check_in(tx, of, days_ago=1 + of.number % 40)


def _meet(tx: Tx, of: Cared) -> None:
    """Three people at the customer, of whom the first is the sponsor, and three notes."""
    for place, (role, kind) in enumerate(zip(_ROLES, _KINDS, strict=True)):
        days_ago = 20 + 15 * place + of.number % 14
        draft = ContactDraft(f"Person {place} of {of.number:06}", title="Head of operations", role=role)
        at, day = of.moment(days_ago), of.moment(days_ago).date()
        apply_contacts(tx, decide_contact(of.id, draft, day), of.actor, at)
        note = AddNote(of.id, kind, "Spoke about the export and the next team", day, of.owner_id)
        apply_notes(tx, decide_note(note, day), of.actor, at)


def _walk(tx: Tx, of: Cared) -> None:
    """Somewhere on a journey; what was due is done, but for the last week's and, in every fifth account, for all."""
    days_ago = 7 + 5 * of.number % 50
    template = find_template(_TEMPLATES[of.number % len(_TEMPLATES)])
    assert template is not None
    begin = of.moment(days_ago)
    stage = template.stages[of.number % len(template.stages)]
    plan = plan_journey(template, begin.date(), stage_key=stage.key)
    apply_journeys(tx, decide_start(of.id, plan, Doer(of.owner_id, begin, begin.date())), of.actor, begin)
    until = of.today - timedelta(days=7)
    for milestone_id, due_on in _list_due(tx, of, until) if of.number % 5 else []:
        journey = find_journey_facts(tx, of.id)
        assert journey is not None
        doer = Doer(of.owner_id, of.moment(1), of.moment(1).date())
        apply_journeys(tx, [decide_done(journey, milestone_id, doer, due_on)], of.actor, doer.now)


def _list_due(tx: Tx, of: Cared, until: date) -> list[tuple[str, date]]:
    journey = find_journey_facts(tx, of.id)
    assert journey is not None
    return [(each.id, each.due_on) for each in journey.milestones if each.due_on <= until]


def _check_in(tx: Tx, of: Cared, days_ago: int) -> None:
    """With a next step for each account and a risk for every fourth."""
    at = of.moment(days_ago)
    day = at.date()
    step_on = max(day, of.today + timedelta(days=3 * of.number % 30 - 4))
    whole = AddCheckin(
        CheckinDraft(of.id, of.owner_id, day, pulse=1 + of.number % 5, changed="The rollout goes on"),
        day,
        risk=RiskDraft(of.id, "The sponsor may leave", "Meet the deputy", of.owner_id) if of.number % 4 == 0 else None,
        step=TaskDraft(of.id, "Send the slides", of.owner_id, step_on),
    )
    apply_checkins(tx, decide_checkin(whole), of.actor, at)
