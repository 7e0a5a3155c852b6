"""Questions asked before a target is stored: what "by 10 %" means, whether a far goal is meant. Owns the questions and
what their buttons carry; refuses to store (`commands.success.target_making`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from commands.blocks.accounts import shown_name
from commands.kit import actions, button, clip, esc, message, section
from commands.slice import Call, Message, Ref
from commands.success.target_making import Place
from commands.success.target_steps import write_steps
from commands.success.target_words import TypedTarget
from rules.records import TargetKind
from rules.success.plans import Raise, TargetDraft, raised
from rules.success.target_doubts import Doubt, DoubtKind
from rules.success.target_steps import Load, Rhythm
from words.numbers import Quantity
from words.reader import Reader

RAISE = {meaning: f"targets.raise_{meaning.value}" for meaning in Raise}
SURE, RETHINK = "targets.sure", "targets.rethink"
_NAME_LENGTH = 80


def ask_raise(call: Call, place: Place, draft: TargetDraft, typed: TypedTarget, amount: Decimal) -> Message:
    """What "by 10 %" means: to it, by so many points, by a share of today."""
    reader, baseline = call.reader, draft.baseline or Decimal(0)
    shown, metric = reader.quantity(amount, "%"), esc(clip(draft.metric, _NAME_LENGTH))
    goals = {meaning: raised(baseline, amount, meaning, is_down=typed.is_down) for meaning in Raise}
    values = {meaning: reader.quantity(goal, "%") for meaning, goal in goals.items()}
    labels = {
        Raise.TO: reader.say("to {value}", value=values[Raise.TO]),
        Raise.POINTS: reader.say(
            "by {points} points, to {value}", points=reader.number(amount), value=values[Raise.POINTS]
        ),
        Raise.RELATIVE: reader.say("by {share} of today, to {value}", share=shown, value=values[Raise.RELATIVE]),
    }
    text = reader.say(
        "{metric} of {account} is at {baseline}. What does “by {amount}” mean?",
        metric=metric,
        account=shown_name(place.account),
        baseline=reader.quantity(baseline, "%"),
        amount=shown,
    )
    buttons = [button(labels[each], RAISE[each], carry(place, draft, goals[each])) for each in Raise]
    return message(text, section(text), actions(*buttons))


def ask_goal(call: Call, place: Place, draft: TargetDraft, doubt: Doubt) -> Message:
    """Whether the goal is meant, once."""
    reader = call.reader
    name, account = esc(clip(draft.metric, _NAME_LENGTH)), f"*{shown_name(place.account)}*"
    why = doubt_words(reader, doubt, draft)
    text = reader.say("{account} · {metric}: {why} Is the goal meant so?", account=account, metric=name, why=why)
    carried = carry(place, draft, draft.goal)
    yes = reader.say("Yes, {goal}", goal=reader.quantity(draft.goal, draft.unit))
    return message(
        text, section(text), actions(button(yes, SURE, carried), button(reader.say("Change it"), RETHINK, carried))
    )


def doubt_words(reader: Reader, doubt: Doubt, draft: TargetDraft) -> str:
    """Why the goal is questioned, as a sentence."""
    goal, limit = reader.quantity(draft.goal, draft.unit), reader.quantity(doubt.limit, draft.unit)
    match doubt.kind:
        case DoubtKind.IMPOSSIBLE:
            return reader.say("{goal} is past what this number can be ({limit}).", goal=goal, limit=limit)
        case DoubtKind.BEYOND_RANGE:
            source = esc(doubt.source)
            return reader.say(
                "{goal} is far beyond the usual {limit} ({source}).", goal=goal, limit=limit, source=source
            )
        case DoubtKind.BEYOND_PEERS:
            return reader.say_many(
                "{goal} is far beyond {limit}, the best of your {count} other account.",
                "{goal} is far beyond {limit}, the best of your {count} other accounts.",
                doubt.accounts,
                goal=goal,
                limit=limit,
            )


def carry(place: Place, draft: TargetDraft, goal: Decimal) -> Ref:
    """The draft with this goal, as a button carries it."""
    extra = {
        "metric": draft.metric_key or draft.metric,
        "kind": draft.kind.value,
        "baseline": "" if draft.baseline is None else f"{draft.baseline:f}",
        "goal": f"{goal:f}",
        "unit": draft.unit,
        "start_on": draft.start_on.isoformat(),
        "due_on": draft.due_on.isoformat(),
        "cadence": str(draft.cadence_days),
        "draft": "" if draft.agreed_on else "1",
        "steps": write_steps(draft.steps or (), draft.unit).replace("\n", ";"),
        "load": draft.load.value,
        "rhythm": draft.rhythm.value,
        "owner_id": draft.owner_id or "",
        "them": draft.customer_owner,
    }
    return Ref("account", place.account.id, {name: value for name, value in extra.items() if value})


def read_carried(extra: Mapping[str, str]) -> TypedTarget:
    """What `carry` wrote. Raises `KeyError`, `ValueError` or `ArithmeticError` for anything else."""
    unit, baseline = extra.get("unit", ""), extra.get("baseline", "")
    return TypedTarget(
        metric=extra["metric"],
        kind=TargetKind(extra.get("kind", TargetKind.LEVEL)),
        baseline=Quantity(Decimal(baseline), unit) if baseline else None,
        goal=Quantity(Decimal(extra["goal"]), unit),
        start_on=date.fromisoformat(extra["start_on"]),
        due_on=date.fromisoformat(extra["due_on"]),
        cadence_days=int(extra["cadence"]),
        is_draft=extra.get("draft") == "1",
        steps=extra.get("steps", ""),
        load=Load(extra.get("load", Load.LINEAR)),
        rhythm=Rhythm(extra.get("rhythm", Rhythm.EVEN)),
        owner_id=extra.get("owner_id") or None,
        customer_owner=extra.get("them", ""),
    )
