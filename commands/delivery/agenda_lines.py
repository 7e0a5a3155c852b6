"""Lines of a digest and of one's day on the Home tab: one thing to do or to be glad of, with the one button that deals
with it. Owns loading what a page of lines tells of, in a fixed number of queries, and their words; refuses to choose
and to order them (`rules.delivery.digests`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from commands.alerts.alert_views import load_views
from commands.blocks.accounts import shown_name
from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import alert_line, open_button
from commands.blocks.checkins import checkin_button, first_words
from commands.blocks.renewals import renewal_button, renewal_line, verdict_button
from commands.blocks.targets import log_button
from commands.kit import Element, Json, button, clip, esc, mention, section
from commands.slice import Ref
from rules.delivery.digests import Item, Matter, is_urgent
from rules.records import AlertKind
from storage.accounts.accounts import AccountRow
from storage.agenda import Rows, load_rows
from storage.db import Tx
from storage.renewals.readiness import Prospect, list_prospects
from storage.success.checkins import last_checkins
from storage.success.metrics import name_metrics
from words.reader import Reader

TAKE, DONE, SETTLE = "digests.take", "digests.done", "digests.settle"
_TEXT_LENGTH = 200
_LATE, _DUE, _LATER = "🔴", "🟡", "○"
_OF_TARGETS = (AlertKind.TARGET_BEHIND, AlertKind.TARGET_STALE, AlertKind.STEP_DUE)


@dataclass(frozen=True)
class Sight:
    """What lines tell of. `reader_id` is the member who reads; `digest_id` the digest they stand in ("" for none);
    `checked` are the accounts, of those with a check-in due, that had one before.
    """

    day: date
    reader_id: str
    digest_id: str = ""
    rows: Rows = field(default_factory=Rows)
    alerts: Mapping[str, AlertView] = field(default_factory=dict)
    prospects: Mapping[str, Prospect] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()


def load_sight(tx: Tx, reader: Reader, items: Sequence[Item], day: date, reader_id: str, digest_id: str = "") -> Sight:
    """Everything that the lines of these items tell of."""
    rows = load_rows(tx, items)
    return Sight(
        day,
        reader_id,
        digest_id,
        rows,
        {view.row.id: view for view in load_views(tx, reader, list(rows.alerts.values()))},
        list_prospects(tx, list(rows.renewals.values()), day) if rows.renewals else {},
        name_metrics(tx, {each.metric_key for each in rows.targets.values()}, reader.locale) if rows.targets else {},
        frozenset(last_checkins(tx, {each.account_id for each in rows.checkins.values()}) if rows.checkins else ()),
    )


def line_blocks(reader: Reader, items: Sequence[Item], sight: Sight) -> list[Json]:
    """A line with its button for each item; what is gone meanwhile is left out."""
    drawn = (_draw(reader, item, sight) for item in items)
    return [
        section(f"{line}{_for_whom(reader, item, sight)}", accessory=element)
        for item, (line, element) in zip(items, drawn, strict=True)
        if line
    ]


def _draw(reader: Reader, item: Item, sight: Sight) -> tuple[str, Element | None]:
    account = sight.rows.accounts.get(item.account_id)
    if account is None:
        return "", None
    match item.matter:
        case Matter.ALERT:
            return _draw_alert(reader, item, sight)
        case Matter.CHECKIN:
            return _checkin_words(reader, account, item, sight), checkin_button(reader, account.id)
        case Matter.MILESTONE:
            return _draw_milestone(reader, account, item, sight)
        case Matter.TASK:
            return _draw_task(reader, account, item, sight)
        case Matter.RENEWAL:
            return _draw_renewal(reader, account, item, sight)
        case Matter.REACHED:
            return _draw_reached(reader, account, item, sight)


def _draw_alert(reader: Reader, item: Item, sight: Sight) -> tuple[str, Element | None]:
    view = sight.alerts.get(item.id)
    if view is None:
        return "", None
    line = alert_line(reader, view, is_in_digest=True)
    if is_urgent(item):
        waits = (sight.day - view.row.opened_at.date()).days
        unclaimed = " · " + reader.say("unclaimed for {span}", span=reader.span(waits)) if waits > 0 else ""
        return f"{line}{unclaimed}", _settling(reader.say("Take"), TAKE, "episode", item, sight)
    if view.row.kind in _OF_TARGETS:
        key = str(view.facts.get("metric_key") or "")
        return line, log_button(reader, item.account_id, metric_key=key)
    return line, open_button(reader, item.id)


def _checkin_words(reader: Reader, account: AccountRow, item: Item, sight: Sight) -> str:
    if item.account_id not in sight.checked:
        return f"{_DUE} *{shown_name(account)}* · {first_words(reader)}"
    return _dated(reader, account, reader.say("check-in"), item, sight)


def _draw_milestone(reader: Reader, account: AccountRow, item: Item, sight: Sight) -> tuple[str, Element | None]:
    row = sight.rows.milestones.get(item.id)
    if row is None:
        return "", None
    line = _dated(reader, account, esc(clip(row.name, _TEXT_LENGTH)), item, sight)
    return line, _settling(reader.say("Done"), SETTLE, "milestone", item, sight)


def _draw_task(reader: Reader, account: AccountRow, item: Item, sight: Sight) -> tuple[str, Element | None]:
    row = sight.rows.tasks.get(item.id)
    if row is None:
        return "", None
    line = _dated(reader, account, esc(clip(row.text, _TEXT_LENGTH)), item, sight)
    return line, _settling(reader.say("Done"), DONE, "task", item, sight)


def _draw_renewal(reader: Reader, account: AccountRow, item: Item, sight: Sight) -> tuple[str, Element | None]:
    row, prospect = sight.rows.renewals.get(item.id), sight.prospects.get(item.id)
    if row is None or prospect is None:
        return "", None
    line = renewal_line(reader, row, account, prospect.readiness, prospect.health, today=sight.day)
    return line, renewal_button(reader, account.id) if row.verdict else verdict_button(reader, row)


def _draw_reached(reader: Reader, account: AccountRow, item: Item, sight: Sight) -> tuple[str, Element | None]:
    row = sight.rows.targets.get(item.id)
    if row is None:
        return "", None
    metric = esc(clip(sight.metrics.get(row.metric_key, row.metric_key), _TEXT_LENGTH))
    goal = reader.quantity(row.goal, row.unit)
    words = reader.say(
        "{account} reached {metric} {goal}: a good moment to ask for a reference",
        account=f"*{shown_name(account)}*", metric=metric, goal=goal,
    )  # fmt: skip
    return f"✅ {words}", None


def _dated(reader: Reader, account: AccountRow, what: str, item: Item, sight: Sight) -> str:
    """A mark that tells how late it is, the account, what is to be done and by when."""
    due = item.due_on or sight.day
    late = (sight.day - due).days
    if late > 0:
        mark, when = _LATE, reader.say("due {span} ago", span=reader.span(late))
    elif late == 0:
        mark, when = _DUE, reader.say("due today")
    else:
        day = reader.date(due, today=sight.day)
        mark, when = _LATER, f"{reader.weekday(due.weekday())} {day}"
    return f"{mark} *{shown_name(account)}* · {what} · {when}"


def _for_whom(reader: Reader, item: Item, sight: Sight) -> str:
    """Whose it is, where that is not who reads: covered, or nobody's."""
    if item.owner_id == sight.reader_id:
        return ""
    owner = sight.rows.owners.get(item.owner_id or "")
    if owner is None:
        return " · " + reader.say("nobody's")
    return " · " + reader.say("for {person}", person=esc(owner.name) or mention(owner.slack_id))


def _settling(label: str, action: str, kind: str, item: Item, sight: Sight) -> Element:
    """A button that settles the item, and afterwards shows the digest it stands in anew."""
    extra = {"digest": sight.digest_id} if sight.digest_id else {}
    return button(label, action, Ref(kind, item.id, extra))
