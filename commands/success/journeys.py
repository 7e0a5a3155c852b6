"""Journeys: `/cs journey`, `/cs journeys`, the forms that start, advance and close one, undo. Owns what people do with
the walk itself; refuses single milestones (`commands.success.milestones`) and how a journey looks
(`commands.success.journey_views`).
"""

from __future__ import annotations

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.journeys import ADVANCE, ALL_STAGES, JOURNEY_MORE, SHOW, STAGE, STAGE_LENGTH, START
from commands.kit import clip, esc
from commands.naming import find_account_here
from commands.pages import wanted_page
from commands.slice import (
    Button,
    Call,
    Command,
    Form,
    Message,
    OpenForm,
    Reply,
    Slice,
    UpdateForm,
    Whisper,
    answer_in_place,
)
from commands.success import milestones
from commands.success.journey_acts import (
    UNDO,
    Walk,
    answer,
    carry_out,
    get_doer,
    get_pressed_walk,
    get_seen,
    get_walk,
    render_now,
    undo,
)
from commands.success.journey_forms import (
    ADVANCE_FORM,
    BACK_FORM,
    CLOSE_FORM,
    PLAN_FORM,
    START_FORM,
    Choice,
    advance_form,
    back_form,
    close_form,
    plan_form,
    read_fates,
    start_form,
)
from commands.success.journey_list import BACK, NEXT, render_walks
from commands.success.journey_views import render_stages
from commands.success.journey_words import Wish, find_stage, get_access, read_start, split_wish
from commands.typed import get_today, read_date
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.success.journey_walk import decide_advance, decide_back, decide_close, decide_start, list_open
from rules.success.journeys import JourneyFacts
from rules.success.templates import JourneyPlan, plan_journey
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.library import find_template
from storage.people.workspaces import get_workspace
from storage.success.journeys import find_journey_facts
from words.language import get_language

# ---------------------------------------------------------------- typed


def journey(call: Call, tx: Tx) -> list[Reply]:
    """`/cs journey ACCOUNT [STAGE | stages | start … | next | back | close because …]`; without an account, where one's
    own stand.
    """
    call.require(Permission.READ)
    account, rest = find_account_here(call, tx, call.text, is_free_text=True)
    if account is None:
        return [Whisper(render_walks(call, tx, "", 1, get_today(call, tx)))]
    wish, words = split_wish(rest)
    if wish is Wish.START:
        return _start_typed(call, tx, account, words)
    if wish is not None:
        return _walk_typed(call, tx, get_walk(call, tx, account), wish, words)
    return [Whisper(_shown(call, tx, account, rest))]


def list_(call: Call, tx: Tx) -> list[Reply]:
    """`/cs journeys [mine | all | stuck | @person]`: the first page."""
    call.require(Permission.READ)
    return [Whisper(render_walks(call, tx, call.text, 1, get_today(call, tx)))]


def _shown(call: Call, tx: Tx, account: AccountRow, words: str) -> Message:
    found = find_journey_facts(tx, account.id)
    if found is None or not words:
        return render_now(call, tx, account)
    if words.casefold() in {"stages", "all", "阶段", "階段"}:
        return render_stages(call.reader, account, found, get_today(call, tx))
    return render_now(call, tx, account, find_stage(found, words))


def _start_typed(call: Call, tx: Tx, account: AccountRow, words: str) -> list[Reply]:
    """At once where a template is named and nothing is replaced; else the form."""
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    choice = read_start(words, get_today(call, tx))
    running = find_journey_facts(tx, account.id)
    if not choice.template_key:
        return [OpenForm(start_form(call.reader, account, choice, get_today(call, tx)))]
    plan = _make_plan(call, tx, account, choice)
    if running is not None:
        return [OpenForm(plan_form(call.reader, account, plan, running, get_today(call, tx)))]
    return _start(call, tx, account, plan, None)


def _walk_typed(call: Call, tx: Tx, walk: Walk, wish: Wish, words: str) -> list[Reply]:
    if wish is Wish.NEXT and any(each.is_required for each in list_open(walk.journey)):
        return [OpenForm(advance_form(call.reader, walk.account, walk.journey, walk.doer.today))]
    if wish is Wish.NEXT:
        return _advance(call, tx, walk)
    if wish is Wish.BACK:
        return _go_back(call, tx, walk)
    if not words:
        return [OpenForm(close_form(call.reader, walk.account, walk.journey))]
    return _close(call, tx, walk, words)


# ---------------------------------------------------------------- buttons


def show_pressed(call: Call, tx: Tx) -> list[Reply]:
    """The button: the account's journey, in the stage it names, else the present one."""
    call.require(Permission.READ)
    account = get_account(tx, call.ref.id if call.ref else "")
    stage = call.ref.extra.get("stage", "") if call.ref else ""
    return [Whisper(render_now(call, tx, account, stage))]


def show_stage(call: Call, tx: Tx) -> list[Reply]:
    """A stage from the list of all, in place of the list."""
    call.require(Permission.READ)
    account = get_account(tx, call.ref.id if call.ref else "")
    stage = call.ref.extra.get("stage", "") if call.ref else ""
    return [answer_in_place(call, render_now(call, tx, account, stage))]


def show_stages(call: Call, tx: Tx) -> list[Reply]:
    """All stages, in place of the one shown."""
    call.require(Permission.READ)
    account = get_account(tx, call.ref.id if call.ref else "")
    found = find_journey_facts(tx, account.id)
    if found is None:
        return [answer_in_place(call, render_now(call, tx, account))]
    return [answer_in_place(call, render_stages(call.reader, account, found, get_today(call, tx)))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next under the list."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    shown = render_walks(call, tx, extra.get("text", ""), wanted_page(call), get_today(call, tx))
    return [answer_in_place(call, shown)]


def open_start(call: Call, tx: Tx) -> list[Reply]:
    """The form for a new journey of the account."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    choice = Choice(call.ref.extra.get("template", "") if call.ref else "")
    return [OpenForm(start_form(call.reader, account, choice, get_today(call, tx)))]


def open_advance(call: Call, tx: Tx) -> list[Reply]:
    """The form that leaves the stage, with all that is open in it."""
    walk = get_pressed_walk(call, tx)
    return [OpenForm(advance_form(call.reader, walk.account, walk.journey, walk.doer.today))]


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The three-dots menu under a journey: the form for what was chosen."""
    walk = get_pressed_walk(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == "start":
        return [OpenForm(start_form(call.reader, walk.account, Choice(), walk.doer.today))]
    if do == "back":
        return [OpenForm(back_form(call.reader, walk.account, walk.journey))]
    if do == "close":
        return [OpenForm(close_form(call.reader, walk.account, walk.journey))]
    raise StaleError("This menu is from an older version. Open the journey anew with `/cs journey`.")


# ---------------------------------------------------------------- forms


def submit_start(call: Call, tx: Tx) -> list[Reply]:
    """Template and day: the dates, to be looked at before anything is saved."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    today, day = get_today(call, tx), call.value("started_on")
    started_on = read_date(day, today, field="started_on") if day else today
    plan = _make_plan(call, tx, account, Choice(call.value("template"), started_on))
    running = find_journey_facts(tx, account.id)
    decide_start(account.id, plan, get_doer(call, tx, account), running)  # refuses a day here, where it can be changed
    return [UpdateForm(plan_form(call.reader, account, plan, running, today))]


def submit_plan(call: Call, tx: Tx) -> list[Reply]:
    """The dates were looked at: the journey starts; or another stage was chosen, so they are shown once more."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    extra = call.ref.extra if call.ref else {}
    today, stage = get_today(call, tx), call.value("stage") or extra.get("stage", "")
    started_on = read_date(extra.get("started_on", ""), today)
    plan = _make_plan(call, tx, account, Choice(extra.get("template", ""), started_on, stage))
    running = find_journey_facts(tx, account.id)
    if stage != extra.get("stage", "") or (running.id if running else "") != extra.get("replaces", ""):
        return [UpdateForm(plan_form(call.reader, account, plan, running, today))]
    return _start(call, tx, account, plan, running)


def submit_advance(call: Call, tx: Tx) -> list[Reply]:
    """The stage is left; every required milestone has its fate."""
    return _advance(call, tx, _get_submitted(call, tx))


def submit_back(call: Call, tx: Tx) -> list[Reply]:
    """Back a stage."""
    return _go_back(call, tx, _get_submitted(call, tx))


def submit_close(call: Call, tx: Tx) -> list[Reply]:
    """The journey ends here."""
    return _close(call, tx, _get_submitted(call, tx), call.value("reason"))


def _get_submitted(call: Call, tx: Tx) -> Walk:
    """The journey a form was opened for. Raises `StaleError` where another one has taken its place."""
    walk = get_pressed_walk(call, tx)
    if call.ref is not None and call.ref.extra.get("journey", walk.journey.id) != walk.journey.id:
        raise StaleError("Another journey was started meanwhile. See it: `/cs journey` and the account's name.")
    return walk


# ---------------------------------------------------------------- doing it


def _make_plan(call: Call, tx: Tx, account: AccountRow, choice: Choice) -> JourneyPlan:
    """The dated plan, in the language of the workspace, which everybody shares."""
    template = find_template(choice.template_key)
    if template is None:
        raise UserError("There is no such template. Choose one from the list.", field="template")
    doer, language = get_doer(call, tx, account), get_language(get_workspace(tx).locale)
    return plan_journey(template, choice.started_on or doer.today, language, doer.country, choice.stage_key)


def _start(call: Call, tx: Tx, account: AccountRow, plan: JourneyPlan, running: JourneyFacts | None) -> list[Reply]:
    doer = get_doer(call, tx, account)
    line = carry_out(call, tx, account, lambda: decide_start(account.id, plan, doer, running))
    day = call.reader.date(plan.started_on)
    said = call.reader.say(
        "Started for {account}: {journey}, from {day}.",
        account=f"*{shown_name(account)}*",
        journey=esc(plan.name),
        day=day,
    )
    return answer(call, tx, account, said, line)


def _advance(call: Call, tx: Tx, walk: Walk) -> list[Reply]:
    fates, reason, seen = read_fates(call.values, walk.journey), call.value("reason"), get_seen(call)
    line = carry_out(call, tx, walk.account, lambda: decide_advance(walk.journey, fates, reason, walk.doer, seen))
    following = walk.journey.next_stage
    if following is None:
        said = call.reader.say("{account} has finished its journey.", account=f"*{shown_name(walk.account)}*")
    else:
        said = _stage_words(call, walk, following.name)
    return answer(call, tx, walk.account, said, line)


def _go_back(call: Call, tx: Tx, walk: Walk) -> list[Reply]:
    line = carry_out(call, tx, walk.account, lambda: decide_back(walk.journey, walk.doer, get_seen(call)))
    before = walk.journey.stages[walk.journey.place - 1]
    return answer(call, tx, walk.account, _stage_words(call, walk, before.name), line)


def _close(call: Call, tx: Tx, walk: Walk, reason: str) -> list[Reply]:
    line = carry_out(call, tx, walk.account, lambda: decide_close(walk.journey, reason, walk.doer, get_seen(call)))
    said = call.reader.say("The journey of {account} is closed.", account=f"*{shown_name(walk.account)}*")
    return answer(call, tx, walk.account, said, line)


def _stage_words(call: Call, walk: Walk, stage: str) -> str:
    return call.reader.say(
        "{account} is in {stage} now (was in {before}).",
        account=f"*{shown_name(walk.account)}*",
        stage=f"*{esc(clip(stage, STAGE_LENGTH))}*",
        before=esc(clip(walk.journey.stage_name, STAGE_LENGTH)),
    )


SLICE = Slice(
    name="journeys",
    commands=(
        Command(
            "journey",
            "ACCOUNT [STAGE | stages | start [TEMPLATE] [at STAGE] [from DATE] | next | back | close because …]",
            "Where an account stands on its journey; start, advance or close it",
            journey,
            get_access,
            ("journey acme", "journey acme start standard from 1 Mar", "journey acme next", "journey acme onboarding"),
        ),
        Command(
            "journeys",
            "[mine | all | stuck | @person]",
            "Where accounts stand on their journeys, stuck ones first",
            list_,
            "reads",
            ("journeys", "journeys all stuck"),
        ),
        milestones.COMMAND,
    ),
    buttons=(
        Button(SHOW, show_pressed, "reads"),
        Button(STAGE, show_stage, "reads"),
        Button(ALL_STAGES, show_stages, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
        Button(START, open_start, "reads"),
        Button(ADVANCE, open_advance, "reads"),
        Button(JOURNEY_MORE, choose_more, "reads"),
        Button(UNDO, undo, "writes"),
        *milestones.BUTTONS,
    ),
    forms=(
        Form(START_FORM, submit_start, "reads"),
        Form(PLAN_FORM, submit_plan),
        Form(ADVANCE_FORM, submit_advance),
        Form(BACK_FORM, submit_back),
        Form(CLOSE_FORM, submit_close),
        *milestones.FORMS,
    ),
)
