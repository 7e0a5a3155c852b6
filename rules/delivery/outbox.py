"""What to make of Slack's answer to a message, and when to try again. Owns the meaning of Slack's error codes;
refuses to know how a request is made or where a message is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST_WAIT_SECONDS = 15 * 60.0
MOST_RENDER_ATTEMPTS = 6
UNSEEN = "may have been posted, history cannot be read"
SHARED = "another organisation reads this channel"
"""Why a message is not posted in a channel though Slack would let us."""

_TOKEN_ERRORS = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
_LIMIT_ERRORS = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})
_UNSURE_ERRORS = frozenset({"fatal_error", "internal_error", "service_unavailable"})
_REFUSED_FOR_NOW = frozenset({"request_timeout", "team_added_to_org"})
_GONE_ERRORS = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
        "thread_not_found",
    }
)
_PLACE_ERRORS = frozenset(
    {
        "cannot_dm_bot",
        "channel_not_found",
        "ekm_access_denied",
        "is_archived",
        "is_inactive",
        "not_in_channel",
        "posting_to_general_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    }
)
_SERVER_ERROR = 500
_TOO_MANY = 429


@dataclass(frozen=True)
class Pace:
    """How delivery keeps time, in wall seconds.

    Args:
        lease: how long a claimed row is its claimer's; longer than all requests for it together.
        settle: from an unanswered request until Slack is asked whether it took effect; longer than a request
            can take to land.
        spacing: between two posts to one channel.
        poll: between two looks for work when nobody nudges.
        timeout: of one request.
        sweep: from sending a message that had been uncertain until a look for a second copy of it.
        probe: between two questions whether a token that Slack refused works again.
    """

    lease: float = 60.0
    settle: float = 15.0
    spacing: float = 1.0
    poll: float = 1.0
    timeout: float = 10.0
    sweep: float = 300.0
    probe: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """What came back for one request.

    Args:
        error: Slack's code, or a word of ours ("timeout", "reset", …); "" when Slack said ok.
        status: the HTTP status, None without an answer.
        retry_after: seconds Slack asked to wait.
        channel: where the message is, when Slack said ok.
        ts: Slack's name of the message, when Slack said ok.
        was_sent: False when the request certainly never reached Slack (no connection).
    """

    error: str = ""
    status: int | None = 200
    retry_after: float | None = None
    channel: str = ""
    ts: str = ""
    was_sent: bool = True


class Verdict(StrEnum):
    """What an outcome means for the message."""

    SENT = "sent"
    LIMITED = "limited"  # refused, for the time Slack names
    RETRY = "retry"  # certainly not posted, and may be tried again
    UNCERTAIN = "uncertain"  # may or may not have been posted
    NOT_MEMBER = "not_member"  # posted once the bot has joined the channel
    GONE = "gone"  # the message it belongs to was deleted: nothing left to say
    DEAD = "dead"  # will never work by itself; a person must act
    TOKEN = "token"  # noqa: S105  # a verdict, not a secret: nothing of this workspace will work


def classify(outcome: Outcome) -> Verdict:
    """What an outcome means. An error code unknown to us is permanent: Slack refused, so nothing was posted."""
    if not outcome.was_sent:
        return Verdict.RETRY
    if outcome.status is None:
        return Verdict.UNCERTAIN
    if outcome.status == _TOO_MANY or outcome.error in _LIMIT_ERRORS:
        return Verdict.LIMITED
    if outcome.status >= _SERVER_ERROR or outcome.error in _UNSURE_ERRORS:
        return Verdict.UNCERTAIN
    return _judge_refusal(outcome.error)


def _judge_refusal(error: str) -> Verdict:
    if not error:
        return Verdict.SENT
    if error in _TOKEN_ERRORS:
        return Verdict.TOKEN
    if error in _REFUSED_FOR_NOW:
        return Verdict.RETRY
    if error in _GONE_ERRORS:
        return Verdict.GONE
    return Verdict.NOT_MEMBER if error == "not_in_channel" else Verdict.DEAD


def is_place_error(error: str) -> bool:
    """Whether a refusal is about the channel or person, so that the same message may go elsewhere."""
    return error in _PLACE_ERRORS


def backoff_seconds(attempts: int, luck: float) -> float:
    """How long to wait after `attempts` (>= 1) tries: exponential with full jitter, 1 s to 15 min.

    `luck` in 0…1 is the draw. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling = min(LONGEST_WAIT_SECONDS, 2.0 ** min(attempts, 20))
    return 1.0 + luck * (ceiling - 1.0)


def limit_seconds(retry_after: float | None, attempts: int, luck: float) -> float:
    """How long to hold a method that Slack limited: what it asked, plus up to a tenth (at least 1 s) of jitter, at
    most 15 min. Without Retry-After, the usual backoff.
    """
    if retry_after is None:
        return backoff_seconds(attempts, luck)
    return min(LONGEST_WAIT_SECONDS, retry_after + luck * max(1.0, retry_after / 10))
