"""Modals and the Home tab as Slack wants them. Owns what travels in private_metadata; refuses to know any subject."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.form_values import Json, refill
from commands.kit import TITLE_TEXT, clip, context, esc, section
from commands.slice import FormView, write_compact
from words.reader import Reader

METADATA_LENGTH = 3000
VIEW_BLOCKS = 100
NAME = "Milepost"
NOTE = "edge.note"


@dataclass(frozen=True)
class Place:
    """Where a form was opened from, for the whisper that follows it: the channel, and the response_url of the
    command or button (good for 30 minutes, also in channels the bot is not in).
    """

    channel: str = ""
    response_url: str = ""


def render_form(view: FormView, reader: Reader, opened_from: Place) -> Json:
    """A modal. Raises `ValueError` when the reference is too long to travel with the form."""
    close = reader.say("Cancel") if view.submit else reader.say("Close")
    modal: Json = {
        "type": "modal",
        "callback_id": view.form,
        "title": _plain(view.title),
        "close": _plain(close),
        "blocks": list(view.blocks[:VIEW_BLOCKS]),
        "private_metadata": dump_metadata(view.ref.dump() if view.ref else "", opened_from),
    }
    return {**modal, "submit": _plain(view.submit)} if view.submit else modal


def render_note(reader: Reader, sentence: str) -> Json:
    """A modal that only says something."""
    return {
        "type": "modal",
        "callback_id": NOTE,
        "title": _plain(NAME),
        "close": _plain(reader.say("Close")),
        "blocks": [section(esc(sentence))],
    }


def render_again(view: Mapping[str, Any], errors: Mapping[str, str]) -> Json:
    """A submitted form once more, with what was typed and the errors said above it (too late for field errors)."""
    kept = ("type", "callback_id", "title", "close", "submit", "private_metadata")
    said = [context(f":warning: {esc(sentence)}") for sentence in dict.fromkeys(errors.values())]
    return {name: view[name] for name in kept if view.get(name)} | {"blocks": [*said, *refill(view)][:VIEW_BLOCKS]}


def render_home(blocks: Sequence[Mapping[str, Any]]) -> Json:
    """The Home tab."""
    return {"type": "home", "blocks": list(blocks[:VIEW_BLOCKS])}


def dump_metadata(reference: str, opened_from: Place) -> str:
    """What a form carries with it: what it is about and where it was opened (the response_url only where it fits).

    Raises `ValueError` over Slack's 3000 characters.
    """
    text = _dump(reference, opened_from)
    if len(text) > METADATA_LENGTH:
        text = _dump(reference, Place(opened_from.channel))
    if len(text) > METADATA_LENGTH:
        raise ValueError(f"a form can carry {METADATA_LENGTH} characters, not {len(text)}")
    return text


def read_metadata(text: str) -> tuple[str, Place]:
    """What `dump_metadata` wrote; all "" for anything else."""
    try:
        reference, channel, response_url = (str(each) for each in json.loads(text))
    except (ValueError, TypeError):
        return "", Place()
    return reference, Place(channel, response_url)


def _dump(reference: str, place: Place) -> str:
    return write_compact([reference, place.channel, place.response_url])


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": clip(text, TITLE_TEXT)}
