"""Words every layer shares: closed sets of values and who acts. Owns no decision and no storage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member may do; each includes the ones before it."""

    VIEWER = "viewer"
    CSM = "csm"
    LEAD = "lead"
    ADMIN = "admin"


class AccountState(StrEnum):
    """Where the company stands with us."""

    PROSPECT = "prospect"
    TRIAL = "trial"
    CUSTOMER = "customer"
    LOST = "lost"


class Tier(StrEnum):
    """Service tier, A = the first half of revenue."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class TargetKind(StrEnum):
    """How a target's value is compared with its goal (definitions: level, cumulative, keep)."""

    LEVEL = "level"
    CUMULATIVE = "cumulative"
    KEEP_ABOVE = "keep_above"
    KEEP_BELOW = "keep_below"


class Band(StrEnum):
    """Health bands: red < 50 <= yellow < 75 <= green; unknown under 50 % coverage."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    UNKNOWN = "unknown"


class AlertKind(StrEnum):
    """What an alert is about."""

    HEALTH_DROP = "health_drop"
    HEALTH_RED = "health_red"
    SILENCE = "silence"
    DATA_THIN = "data_thin"
    TARGET_BEHIND = "target_behind"
    TARGET_STALE = "target_stale"
    STEP_DUE = "step_due"
    MILESTONE_DUE = "milestone_due"
    MILESTONE_OVERDUE = "milestone_overdue"
    STAGE_STUCK = "stage_stuck"
    NOTICE_RECEIVED = "notice_received"
    CONTRACT_EXPIRED = "contract_expired"


class Severity(StrEnum):
    """How urgent an alert is; CRITICAL passes every budget."""

    NOTICE = "notice"
    HIGH = "high"
    CRITICAL = "critical"


class EpisodeState(StrEnum):
    """States of an alert episode; the last two are closed."""

    OPEN = "open"
    ACKED = "acked"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


class ConditionState(StrEnum):
    """States of a condition, per account and rule."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    CLEARING = "clearing"


class DigestWish(StrEnum):
    """How often a person wants a digest by direct message."""

    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


class ContactRole(StrEnum):
    """What a person at the customer is to us."""

    SPONSOR = "sponsor"
    CHAMPION = "champion"
    DECISION_MAKER = "decision_maker"
    USER = "user"
    TECHNICAL = "technical"
    BILLING = "billing"


class TouchKind(StrEnum):
    """How we were in touch. A NOTE is none: it only keeps something in mind."""

    NOTE = "note"
    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"
    MESSAGE = "message"


class Lane(StrEnum):
    """Whose part of the journey a milestone is: the customer's doing, ours, or a business goal of the stage."""

    CUSTOMER = "customer"
    OURS = "ours"
    GOAL = "goal"


class MilestoneState(StrEnum):
    """States of a milestone; the last two are settled."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class OfferState(StrEnum):
    """States of an offered check-in; only OFFERED waits for somebody."""

    OFFERED = "offered"
    DONE = "done"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"


class RenewalOutcome(StrEnum):
    """How a renewal ended; OPEN until somebody says. CANCELLED: there was nothing left to decide, because the contract
    was replaced, moved or removed, or its account is gone.
    """

    OPEN = "open"
    RENEWED = "renewed"
    EXPANDED = "expanded"
    CONTRACTED = "contracted"
    CHURNED = "churned"
    CANCELLED = "cancelled"


class RenewalVerdict(StrEnum):
    """The CSM's own call on a renewal, made before it is decided."""

    RENEWS = "renews"
    EXPANDS = "expands"
    AT_RISK = "at_risk"
    CHURNS = "churns"


class DigestKind(StrEnum):
    """Which digest: a person's own, the team channel's, the weekly table of renewals."""

    PERSON = "person"
    TEAM = "team"
    RENEWALS = "renewals"


class DismissReason(StrEnum):
    """Why a person dismissed an alert."""

    WRONG_DATA = "wrong_data"
    KNOWN = "known"
    NOT_RELEVANT = "not_relevant"
    TOO_SENSITIVE = "too_sensitive"
    OTHER = "other"


class QuietReason(StrEnum):
    """Why only digests and lists tell of an alert. BUDGET, CHANNEL: enough was told that day, to its person or in its
    channel; SEVERITY: its person wants to hear of graver ones alone; MUTED: not even digests tell of it.
    """

    FLAPPING = "flapping"
    DIGEST_KIND = "digest_kind"
    TIER = "tier"
    SEVERITY = "severity"
    BUDGET = "budget"
    CHANNEL = "channel"
    MUTED = "muted"


@dataclass(frozen=True)
class Actor:
    """Who made a change, for the audit: a member (its id), a job or an import (its name)."""

    kind: str
    id: str
    name: str = ""

    @classmethod
    def job(cls, name: str) -> Actor:
        """The clock's own hand, e.g. `Actor.job("scan")`."""
        return cls("job", name, name)


@dataclass(frozen=True)
class Change:
    """One audited fact: what was done to which object, and the values before and after (JSON-able)."""

    verb: str
    object_kind: str
    object_id: str
    account_id: str | None = None
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None


@dataclass(frozen=True)
class Enqueue:
    """One message to post or refresh: what (kind, reference) and where, never blocks.

    Args:
        kind: key of a slice's `renders`, e.g. "alert".
        reference: id of the thing the message shows.
        channel: Slack channel id, or a Slack user id for a direct message. Empty for an update,
            which goes where the post of the same kind and reference went.
        dedupe_key: unique in the workspace; a second enqueue with the same key changes nothing.
        is_update: re-render the message already posted for (kind, reference).
        thread_kind: with `thread_reference`, post in the thread of that message.
        priority: smaller goes first; 0 for answers to a click, 5 for alerts, 9 for digests.
        instead_of: the channel the message was meant for, where it goes elsewhere because nothing can be posted there.
    """

    kind: str
    reference: str
    channel: str = ""
    dedupe_key: str = ""
    is_update: bool = False
    thread_kind: str = ""
    thread_reference: str = ""
    priority: int = 5
    instead_of: str = ""
