"""Errors turned into replies: what a person sees when something cannot be done. Owns the choice of place
(field, whisper, Home), the nearest names as buttons and the number of a bug; refuses to audit or log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from slack_sdk.models.blocks import ButtonElement

from bot.slack.payloads import RERUN, Origin, Payload
from bot.slack.views import NOTE
from commands.kit import BUTTON_TEXT, actions, clip, esc, message, section
from commands.slice import FormErrors, FormView, Home, Message, Options, PushForm, Reply, Whisper
from rules.errors import UserError
from words.errors import WordsError
from words.reader import Reader

BUTTON_VALUE = 2000
_NEAREST_COUNT = 5
_VALUE_LENGTH = 200


class SlackSetupError(UserError):
    """Slack cannot be used as it is set up; the sentence says what to change."""


def explain(error: UserError | WordsError, payload: Payload, reader: Reader) -> list[Reply]:
    """The replies for something a person can put right."""
    values = {name: _brief(reader, value) for name, value in error.values.items()}
    plain = reader.say(error.sentence, **values).replace("`", "")  # a field's error is plain text
    field = error.field if isinstance(error, UserError) else None
    shown = reader.say(error.sentence, **{name: _safe(value) for name, value in values.items()})
    buttons = _nearest_buttons(error, payload) if isinstance(error, UserError) else []
    blocks = (section(shown), actions(*buttons)) if buttons else (section(shown),)
    return place(message(shown, *blocks), payload, plain=plain, field=field)


def explain_bug(number: str, payload: Payload, reader: Reader) -> list[Reply]:
    """The replies for our own mistake; `number` finds it in the log."""
    sentence = reader.say(
        "Something went wrong on our side and nothing was saved. "
        "If it happens again, tell your admin this number: {bug}.",
        bug=number,
    )
    return place(message(sentence), payload, plain=sentence)


def place(said: Message, payload: Payload, *, plain: str, field: str | None = None) -> list[Reply]:
    """A sentence where the person looks: under a field of the form, so that what was typed survives, on the Home
    tab, else a whisper. A menu that loads its options can only stay empty.
    """
    match payload.origin:
        case Origin.SUGGESTION:
            return [Options(())]
        case Origin.HOME_OPENED:
            return [Home((section(said.text),))]
        case Origin.SUBMISSION:
            name = _find_field(payload.view, field)
            if name:
                return [FormErrors({name: plain})]
            return [PushForm(FormView(NOTE, "Milepost", (section(said.text),)))]
        case _:
            return [Whisper(said)]


def _find_field(view: Mapping[str, Any], wanted: str | None) -> str | None:
    names = [str(block.get("block_id", "")) for block in view.get("blocks") or [] if block.get("type") == "input"]
    return wanted if wanted in names else next(iter(names), None)


def _nearest_buttons(error: UserError, payload: Payload) -> Sequence[ButtonElement]:
    lines = [(_correct(payload, value, error.values), label) for value, label in error.nearest[:_NEAREST_COUNT]]
    return [
        ButtonElement(text=clip(label, BUTTON_TEXT), action_id=f"{RERUN}.{at}", value=line)
        for at, (line, label) in enumerate(lines)
        if line and len(line) <= BUTTON_VALUE
    ]


def _correct(payload: Payload, value: str, values: Mapping[str, object]) -> str:
    """The command with the misspelt name (one of the sentence's values) replaced; "" when it is not in there."""
    if payload.origin not in {Origin.COMMAND, Origin.RERUN}:
        return ""
    typed = (each for each in values.values() if isinstance(each, str) and each and each in payload.text)
    wrong = next(typed, "")
    return f"{payload.name} {payload.text.replace(wrong, value, 1)}" if wrong else ""


def _brief(reader: Reader, value: object) -> object:
    """A day as the reader writes it; what was typed, short enough that the advice behind it is still read."""
    if isinstance(value, date):
        return reader.date(value)
    return clip(value, _VALUE_LENGTH) if isinstance(value, str) else value


def _safe(value: object) -> object:
    return esc(value) if isinstance(value, str) else value
