"""The catalogue of metrics in Slack: browse it by step or industry, pick one for an account, hide it, add one's own.

Owns `/cs metrics`; a picked metric goes on in the target's form (`commands.success.target_forms`).
"""

from __future__ import annotations

from dataclasses import dataclass

from commands.access import require_on
from commands.blocks.targets import OPEN_METRICS
from commands.kit import Element, Json, actions, button, clip, context, esc, message, overflow, section
from commands.pages import Page, wanted_page
from commands.slice import (
    Button,
    Call,
    Command,
    Form,
    Message,
    Ref,
    Reply,
    Slice,
    Whisper,
    answer_in_place,
)
from commands.success.metrics_forms import METRIC_FORM, open_metric_form, read_unit
from commands.success.target_forms import open_target_form
from commands.success.target_words import TypedTarget
from commands.typed import get_today
from rules.errors import NotAllowedError, UserError
from rules.people.roles import Permission, may
from rules.records import TargetKind
from rules.success.metrics import decide_add_metric, decide_hide
from storage.accounts.accounts import find_account, list_in_channel
from storage.catalogue import MONEY, Metric, read_catalogue
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.metrics import Offered, apply_metrics, list_named_metrics, list_offered
from storage.success.target_metrics import list_ranked
from words.names import find_name, fold
from words.reader import Reader

MORE, ADD, PREVIOUS, NEXT = "metrics.more", "metrics.add", "metrics.previous", "metrics.next"
PAGE_LENGTH = 10
_HIDDEN = frozenset({"hidden", "隐藏", "隱藏"})
_OWN = frozenset({"own", "mine", "自己", "自定义", "自訂"})
_NAME_LENGTH = 80
_TEXT_LENGTH = 100


@dataclass(frozen=True)
class _Choice:
    """What part of the catalogue is meant, and its title."""

    title: str
    offered: list[Offered]


def metrics(call: Call, tx: Tx) -> list[Reply]:
    """`/cs metrics [STEP | DEPARTMENT | INDUSTRY | own | hidden]`; with no words all, those of the
    channel's industry first.
    """
    call.require(Permission.READ)
    return [Whisper(_page(call, tx, call.text.strip(), 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under the list."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    return [answer_in_place(call, _page(call, tx, extra.get("text", ""), wanted_page(call)))]


def choose(call: Call, tx: Tx) -> list[Reply]:
    """The menu behind a metric: pick it for an account, hide it, offer it again."""
    call.require(Permission.ACCOUNT_WRITE)
    key = call.ref.id if call.ref and call.ref.kind == "metric" else ""
    offered = next((each for each in list_offered(tx) if each.key == key), None)
    if offered is None:
        raise UserError("This number is not kept any more. Choose another one.")
    if call.ref is not None and call.ref.extra.get("do") in ("hide", "show"):
        return [_hide(call, tx, offered, is_hidden=call.ref.extra["do"] == "hide")]
    return [_pick(call, tx, offered)]


def open_add(call: Call, _tx: Tx) -> list[Reply]:
    """The form for a metric of one's own."""
    _require_lead(call)
    return [open_metric_form(call)]


def submit_add(call: Call, tx: Tx) -> list[Reply]:
    """The form: a metric that every target may use."""
    _require_lead(call)
    name = call.value("name")
    found = find_name(name, list_named_metrics(tx))
    is_known = found.match is not None and found.how in ("id", "name", "alias")
    unit = read_unit(call.value("unit"), get_workspace(tx).currency)
    (row,) = apply_metrics(tx, decide_add_metric(name, unit, is_known=is_known), call.person.actor, call.now)
    said = call.reader.say("Added: *{metric}*. Targets can use it now.", metric=esc(row.name))
    shown = Offered(row.key, row, None)
    return [Whisper(message(said, section(said, accessory=_menu(call, shown))))]


# ---------------------------------------------------------------- acts


def _pick(call: Call, tx: Tx, offered: Offered) -> Reply:
    """The target's form with the metric; for the account of the channel where there is one."""
    here = list_in_channel(tx, call.channel)
    account = find_account(tx, here[0].id) if len(here) == 1 else None
    if account is not None:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    kind = offered.entry.kind if offered.entry else TargetKind.LEVEL
    return open_target_form(call, tx, account, TypedTarget(metric=offered.key, kind=kind), get_today(call, tx))


def _hide(call: Call, tx: Tx, offered: Offered, *, is_hidden: bool) -> Reply:
    _require_lead(call)
    home, shown = get_workspace(tx).currency, offered.show(call.reader.locale)
    name = offered.row.name if offered.row else offered.list_names()[0]
    unit = home if offered.unit == MONEY else offered.unit
    (row,) = apply_metrics(tx, decide_hide(offered.key, name, unit, is_hidden=is_hidden), call.person.actor, call.now)
    metric = esc(clip(shown, _NAME_LENGTH))
    said = (
        call.reader.say("*{metric}* is hidden: it is offered no more. Targets that use it stay.", metric=metric)
        if is_hidden
        else call.reader.say("*{metric}* is offered again.", metric=metric)
    )
    back = {"do": "show" if is_hidden else "hide"}
    return Whisper(
        message(said, section(said), actions(button(call.reader.say("Undo"), MORE, Ref("metric", row.key, back))))
    )


def _require_lead(call: Call) -> None:
    call.require(Permission.ACCOUNT_WRITE)
    if not may(call.person.role, Permission.SETUP):
        raise NotAllowedError("Only a lead changes what the catalogue offers. Ask one of them.")


# ---------------------------------------------------------------- showing


def _page(call: Call, tx: Tx, text: str, wanted: int) -> Message:
    chosen, reader = _choose(call, tx, text), call.reader
    page = Page(len(chosen.offered), PAGE_LENGTH, wanted)
    lines: list[Json] = [
        section(_words(reader, each), accessory=_menu(call, each)) for each in page.cut(chosen.offered)
    ]
    if not lines:
        lines = [section(reader.say("Nothing here. `/cs metrics` shows the whole catalogue."))]
    buttons = page.buttons(reader, PREVIOUS, NEXT, Ref("page", "", {"text": text[:_TEXT_LENGTH]}))
    if may(call.person.role, Permission.SETUP):
        buttons.append(button(reader.say("Add a metric"), ADD, Ref("metric", "")))
    hint = reader.say("By step or industry: {steps}", steps=", ".join(_step_names(reader)))
    return message(
        chosen.title,
        section(chosen.title),
        *lines,
        context(" · ".join(filter(None, (page.place_words(reader), hint)))),
        *([actions(*buttons)] if buttons else []),
    )


def _choose(call: Call, tx: Tx, text: str) -> _Choice:
    """Raises `UserError` for words that are no part of the catalogue."""
    reader, catalogue, typed = call.reader, read_catalogue(), fold(text)
    if not typed:
        here = list_in_channel(tx, call.channel)
        ranked = list_ranked(tx, here[0].industry if len(here) == 1 else "")
        return _Choice(f"*{reader.say('Metrics')}*", [each for each in ranked if not each.is_hidden])
    if typed in _HIDDEN:
        return _Choice(f"*{reader.say('Hidden metrics')}*", [each for each in list_offered(tx) if each.is_hidden])
    offered = [each for each in list_offered(tx) if not each.is_hidden]
    if typed in _OWN:
        return _Choice(f"*{reader.say('Metrics of your own')}*", [each for each in offered if each.entry is None])
    for step in catalogue.steps:
        if typed in {fold(name) for name in (step.key, *step.name.list_all())}:
            keys = {metric.key for metric in step.metrics}
            return _Choice(f"*{step.name.get(reader.locale)}*", [each for each in offered if each.key in keys])
    theirs = [each for each in offered if each.entry and typed in map(fold, each.entry.departments)]
    if theirs:
        return _Choice(f"*{esc(text)}*", theirs)
    industries = catalogue.find_industries(text)
    if not industries:
        raise UserError(
            "“{text}” is no step, department or industry of the catalogue. `/cs metrics` shows all of it.", text=text
        )
    names = ", ".join(sorted(catalogue.industries[key].name.get(reader.locale) for key in industries))
    fitting = [each for each in offered if each.entry and industries & set(each.entry.industries)]
    return _Choice(f"*{names}*", fitting)


def _words(reader: Reader, offered: Offered) -> str:
    """Name, unit and direction; whose number it is; what is known of its usual range."""
    name = f"*{esc(clip(offered.show(reader.locale), _NAME_LENGTH))}*"
    unit = reader.say("money") if offered.unit == MONEY else offered.unit
    if offered.entry is None:
        return " · ".join(filter(None, [name, esc(unit), reader.say("your own")]))
    entry = offered.entry
    first = " · ".join(filter(None, [name, esc(unit), _direction_words(reader, entry)]))
    people = ", ".join(esc(each) for each in entry.departments)
    return f"{first}\n{people} · {_range_words(reader, entry)}" + (f"\n_{esc(entry.note)}_" if entry.note else "")


def _direction_words(reader: Reader, entry: Metric) -> str:
    return reader.say("less is better") if entry.direction == "down" else reader.say("more is better")


def _range_words(reader: Reader, entry: Metric) -> str:
    if entry.benchmark == "none":
        return reader.say("no benchmark")
    low, high = (reader.quantity(each, entry.unit) for each in (entry.benchmark.low, entry.benchmark.high))
    return reader.say("usually {low} to {high} ({source})", low=low, high=high, source=esc(entry.benchmark.source))


def _step_names(reader: Reader) -> list[str]:
    return [step.name.get(reader.locale) for step in read_catalogue().steps]


def _menu(call: Call, offered: Offered) -> Element:
    """Picking for everybody, hiding for leads."""
    pick = Ref("metric", offered.key, {"do": "pick"}).dump()
    choices = [(pick, call.reader.say("Pick for an account"))]
    if may(call.person.role, Permission.SETUP):
        do, label = (
            ("show", call.reader.say("Offer it again")) if offered.is_hidden else ("hide", call.reader.say("Hide it"))
        )
        choices.append((Ref("metric", offered.key, {"do": do}).dump(), label))
    return overflow(MORE, choices)


SLICE = Slice(
    name="metrics",
    commands=(
        Command(
            "metrics",
            "[STEP | DEPARTMENT | INDUSTRY | own | hidden]",
            "The catalogue of numbers that targets can be about",
            metrics,
            "reads",
            ("metrics", "metrics support", "metrics sales", "metrics retail", "metrics hidden"),
        ),
    ),
    buttons=(
        Button(MORE, choose, "writes"),
        Button(ADD, open_add, "reads"),
        Button(OPEN_METRICS, turn_page, "reads"),
        Button(PREVIOUS, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
    ),
    forms=(Form(METRIC_FORM, submit_add),),
)
