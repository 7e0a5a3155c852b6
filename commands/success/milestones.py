"""Milestones as people handle them: `/cs milestone`, the button Done, the menu beside each, its forms. Owns which does
what; refuses to decide what may be done (`rules.success.milestones`). What it registers stands at its end and is taken
up by the slice in `commands.success.journeys`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.journeys import ADD, DONE, MORE, MOVE, shown_milestone
from commands.kit import esc, message
from commands.naming import find_account_here
from commands.slice import Access, Button, Call, Command, Form, FormView, OpenForm, Reply, Whisper
from commands.success.journey_acts import (
    Walk,
    answer,
    carry_out,
    get_pressed_milestone,
    get_pressed_walk,
    get_seen,
    get_walk,
    render_now,
)
from commands.success.journey_list import render_walks
from commands.success.milestone_forms import (
    ADD_FORM,
    DONE_FORM,
    EDIT_FORM,
    MOVE_FORM,
    REMOVE_FORM,
    REOPEN_FORM,
    SKIP_FORM,
    YES,
    add_form,
    done_form,
    edit_form,
    move_form,
    read_draft,
    remove_form,
    reopen_form,
    skip_form,
)
from commands.success.milestone_words import (
    TypedChange,
    Verb,
    has_verb,
    pick_milestone,
    read_addition,
    read_change,
    split_verb,
)
from commands.typed import get_person, get_today, read_date, split_mentions
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.success.journeys import Act, MilestoneDraft, MilestoneFacts
from rules.success.milestones import (
    decide_add,
    decide_done,
    decide_edit,
    decide_move,
    decide_remove,
    decide_reopen,
    decide_skip,
)
from storage.db import Tx

# ---------------------------------------------------------------- typed


def milestone(call: Call, tx: Tx) -> list[Reply]:
    """`/cs milestone ACCOUNT done|move|skip|add|reopen …`: done, or the form for what is missing; without a verb the
    journey, without an account where one's own stand.
    """
    account, rest = find_account_here(call, tx, call.text, is_free_text=True)
    if account is None:
        call.require(Permission.READ)
        return [Whisper(render_walks(call, tx, "", 1, get_today(call, tx)))]
    verb, words = split_verb(rest)
    if verb is None or (not words and verb is not Verb.ADD):
        call.require(Permission.READ)
        if rest and verb is None:
            raise UserError(
                "I do not understand “{words}”. Type done, move, skip, add or reopen and the milestone's name.",
                words=rest,
            )
        return [Whisper(render_now(call, tx, account))]
    walk = get_walk(call, tx, account)
    if verb is Verb.ADD:
        return _add_typed(call, tx, walk, words)
    found, more = pick_milestone(walk.journey, words)
    change = read_change(more, walk.doer.today, is_past=verb is Verb.DONE)
    return _change_typed(call, tx, walk, found, (verb, change))


def _change_typed(
    call: Call, tx: Tx, walk: Walk, found: MilestoneFacts, typed: tuple[Verb, TypedChange]
) -> list[Reply]:
    verb, change = typed
    match verb:
        case Verb.DONE:
            return _done(call, tx, walk, found, change.day)
        case Verb.REOPEN:
            return _reopen(call, tx, walk, found)
        case Verb.SKIP if change.reason:
            return _skip(call, tx, walk, found, change.reason)
        case Verb.SKIP:
            return [OpenForm(skip_form(call.reader, walk, found))]
        case _ if change.day is None or not change.reason:
            return [OpenForm(move_form(call.reader, walk, found, change.day, change.reason))]
        case _:
            return _move(call, tx, walk, found, change)


def _add_typed(call: Call, tx: Tx, walk: Walk, words: str) -> list[Reply]:
    slack_id, _channel, rest = split_mentions(words)
    typed = read_addition(rest, walk.doer.today)
    draft = MilestoneDraft(
        name=typed.name,
        stage_key=walk.journey.stage_key,
        due_on=typed.day or walk.doer.today,
        lane=typed.lane,
        is_required=typed.is_required,
        owner_id=get_person(tx, slack_id).id if slack_id else None,
    )
    if not typed.name or typed.day is None:
        return [OpenForm(add_form(call.reader, tx, walk, draft, has_day=typed.day is not None))]
    return _add(call, tx, walk, draft)


# ---------------------------------------------------------------- buttons


def press_done(call: Call, tx: Tx) -> list[Reply]:
    """Done today; a second person learns who was first."""
    walk, found = get_pressed_milestone(call, tx)
    return _done(call, tx, walk, found, None)


def open_move(call: Call, tx: Tx) -> list[Reply]:
    """The form for another day."""
    walk, found = get_pressed_milestone(call, tx)
    return [OpenForm(move_form(call.reader, walk, found))]


def open_add(call: Call, tx: Tx) -> list[Reply]:
    """The form for one more, in the stage that was shown unless that is over."""
    walk = get_pressed_walk(call, tx)
    keys = [stage.key for stage in walk.journey.stages[walk.journey.place :]]
    stage = call.ref.extra.get("stage", "") if call.ref else ""
    draft = MilestoneDraft("", stage if stage in keys else walk.journey.stage_key, walk.doer.today)
    return [OpenForm(add_form(call.reader, tx, walk, draft))]


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The menu beside a milestone: the form for what was chosen."""
    walk, found = get_pressed_milestone(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == "edit":
        return [OpenForm(edit_form(call.reader, tx, walk, found))]
    if do not in _FORMS:
        raise StaleError("This menu is from an older version. Open the journey anew with `/cs journey`.")
    return [OpenForm(_FORMS[do](call, walk, found))]


_FORMS: dict[str, Callable[[Call, Walk, MilestoneFacts], FormView]] = {
    "done": lambda call, walk, found: done_form(call.reader, walk, found),
    "move": lambda call, walk, found: move_form(call.reader, walk, found),
    "skip": lambda call, walk, found: skip_form(call.reader, walk, found),
    "reopen": lambda call, walk, found: reopen_form(call.reader, walk, found),
    "remove": lambda call, walk, found: remove_form(call.reader, walk, found),
}

# ---------------------------------------------------------------- forms


def submit_done(call: Call, tx: Tx) -> list[Reply]:
    """Done on the day chosen."""
    walk, found = get_pressed_milestone(call, tx)
    day = call.value("done_on")
    return _done(call, tx, walk, found, read_date(day, walk.doer.today, field="done_on") if day else None)


def submit_move(call: Call, tx: Tx) -> list[Reply]:
    """Another day, and maybe for the later ones too."""
    walk, found = get_pressed_milestone(call, tx)
    day = read_date(call.value("due_on"), walk.doer.today, prefer="future", field="due_on")
    return _move(call, tx, walk, found, TypedChange(day, call.value("reason"), call.value("shift") == YES))


def submit_skip(call: Call, tx: Tx) -> list[Reply]:
    """Skipped, with the reason given."""
    walk, found = get_pressed_milestone(call, tx)
    return _skip(call, tx, walk, found, call.value("reason"))


def submit_reopen(call: Call, tx: Tx) -> list[Reply]:
    """Open again."""
    walk, found = get_pressed_milestone(call, tx)
    return _reopen(call, tx, walk, found)


def submit_remove(call: Call, tx: Tx) -> list[Reply]:
    """Gone."""
    walk, found = get_pressed_milestone(call, tx)
    line = carry_out(call, tx, walk.account, lambda: decide_remove(walk.journey, found.id, walk.doer, get_seen(call)))
    return answer(call, tx, walk.account, _say(call, walk, found, "Removed {milestone} from {account}."), line)


def submit_edit(call: Call, tx: Tx) -> list[Reply]:
    """Another name, stage, lane or owner."""
    walk, found = get_pressed_milestone(call, tx)
    draft = read_draft(call, tx, walk, found.due_on)

    def decide() -> list[Act]:
        act = decide_edit(walk.journey, found.id, draft, get_seen(call))
        return [act] if act else []

    line = carry_out(call, tx, walk.account, decide)
    if not line:
        return [Whisper(message(call.reader.say("Nothing was changed.")))]
    return answer(call, tx, walk.account, _say(call, walk, found, "Changed {milestone} of {account}."), line)


def submit_add(call: Call, tx: Tx) -> list[Reply]:
    """One more milestone."""
    walk = get_pressed_walk(call, tx)
    return _add(call, tx, walk, read_draft(call, tx, walk))


# ---------------------------------------------------------------- doing it


def _done(call: Call, tx: Tx, walk: Walk, found: MilestoneFacts, day: date | None) -> list[Reply]:
    seen = get_seen(call)
    line = carry_out(call, tx, walk.account, lambda: decide_done(walk.journey, found.id, walk.doer, day, seen))
    return answer(call, tx, walk.account, _say(call, walk, found, "Done: {milestone} of {account}."), line)


def _skip(call: Call, tx: Tx, walk: Walk, found: MilestoneFacts, reason: str) -> list[Reply]:
    seen = get_seen(call)
    line = carry_out(call, tx, walk.account, lambda: decide_skip(walk.journey, found.id, reason, walk.doer, seen))
    return answer(call, tx, walk.account, _say(call, walk, found, "Skipped {milestone} of {account}."), line)


def _reopen(call: Call, tx: Tx, walk: Walk, found: MilestoneFacts) -> list[Reply]:
    line = carry_out(call, tx, walk.account, lambda: decide_reopen(walk.journey, found.id, get_seen(call)))
    return answer(call, tx, walk.account, _say(call, walk, found, "{milestone} of {account} is open again."), line)


def _move(call: Call, tx: Tx, walk: Walk, found: MilestoneFacts, change: TypedChange) -> list[Reply]:
    to, moved = change.day or walk.doer.today, []

    def decide() -> Act:
        seen = get_seen(call)
        act = decide_move(
            walk.journey, found.id, to, change.reason, walk.doer, is_shifting=change.is_shifting, seen=seen
        )
        moved.append(act)
        return act

    line = carry_out(call, tx, walk.account, decide)
    return answer(call, tx, walk.account, _moved_words(call, walk, found, moved[0]), line)


def _moved_words(call: Call, walk: Walk, found: MilestoneFacts, act: Act) -> str:
    reader, due_on = call.reader, act.edits[0].values["due_on"]
    day = reader.date(due_on) if isinstance(due_on, date) else ""
    was = reader.date(found.due_on)
    said = reader.say(
        "Moved {milestone} of {account} to {day} (was {before}).",
        milestone=f"*{shown_milestone(found)}*",
        account=f"*{shown_name(walk.account)}*",
        day=day,
        before=was,
    )
    later = len(act.edits) - 1
    if not later:
        return said
    return said + " " + reader.say_many("{count} later one went with it.", "{count} later ones went with it.", later)


def _add(call: Call, tx: Tx, walk: Walk, draft: MilestoneDraft) -> list[Reply]:
    intent = decide_add(walk.journey, draft, walk.doer)
    line = carry_out(call, tx, walk.account, lambda: intent)
    day, stage = call.reader.date(intent.draft.due_on), walk.journey.get_stage(intent.draft.stage_key)
    said = call.reader.say(
        "Added {milestone} to {account}, due {day}, stage {stage}.",
        milestone=f"*{esc(intent.draft.name)}*",
        account=f"*{shown_name(walk.account)}*",
        day=day,
        stage=esc(stage.name),
    )
    return answer(call, tx, walk.account, said, line)


def _say(call: Call, walk: Walk, found: MilestoneFacts, sentence: str) -> str:
    return call.reader.say(sentence, milestone=f"*{shown_milestone(found)}*", account=f"*{shown_name(walk.account)}*")


def _get_access(text: str) -> Access:
    return "writes" if has_verb(text) else "reads"


COMMAND = Command(
    "milestone",
    "ACCOUNT done | move | skip | add | reopen MILESTONE [to DATE] [because REASON]",
    "Say what became of a milestone, or add one",
    milestone,
    _get_access,
    (
        "milestone acme done kick-off",
        "milestone acme move go-live to 12 Mar because their IT has a freeze",
        "milestone acme skip staff survey because they run their own",
        "milestone acme add Security review by 30 Apr required",
    ),
)
BUTTONS = (
    Button(DONE, press_done, "writes"),
    Button(MOVE, open_move, "reads"),
    Button(ADD, open_add, "reads"),
    Button(MORE, choose_more, "reads"),
)
FORMS = (
    Form(DONE_FORM, submit_done),
    Form(MOVE_FORM, submit_move),
    Form(SKIP_FORM, submit_skip),
    Form(REOPEN_FORM, submit_reopen),
    Form(REMOVE_FORM, submit_remove),
    Form(EDIT_FORM, submit_edit),
    Form(ADD_FORM, submit_add),
)
