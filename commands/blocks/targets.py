"""What a target looks like: its line with the bar, its status in words. Pure: rows and assessments in, text out."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from slack_sdk.models.blocks import ButtonElement

from commands.kit import button, clip, esc
from commands.slice import Ref
from rules.records import TargetKind
from rules.success.targets import Assessment, TargetStatus, is_keep
from storage.success.targets import TargetRow
from words.reader import Reader

ADD_TARGET = "targets.add"
LOG_VALUE = "targets.log_form"
SHOW_TARGET = "targets.show"
ALL_TARGETS = "targets.all"
OPEN_METRICS = "metrics.open"

BAR_CELLS = 10
_SHOWN_DIGITS = 3
_NAME_LENGTH = 80
_WORST_DECIMALS = 9
_MARKS = {
    TargetStatus.ACHIEVED: "✅",
    TargetStatus.AHEAD: "🟢",
    TargetStatus.ON_TRACK: "🟢",
    TargetStatus.BEHIND: "🟡",
    TargetStatus.MISSED: "🔴",
    TargetStatus.UNPROVEN: "🔴",
}


def target_lines(reader: Reader, target: TargetRow, found: Assessment, metric_name: str) -> str:
    """Two lines of mrkdwn: mark, metric, where it stands; the bar with the share of the way and the status."""
    mark = status_mark(found)
    name = f"*{esc(clip(metric_name, _NAME_LENGTH))}*"
    first = f"{mark} {name}  {stand_line(reader, target, found)}"
    return f"{first}\n{bar_line(reader, target, found)} · {status_words(reader, target, found)}"


def status_mark(found: Assessment) -> str:
    """One sign for the status."""
    return _MARKS.get(found.status, "⚪")


def stand_line(reader: Reader, target: TargetRow, found: Assessment) -> str:
    """Where a target stands and where it should go: "6.1 % on 2 Sep 2026 → 10 % by 31 Dec 2026"."""
    aim = aim_words(reader, target)
    if found.current is None or found.measured_on is None:
        return reader.say("not measured yet → {aim}", aim=aim)
    return reader.say(
        "{value} on {day} → {aim}",
        value=reader.quantity(found.current, target.unit),
        day=reader.date(found.measured_on),
        aim=aim,
    )


def aim_words(reader: Reader, target: TargetRow) -> str:
    """What is to be reached: "10 % by 31 Dec 2026", "€20M in all by …", "at least 95 % until …"."""
    goal, due = reader.quantity(target.goal, target.unit), reader.date(target.due_on)
    match target.kind:
        case TargetKind.CUMULATIVE:
            return reader.say("{goal} in all by {due}", goal=goal, due=due)
        case TargetKind.KEEP_ABOVE:
            return reader.say("at least {goal} until {due}", goal=goal, due=due)
        case TargetKind.KEEP_BELOW:
            return reader.say("at most {goal} until {due}", goal=goal, due=due)
        case _:
            return reader.say("{goal} by {due}", goal=goal, due=due)


def bar_line(reader: Reader, target: TargetRow, found: Assessment) -> str:
    """The bar and what it says: `▓▓░░░░░░░░ 22 % of the way`."""
    return f"{draw_bar(found.progress)} {way_words(reader, target, found)}"


def way_words(reader: Reader, target: TargetRow, found: Assessment) -> str:
    """How much of the way is done: "22 % of the way", "80 % of the values within the limit"."""
    share = reader.quantity(percent(found.progress), "%")
    if is_keep(target.kind):
        return reader.say("{share} of the values within the limit", share=share)
    return reader.say("{share} of the way", share=share)


def percent(progress: float | None) -> int:
    """The share shown: 0 to 100, and 100 only when all of it is done."""
    raw = round((progress or 0.0) * 100)
    return 100 if progress is not None and progress >= 1 else max(0, min(99, raw))


def draw_bar(progress: float | None) -> str:
    """Ten cells, as many full as whole tenths are done."""
    full = percent(progress) * BAR_CELLS // 100
    return "▓" * full + "░" * (BAR_CELLS - full)


def status_words(reader: Reader, target: TargetRow, found: Assessment) -> str:
    """The status as the end of a sentence: "on track", "61 days behind (the plan had 6.1 % on 3 Jul 2026)"."""
    match found.status:
        case TargetStatus.BEHIND | TargetStatus.AHEAD:
            return _pace_words(reader, target, found)
        case TargetStatus.ACHIEVED:
            return reader.say("achieved, late") if found.is_late else reader.say("achieved")
        case TargetStatus.STALE:
            return reader.say("no value for a long time: log one")
        case TargetStatus.TOO_EARLY:
            return reader.say("too early to tell")
        case TargetStatus.UNPROVEN:
            return reader.say("due date passed without a value")
        case _:
            return _plain_words(reader, found.status)


def _plain_words(reader: Reader, status: TargetStatus) -> str:
    words = {
        TargetStatus.DRAFT: reader.say("draft, not agreed yet"),
        TargetStatus.PAUSED: reader.say("paused"),
        TargetStatus.REPLACED: reader.say("replaced by a newer target"),
        TargetStatus.MISSED: reader.say("missed"),
    }
    return words.get(status) or reader.say("on track")


def _pace_words(reader: Reader, target: TargetRow, found: Assessment) -> str:
    is_behind = found.status is TargetStatus.BEHIND
    if found.days_behind is None or found.passed_on is None or found.current is None:
        points = reader.number(abs(round(found.points_behind or 0)))
        if is_keep(target.kind):
            return reader.say("out of its limit too often")
        return (
            reader.say("{points} points behind", points=points)
            if is_behind
            else reader.say("{points} points ahead", points=points)
        )
    span = reader.span(abs(found.days_behind))
    if not is_behind:
        return reader.say("{span} ahead", span=span)
    value = reader.quantity(round_value(found.current, target), target.unit)
    day = reader.date(found.passed_on)
    return reader.say("{span} behind (the plan had {value} on {day})", span=span, value=value, day=day)


def round_value(value: Decimal, target: TargetRow) -> Decimal:
    """A computed value with as many decimals as the target's way needs: 3 digits of it, at most 9 decimals."""
    start = Decimal(0) if target.baseline is None else target.baseline
    span = abs(target.goal - start) or abs(target.goal) or Decimal(1)
    decimals = min(_WORST_DECIMALS, max(0, _SHOWN_DIGITS - 1 - span.adjusted()))
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return Decimal(f"{rounded.normalize():f}")


def log_button(reader: Reader, account_id: str, *, metric_key: str = "", is_primary: bool = False) -> ButtonElement:
    """Opens the form for a value of the account (and metric, if given)."""
    extra = {"metric": metric_key} if metric_key else {}
    style = "primary" if is_primary else None
    return button(reader.say("Log a value"), LOG_VALUE, Ref("account", account_id, extra), style=style)


def add_target_button(reader: Reader, account_id: str) -> ButtonElement:
    """Opens the form for a target of the account."""
    return button(reader.say("Add target"), ADD_TARGET, Ref("account", account_id))


def show_target_button(reader: Reader, target_id: str) -> ButtonElement:
    """Shows one target with all there is to do about it."""
    return button(reader.say("Show target"), SHOW_TARGET, Ref("target", target_id))


def all_targets_button(reader: Reader, account_id: str) -> ButtonElement:
    """Lists the targets of the account."""
    return button(reader.say("Targets"), ALL_TARGETS, Ref("account", account_id))


def metrics_button(reader: Reader) -> ButtonElement:
    """Opens the catalogue of metrics."""
    return button(reader.say("Metrics"), OPEN_METRICS, Ref("page", ""))
