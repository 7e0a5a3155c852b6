"""The forms of a journey: choose a template and a day, see its dates, go on, go back, close. Owns their fields; refuses
to act on them (`commands.success.journeys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.journeys import STAGE_LENGTH
from commands.kit import (
    Json,
    clip,
    context,
    date_picker,
    esc,
    form_field,
    menu,
    section,
    text_input,
)
from commands.naming import account_field
from commands.slice import FormView, Ref
from commands.success.journey_views import template_name
from rules.success.journey_walk import Fate, list_open
from rules.success.journeys import REASON_LENGTH, JourneyFacts, MilestoneFacts
from rules.success.templates import JourneyPlan
from storage.accounts.accounts import AccountRow
from storage.library import list_templates
from words.reader import Reader

START_FORM, PLAN_FORM = "journeys.start", "journeys.plan"
ADVANCE_FORM, BACK_FORM, CLOSE_FORM = "journeys.advance", "journeys.go_back", "journeys.close"
_OPTION = 75


@dataclass(frozen=True)
class Choice:
    """What was chosen of a journey to start; "" and None stand for what was not."""

    template_key: str = ""
    started_on: date | None = None
    stage_key: str = ""


def start_form(reader: Reader, account: AccountRow | None, choice: Choice, today: date) -> FormView:
    """Which template, and when it begins."""
    templates = [(each.key, template_name(reader, each)) for each in list_templates()]
    first = choice.template_key or templates[0][0]
    fields = (
        account_field(reader, account),
        form_field("template", reader.say("Template"), menu("value", "…", templates, initial=first)),
        form_field("started_on", reader.say("Begins on"), date_picker(initial=choice.started_on or today)),
    )
    ref = Ref("account", account.id if account else "")
    return FormView(START_FORM, reader.say("Start a journey"), fields, reader.say("See its dates"), ref)


def plan_form(
    reader: Reader, account: AccountRow, plan: JourneyPlan, running: JourneyFacts | None, today: date
) -> FormView:
    """Every date of the journey before it starts; the stage it begins in may be another one than the first."""
    stages = [(stage.key, stage.name) for stage in plan.stages]
    blocks = [section(f"*{shown_name(account)}* · {esc(plan.name)}")]
    if running is not None:
        blocks.append(section(_replaces(reader, running)))
    hint = reader.say("For an account that is further on already. Its dates are shown again before anything is saved.")
    stage = form_field(
        "stage", reader.say("It stands in"), menu("value", "…", stages, initial=plan.stage_key), hint=hint
    )
    extra = {
        "template": plan.template_key,
        "started_on": plan.started_on.isoformat(),
        "stage": plan.stage_key,
        "replaces": running.id if running else "",
    }
    ref = Ref("account", account.id, extra)
    shown = (*blocks, *_stage_blocks(reader, plan, today), stage)
    return FormView(PLAN_FORM, reader.say("Start a journey"), shown, reader.say("Start"), ref)


def advance_form(reader: Reader, account: AccountRow, journey: JourneyFacts, today: date) -> FormView:
    """What becomes of each open milestone of the stage, the required ones first; nothing is left out silently."""
    following, open_ones = journey.next_stage, list_open(journey)
    title = reader.say("Next stage") if following else reader.say("Finish the journey")
    lead = [section(_advance_words(reader, account, journey, len(open_ones)))]
    fields = [_fate_field(reader, each, today, has_next=following is not None) for each in open_ones]
    reason = _reason_field(reader, hint=reader.say("Needed where a required one is skipped."), is_optional=True)
    blocks = (*lead, *fields, *([reason] if fields else []))
    ref = Ref("account", account.id, {"seen": str(journey.version), "journey": journey.id})
    submit = reader.say("Go on") if following else reader.say("Finish")
    return FormView(ADVANCE_FORM, title, blocks, submit, ref)


def read_fates(values: Mapping[str, object], journey: JourneyFacts) -> dict[str, Fate]:
    """What was chosen in `advance_form`, by milestone."""
    known = {each.id: values.get(each.id) for each in list_open(journey)}
    return {id_: Fate(chosen) for id_, chosen in known.items() if isinstance(chosen, str) and chosen in list(Fate)}


def back_form(reader: Reader, account: AccountRow, journey: JourneyFacts) -> FormView:
    """Whether to go back to the stage before."""
    before = journey.stages[max(0, journey.place - 1)]
    text = reader.say(
        "{account} goes back from {stage} to {before}, which begins anew today. Milestones stay as they are.",
        account=f"*{shown_name(account)}*",
        stage=_stage_name(journey.stage_name),
        before=_stage_name(before.name),
    )
    ref = Ref("account", account.id, {"seen": str(journey.version), "journey": journey.id})
    return FormView(BACK_FORM, reader.say("Back a stage"), (section(text),), reader.say("Go back"), ref)


def close_form(reader: Reader, account: AccountRow, journey: JourneyFacts) -> FormView:
    """Why the journey ends here."""
    text = reader.say(
        "The journey of {account} ends in {stage}. What is open stays open and is not asked for any more.",
        account=f"*{shown_name(account)}*",
        stage=_stage_name(journey.stage_name),
    )
    ref = Ref("account", account.id, {"seen": str(journey.version), "journey": journey.id})
    fields = (section(text), _reason_field(reader))
    return FormView(CLOSE_FORM, reader.say("Close the journey"), fields, reader.say("Close it"), ref)


def _reason_field(reader: Reader, *, hint: str = "", is_optional: bool = False) -> Json:
    element = text_input(max_length=REASON_LENGTH)
    return form_field("reason", reader.say("Reason"), element, hint=hint, is_optional=is_optional)


def _replaces(reader: Reader, running: JourneyFacts) -> str:
    return reader.say(
        "⚠ It takes the place of the journey “{name}”, which is in {stage}.",
        name=esc(running.name),
        stage=_stage_name(running.stage_name),
    )


def _stage_blocks(reader: Reader, plan: JourneyPlan, today: date) -> list[Json]:
    blocks = []
    for stage in plan.stages:
        due = [
            f"{esc(each.name)} {reader.date(each.due_on, today=today)}"
            for each in plan.milestones
            if each.stage_key == stage.key
        ]
        if due:
            day = reader.date(stage.begins_on, today=today)
            head = reader.say("{stage} from {day}", stage=f"*{esc(stage.name)}*", day=day)
            blocks.append(section(f"{head}\n{' · '.join(due)}"))
    return blocks or [context(reader.say("It has no milestones."))]


def _advance_words(reader: Reader, account: AccountRow, journey: JourneyFacts, count: int) -> str:
    name, stage = f"*{shown_name(account)}*", _stage_name(journey.stage_name)
    if journey.next_stage is None:
        said = reader.say("{account} leaves {stage}, the last stage: the journey ends.", account=name, stage=stage)
    else:
        following = _stage_name(journey.next_stage.name)
        said = reader.say(
            "{account} leaves {stage}; {next} begins today.", account=name, stage=stage, next=f"*{following}*"
        )
    if not count:
        return said + " " + reader.say("Nothing is open in it.")
    return said + " " + reader.say_many("{count} milestone is open:", "{count} milestones are open:", count)


def _fate_field(reader: Reader, milestone: MilestoneFacts, today: date, *, has_next: bool) -> Json:
    choices = [(Fate.DONE.value, reader.say("Done"))]
    choices += [(Fate.NEXT.value, reader.say("Move to the next stage"))] if has_next else []
    choices.append((Fate.SKIP.value, reader.say("Skip")))
    day = reader.date(milestone.due_on, today=today)
    hint = reader.say("due {day}, required", day=day)
    if not milestone.is_required:
        hint = reader.say("due {day}, optional: skipped unless you choose otherwise", day=day)
    initial = "" if milestone.is_required else Fate.SKIP.value
    return form_field(
        milestone.id,
        clip(milestone.name, _OPTION),
        menu("value", reader.say("What becomes of it?"), choices, initial=initial),
        hint=hint,
        is_optional=not milestone.is_required,
    )


def _stage_name(name: str) -> str:
    return esc(clip(name, STAGE_LENGTH))
