"""One payload handled: the person looked up, the handler run in one transaction, the answer planned before the
commit. Owns what is saved and what is not; refuses to talk to Slack. Runs in a worker thread.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from bot.clocks import Clocks
from bot.slack.errors import explain, explain_bug, place
from bot.slack.payloads import Origin, Payload
from bot.slack.people import Met, People
from bot.slack.routes import Route, Routes
from bot.slack.transports import Plan, Transport, plan
from commands.kit import message
from commands.slice import Call, FormErrors, Ref, Reply, Surface, Whisper
from rules.errors import NotAllowedError, UserError
from rules.records import Actor, Change
from storage import audit
from storage.db import PERSON_WAIT_SECONDS, Database, Tx
from storage.delivery.deliveries import claim_delivery
from storage.errors import BusyError
from words.errors import WordsError
from words.reader import Reader

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answer:
    """What the person gets. `is_stale`: Slack should be asked who they are. `is_provisional`: it is a refusal that
    rests on not knowing the person's role yet; nothing was saved or audited.
    """

    plan: Plan
    reader: Reader
    is_stale: bool = False
    is_provisional: bool = False


@dataclass
class _Attempt:
    """What is known so far, for the answer when something fails on the way."""

    payload: Payload
    now: datetime
    reader: Reader = field(default_factory=Reader)
    met: Met | None = None

    def plan(self, replies: Sequence[Reply]) -> Plan:
        return plan(self.payload, replies, self.reader)

    @property
    def actor(self) -> Actor:
        return self.met.person.actor if self.met else Actor("outsider", self.payload.slack_id)


class _NothingSavedError(Exception):
    """Rolls the transaction back and still carries the answer."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class _NeverMetError(Exception):
    """Who acts is not written down yet."""


@dataclass(frozen=True)
class Handling:
    """Handlers of one installation, run one payload at a time."""

    database: Database
    routes: Routes
    people: People
    clocks: Clocks

    def answer(self, payload: Payload, *, is_final: bool = True) -> Answer:
        """Handle a payload; every failure becomes an answer in words. With `is_final` false, a refusal of somebody
        Slack should be asked about is provisional.
        """
        attempt = _Attempt(payload, self.clocks.business())
        is_provisional = False
        try:
            chosen = self._handle(attempt)
        except NotAllowedError as error:
            is_provisional = not is_final and attempt.met is not None and attempt.met.is_stale
            if not is_provisional:
                self._audit_refusal(attempt, error)
            chosen = attempt.plan(explain(error, payload, attempt.reader))
        except (UserError, WordsError) as error:
            _log.info("refused", origin=payload.origin.value, name=payload.name, reason=error.sentence)
            chosen = attempt.plan(explain(error, payload, attempt.reader))
        except Exception:  # noqa: BLE001  # the last edge: a bug is logged and owned up to
            chosen = self._own_up(attempt)
        is_stale = attempt.met is not None and attempt.met.is_stale
        return Answer(chosen, attempt.reader, is_stale, is_provisional)

    def _handle(self, attempt: _Attempt) -> Plan:
        payload, installation = attempt.payload, self.people.installation
        if not installation.is_ours(payload.team_id, payload.enterprise_id):
            attempt.reader = self.people.read_default()
            raise NotAllowedError("Milepost answers only people of {team}.", team=installation.team_name or "its team")
        try:
            return self._act(attempt)
        except _NeverMetError:
            attempt.reader = self.people.read_default()
            self.people.add(payload.slack_id, attempt.reader)
            return self._act(attempt)

    def _act(self, attempt: _Attempt) -> Plan:
        """Who acts is asked in the transaction of what they do: one for each payload, and no right is older."""
        route = self.routes.find(attempt.payload)
        return self._write(attempt, route) if route and route.access == "writes" else self._read(attempt, route)

    def _read(self, attempt: _Attempt, route: Route | None) -> Plan:
        with self.database.reading(self.people.installation.workspace_id) as tx:
            met = self._meet(attempt, tx)
            if route is None:
                return attempt.plan(_unknown(attempt.payload, met.reader))
            return attempt.plan(route.handle(_build_call(attempt, met, route), tx))

    def _write(self, attempt: _Attempt, route: Route) -> Plan:
        workspace_id = self.people.installation.workspace_id
        try:
            with self.database.writing(workspace_id, wait_seconds=PERSON_WAIT_SECONDS) as tx:
                call = _build_call(attempt, self._meet(attempt, tx), route)
                chosen = self._write_once(attempt, route, call, tx)
        except _NothingSavedError as refused:
            return refused.plan
        except BusyError:
            self._meet_meanwhile(attempt)
            raise
        return self._show_home_anew(attempt, call, chosen)

    def _meet(self, attempt: _Attempt, tx: Tx) -> Met:
        met = attempt.met = self.people.find(tx, attempt.payload.slack_id)
        if met is None:
            raise _NeverMetError
        attempt.reader = met.reader
        return met

    def _meet_meanwhile(self, attempt: _Attempt) -> None:
        """Who cannot write now is told so in their own language."""
        if attempt.met is None:
            with self.database.reading(self.people.installation.workspace_id) as tx:
                self._meet(attempt, tx)

    def _write_once(self, attempt: _Attempt, route: Route, call: Call, tx: Tx) -> Plan:
        key = attempt.payload.key
        if key and not claim_delivery(tx, key, attempt.now):
            return attempt.plan(_seen_before(attempt.payload, attempt.reader))
        replies = route.handle(call, tx)
        chosen = attempt.plan(replies)
        if any(isinstance(reply, FormErrors) for reply in replies):
            raise _NothingSavedError(chosen)  # the same view comes again when the person has corrected it
        return chosen

    def _show_home_anew(self, attempt: _Attempt, call: Call, chosen: Plan) -> Plan:
        """What was done on the Home tab, or in a form opened there, shows in it at once. Drawn after the commit, so
        that no other writer waits for it.
        """
        home = self.routes.home
        is_open = chosen.ack is not None and chosen.ack.transport is not Transport.ACK_TEXT  # errors, or another form
        if home is None or is_open or not attempt.payload.is_on_home:
            return chosen
        with self.database.reading(self.people.installation.workspace_id) as tx:
            shown = attempt.plan(home(replace(call, ref=None, surface=Surface.HOME), tx))
        return replace(chosen, after=(*chosen.after, *shown.after))

    def _audit_refusal(self, attempt: _Attempt, error: NotAllowedError) -> None:
        payload = attempt.payload
        change = Change("refuse", payload.origin.value, payload.name, after={"reason": str(error)})
        try:
            with self.database.writing(self.people.installation.workspace_id, wait_seconds=PERSON_WAIT_SECONDS) as tx:
                audit.record(tx, change, attempt.actor, attempt.now, is_refused=True)
        except BusyError:
            _log.warning("refusal not audited", who=attempt.actor.id, what=payload.name, reason=str(error))

    def _own_up(self, attempt: _Attempt) -> Plan:
        number = uuid.uuid4().hex[:8]
        _log.exception("bug", bug=number, origin=attempt.payload.origin.value, name=attempt.payload.name)
        return attempt.plan(explain_bug(number, attempt.payload, attempt.reader))


def _build_call(attempt: _Attempt, met: Met, route: Route) -> Call:
    payload = attempt.payload
    return Call(
        person=met.person,
        reader=met.reader,
        now=attempt.now,
        channel=payload.channel,
        text=route.text,
        ref=_read_reference(payload.reference),
        picked=payload.picked,
        values=payload.values,
        surface=payload.surface,
    )


def _read_reference(text: str) -> Ref | None:
    if not text:
        return None
    try:
        return Ref.parse(text)
    except (ValueError, TypeError) as error:
        raise UserError("This button is damaged or of an older version. Ask for a fresh one with /cs.") from error


def _seen_before(payload: Payload, reader: Reader) -> list[Reply]:
    if payload.origin is Origin.SUBMISSION:
        sentence = reader.say("This form was received before: nothing was changed a second time.")
    else:
        sentence = reader.say("This was received before: nothing was changed a second time.")
    return [Whisper(message(sentence))]


def _unknown(payload: Payload, reader: Reader) -> list[Reply]:
    """An element of a form that only keeps its value needs no answer; anything else is from another version."""
    is_state = payload.origin in {Origin.FORM_BUTTON, Origin.HOME_BUTTON} and not payload.is_button
    if is_state or payload.origin is Origin.HOME_OPENED:
        return []
    _log.info("nobody answers", origin=payload.origin.value, name=payload.name)
    sentence = reader.say("This is of an older version of Milepost and no longer works. Ask for a fresh one with /cs.")
    return place(message(sentence), payload, plain=sentence)
