"""An account's timeline in words: a line per change, a sentence per verb of the audit. Pure: rows in, text out; refuses
to look anything up (`commands.accounts.timeline`).

To tell of a new verb, add its sentence to the function of its subject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from commands.blocks.notes import touch_words
from commands.blocks.renewals import outcome_words, verdict_words
from commands.kit import clip, esc
from rules.records import AlertKind, RenewalOutcome, RenewalVerdict, TouchKind
from rules.renewals.superseding import is_made
from storage.audit import AuditRow
from words.reader import Reader

_TEXT_LENGTH = 160


@dataclass(frozen=True)
class Entry:
    """A line of the audit with what it names. `who` did it, `name` is what the object is called and `details` what was
    logged or changed, all three safe in mrkdwn.
    """

    row: AuditRow
    who: str
    name: str = ""
    details: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The values told of: those after the change, else those before it."""
        return self.row.after or self.row.before or {}

    def quote(self, field: str) -> str:
        """A text among the facts as ": “…”", "" where there is none."""
        text = " ".join(str(self.facts.get(field) or "").split())
        return f": “{esc(clip(text, _TEXT_LENGTH))}”" if text else ""


Sentences = Mapping[str, str]


def entry_line(reader: Reader, entry: Entry, today: date) -> str:
    """When, who and what, on one line."""
    return f"{reader.moment(entry.row.at, today=today)} · {entry.who} {find_sentence(reader, entry)}"


def find_sentence(reader: Reader, entry: Entry) -> str:
    """What was done, with a neutral sentence for a verb of an older or newer version."""
    subject = entry.row.verb.partition(".")[0]
    sentences = SUBJECTS[subject](reader, entry) if subject in SUBJECTS else {}
    found = sentences.get(entry.row.verb)
    return found or reader.say("made a change ({verb})", verb=esc(entry.row.verb))


# ---------------------------------------------------------------- the account and its people


def _account(reader: Reader, entry: Entry) -> Sentences:
    say = reader.say
    return {
        "account.added": say("added the account"),
        "account.changed": say("changed {details}", details=entry.details),
        "account.reverted": say("took a change back: {details}", details=entry.details),
        "account.archived": say("archived the account") + entry.quote("reason"),
        "account.restored": say("brought the account back"),
        "account.undone": say("took the account back"),
    }


def _contact(reader: Reader, entry: Entry) -> Sentences:
    say, name = reader.say, entry.name
    left = entry.facts.get("left_on")
    changed = say("changed the contact {name}", name=name)
    if left:
        changed = say("said that {name} left {day}", name=name, day=_day(reader, entry, "left_on"))
    return {
        "contact.added": say("added the contact {name}", name=name),
        "contact.changed": changed,
        "contact.reverted": say("took a change of the contact {name} back", name=name),
        "contact.removed": say("removed the contact {name}", name=name),
        "contact.restored": say("put the contact {name} back", name=name),
        "contact.undone": say("took the new contact {name} back", name=name),
    }


def _note(reader: Reader, entry: Entry) -> Sentences:
    kind = entry.facts.get("kind", TouchKind.NOTE)
    what = touch_words(reader, TouchKind(kind))
    day = _day(reader, entry, "happened_on")
    told = f": {entry.name}" if entry.name else " " + reader.say("(taken back since)")
    return {
        "note.added": reader.say("kept: {what} of {day}", what=what, day=day) + told,
        "note.undone": reader.say("took back: {what} of {day}", what=what, day=day),
    }


# ---------------------------------------------------------------- success


def _target(reader: Reader, entry: Entry) -> Sentences:
    say, name = reader.say, entry.name
    goal = say("the target {name}: {details}", name=name, details=entry.details) if entry.details else name
    return {
        "target.added": say("agreed on {goal}", goal=goal),
        "target.agreed": say("agreed on the draft {name}", name=name),
        "target.edited": say("changed {goal}", goal=goal),
        "target.paused": say("paused the target {name}", name=name),
        "target.resumed": say("resumed the target {name}", name=name),
        "target.removed": say("removed the target {name}", name=name),
        "target.restored": say("put the target {name} back", name=name),
        "target.undone": say("took the new target {name} back", name=name),
    }


def _measurement(reader: Reader, entry: Entry) -> Sentences:
    words = {"value": entry.details, "name": entry.name}
    note = entry.quote("note")
    return {
        "measurement.added": reader.say("logged {value} for {name}", **words) + note,
        "measurement.corrected": reader.say("corrected a value of {name} to {value}", **words) + note,
        "measurement.removed": reader.say("removed {value} of {name}", **words),
        "measurement.restored": reader.say("put {value} of {name} back", **words),
        "measurement.undone": reader.say("took {value} of {name} back", **words),
    }


def _journey(reader: Reader, entry: Entry) -> Sentences:
    say, name, reason = reader.say, entry.name or _text(entry, "name"), entry.quote("reason")
    is_start_undone = entry.row.after is None  # a step that is taken back leaves a journey, with values of its own
    undone = say("took the new journey {name} back", name=name)
    return {
        "journey.started": say("started the journey {name}", name=name),
        "journey.advanced": say("moved the journey on") + reason,
        "journey.went_back": say("moved the journey back") + reason,
        "journey.finished": say("finished the journey {name}", name=name),
        "journey.closed": say("closed the journey {name}", name=name) + reason,
        "journey.replaced": say("replaced the journey {name}", name=name),
        "journey.undone": undone if is_start_undone else say("took the last step of the journey back"),
    }


def _milestone(reader: Reader, entry: Entry) -> Sentences:
    say, reason = reader.say, entry.quote("reason")
    name = entry.name or _text(entry, "name")
    return {
        "milestone.added": say("added the milestone {name}, due {day}", name=name, day=_day(reader, entry, "due_on")),
        "milestone.changed": say("changed the milestone {name}", name=name),
        "milestone.done": say("did the milestone {name}", name=name),
        "milestone.moved": say("moved the milestone {name}", name=name) + reason,
        "milestone.skipped": say("skipped the milestone {name}", name=name) + reason,
        "milestone.removed": say("removed the milestone {name}", name=name) + reason,
        "milestone.reopened": say("opened the milestone {name} again", name=name),
        "milestone.undone": say("took the last change of the milestone {name} back", name=name),
    }


def _checkin(reader: Reader, entry: Entry) -> Sentences:
    pulse = entry.facts.get("pulse")
    said = reader.say("checked in on {day}", day=_day(reader, entry, "happened_on"))
    felt = " · " + reader.say("pulse {pulse} of 5", pulse=pulse) if pulse else ""
    return {
        "checkin.added": said + felt + entry.quote("changed"),
        "checkin.undone": reader.say("took a check-in back"),
    }


def _offer(reader: Reader, entry: Entry) -> Sentences:
    return {
        "offer.added": reader.say("asked for a check-in"),
        "offer.offered": reader.say("asked for a check-in"),
        "offer.done": reader.say("answered the check-in that was due"),
        "offer.skipped": reader.say("skipped the check-in that was due") + entry.quote("reason"),
        "offer.superseded": reader.say("dropped the check-in that was due"),
        "offer.reminded": reader.say("reminded of the check-in that is due"),
        "offer.undone": reader.say("took the answer to a check-in back"),
    }


def _task(reader: Reader, entry: Entry) -> Sentences:
    say, name = reader.say, entry.name
    return {
        "task.added": say("planned the next step “{name}”", name=name),
        "task.changed": say("changed the next step “{name}”", name=name),
        "task.done": say("did the next step “{name}”", name=name),
        "task.reopened": say("opened the next step “{name}” again", name=name),
        "task.removed": say("dropped the next step “{name}”", name=name),
        "task.undone": say("took the next step “{name}” back", name=name),
    }


def _risk(reader: Reader, entry: Entry) -> Sentences:
    say, name = reader.say, entry.name
    return {
        "risk.added": say("named the risk “{name}”", name=name),
        "risk.changed": say("changed the risk “{name}”", name=name),
        "risk.closed": say("closed the risk “{name}”", name=name),
        "risk.reopened": say("opened the risk “{name}” again", name=name),
        "risk.removed": say("removed the risk “{name}”", name=name),
        "risk.undone": say("took the risk “{name}” back", name=name),
    }


# ---------------------------------------------------------------- what comes from outside


def _renewal(reader: Reader, entry: Entry) -> Sentences:
    say, day = reader.say, entry.name
    verdict = entry.facts.get("verdict")
    judged = verdict_words(reader, RenewalVerdict(verdict) if verdict else None)
    outcome = outcome_words(reader, RenewalOutcome(entry.facts.get("outcome") or RenewalOutcome.OPEN))
    return {
        "renewal.added": say("planned the renewal of {day}", day=day),
        "renewal.moved": say("moved the decision on the renewal of {day}", day=day),
        "renewal.closed": say("closed the renewal of {day}: {outcome}", day=day, outcome=outcome),
        "renewal.judged": say("gave a verdict on the renewal of {day}: {verdict}", day=day, verdict=judged),
        "renewal.verdict_undone": say("took the verdict on the renewal of {day} back", day=day),
        "renewal.decided": say("decided the renewal of {day}: {outcome}", day=day, outcome=outcome),
        "renewal.left": say("saw the customer leave with the contract that ended on {day}", day=day),
        "renewal.outcome_undone": say("took the outcome of the renewal of {day} back", day=day),
    }


def _contract(reader: Reader, entry: Entry) -> Sentences:
    id_ = entry.row.object_id
    name = reader.say("of the next term") if is_made(id_) else esc(clip(id_, _TEXT_LENGTH))
    return {
        "contract.added": reader.say("added the contract {name}", name=name),
        "contract.changed": reader.say("changed the contract {name}", name=name),
        "contract.superseded": reader.say("found the contract {name} in an import and kept that one", name=name),
        "contract.undone": reader.say("took the contract {name} back", name=name),
    }


def _alert(reader: Reader, entry: Entry) -> Sentences:
    say, name, note = reader.say, entry.name, entry.quote("close_note")
    return {
        "alert.opened": say("raised an alert: {name}", name=name),
        "alert.surfaced": say("brought an alert up: {name}", name=name),
        "alert.reopened": say("raised an alert again: {name}", name=name),
        "alert.worsened": say("saw an alert grow worse: {name}", name=name),
        "alert.taken": say("took the alert: {name}", name=name),
        "alert.snoozed": say("snoozed the alert: {name}", name=name),
        "alert.woke": say("woke the alert: {name}", name=name),
        "alert.assigned": say("assigned the alert: {name}", name=name),
        "alert.resolved": say("resolved the alert: {name}", name=name) + note,
        "alert.dismissed": say("dismissed the alert: {name}", name=name) + note,
        "alert.cleared": say("closed the alert, it is over: {name}", name=name),
        "alert.unlatched": say("saw that it is over: {name}", name=name),
        "alert.held": say("kept an alert until somebody works again: {name}", name=name),
        "alert.quietened": say("left an alert to the digest: {name}", name=name),
        "alert.muted": say("muted the alert: {name}", name=name),
        "alert.unmuted": say("let the alert speak again: {name}", name=name),
        "alert.escalated": say("said that nobody has taken the alert: {name}", name=name),
        "alert.asked": say("asked who took it whether they are still on it: {name}", name=name),
        "alert.kept": say("kept the alert in hand: {name}", name=name),
        "alert.returned": say("opened the alert again, as nobody answered: {name}", name=name),
        "alert.undone": say("took back what was done to the alert: {name}", name=name),
    }


def _mute(reader: Reader, entry: Entry) -> Sentences:
    say, reason = reader.say, entry.quote("reason")
    until = entry.facts.get("until")
    when = reader.moment(datetime.fromisoformat(until)) if isinstance(until, str) else "–"
    return {
        "mute.added": say("muted the account's alerts until {time}", time=when) + reason,
        "mute.changed": say("muted the account's alerts until {time} instead", time=when) + reason,
        "mute.ended": say("ended the mute of the account's alerts"),
    }


def _import(reader: Reader, entry: Entry) -> Sentences:
    id_, name, details = esc(clip(entry.row.object_id, _TEXT_LENGTH)), entry.name, entry.details
    said = {
        "accounts": reader.say("imported the account"),
        "account_aliases": reader.say("imported other names of the account"),
        "contracts": reader.say("imported the contract {id}", id=id_),
        "targets": reader.say("imported the target {name}: {details}", name=name, details=details),
        "measurements": reader.say("imported {value} for {name}", value=details, name=name),
        "tickets": reader.say("imported the ticket {id}", id=id_),
    }
    return {"import": said.get(entry.row.object_kind) or reader.say("imported a row")}


def alert_words(reader: Reader, kind: AlertKind) -> str:
    """What an alert is about, in two or three words."""
    return {
        AlertKind.HEALTH_DROP: reader.say("health fell"),
        AlertKind.HEALTH_RED: reader.say("health is red"),
        AlertKind.SILENCE: reader.say("silence"),
        AlertKind.DATA_THIN: reader.say("too little data"),
        AlertKind.TARGET_BEHIND: reader.say("target behind"),
        AlertKind.TARGET_STALE: reader.say("target without a value"),
        AlertKind.STEP_DUE: reader.say("step due"),
        AlertKind.MILESTONE_DUE: reader.say("milestone due"),
        AlertKind.MILESTONE_OVERDUE: reader.say("milestone overdue"),
        AlertKind.STAGE_STUCK: reader.say("stage stuck"),
        AlertKind.NOTICE_RECEIVED: reader.say("notice received"),
        AlertKind.CONTRACT_EXPIRED: reader.say("contract expired"),
    }[kind]


SUBJECTS: Mapping[str, Callable[[Reader, Entry], Sentences]] = {
    "account": _account,
    "contact": _contact,
    "note": _note,
    "target": _target,
    "measurement": _measurement,
    "journey": _journey,
    "milestone": _milestone,
    "checkin": _checkin,
    "offer": _offer,
    "task": _task,
    "risk": _risk,
    "renewal": _renewal,
    "contract": _contract,
    "alert": _alert,
    "mute": _mute,
    "import": _import,
}


def _text(entry: Entry, field: str) -> str:
    return esc(clip(str(entry.facts.get(field) or ""), _TEXT_LENGTH))


def _day(reader: Reader, entry: Entry, field: str) -> str:
    found = entry.facts.get(field)
    return reader.date(date.fromisoformat(found)) if isinstance(found, str) and found else "–"
