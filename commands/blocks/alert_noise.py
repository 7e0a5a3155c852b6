"""What an alert says of noise control: why it waits, and to whom it was told. Pure: rows in, text out; refuses to
decide (`rules.alerts.noise`).
"""

from __future__ import annotations

from commands.blocks.alert_looks import AlertView
from commands.kit import mention
from rules.alerts.standing import BY_BUDGET
from rules.records import EpisodeState, QuietReason
from storage.alerts.alerts import EpisodeRow
from words.reader import Reader

PLAIN = ("", QuietReason.DIGEST_KIND)
"""Reasons that lists do not name: alerts of that kind are always for digests alone."""


def quiet_words(reader: Reader, row: EpisodeRow) -> str:
    """Why nobody is told of an open alert now; "" where somebody was, or will be at once: also by a
    level of escalation, where a digest was to tell of it.
    """
    if row.is_quiet and not (row.escalated_to and row.quiet_reason in BY_BUDGET):
        return _reason_words(reader, row)
    if row.held_until and row.announced_at is None and row.state is EpisodeState.OPEN:
        return reader.say("will be told {time}: until then it is quiet", time=reader.moment(row.held_until))
    return ""


def _reason_words(reader: Reader, row: EpisodeRow) -> str:
    count = row.quiet_count
    words: dict[str, str] = {
        QuietReason.FLAPPING: reader.say("for digests only: on and off lately"),
        QuietReason.TIER: reader.say("waits for the digest: accounts of its tier interrupt nobody"),
        QuietReason.SEVERITY: reader.say("waits for the digest: not grave enough to interrupt"),
        QuietReason.BUDGET: reader.say_many(
            "waits for the digest: {count} alert that day already",
            "waits for the digest: {count} alerts that day already",
            count,
        ),
        QuietReason.CHANNEL: reader.say_many(
            "waits for the digest: {count} message in the channel that day already",
            "waits for the digest: {count} messages in the channel that day already",
            count,
        ),
        QuietReason.MUTED: reader.say("muted"),
    }
    return words.get(row.quiet_reason, reader.say("for digests only"))


def reader_words(reader: Reader, view: AlertView) -> str:
    """Whose it is, and who was told in their place: the cover of who is away, the lead where it is nobody's."""
    told = mention(view.told.slack_id) if view.told else ""
    if view.owner is None:
        return reader.say("no owner: {lead} is told", lead=told) if told else reader.say("no owner")
    owner = mention(view.owner.slack_id)
    is_covered = bool(told) and view.row.told_for == view.owner.id
    return reader.say("{cover} for {owner}, who is away", cover=told, owner=owner) if is_covered else owner
