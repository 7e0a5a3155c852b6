"""`/cs help`: what can be typed, told from what is registered, and opened by button. Owns the words around the list;
knows no subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from commands.kit import Json, actions, button, clip, context, esc, message, section
from commands.slice import Button, Call, Command, Message, Ref, Reply, Slice, Whisper, answer_in_place
from rules.errors import StaleError
from storage.db import Tx
from words.names import Named, find_name, fold
from words.reader import Reader

SLASH = "/cs"
ALL, SUBJECT, OPEN = "help.all", "help.subject", "help.open"
_TYPED_LENGTH = 40

SlicesGetter = Callable[[], Sequence[Slice]]


def help_slice(get_slices: SlicesGetter) -> Slice:
    """The slice of `/cs help` over the slices that `get_slices` gives when somebody asks (itself among them)."""
    return Slice(
        name="help",
        commands=(
            Command(
                "help",
                "[SUBJECT]",
                "What you can type here",
                partial(_answer, get_slices),
                "reads",
                ("help", "help log"),
            ),
        ),
        buttons=(
            Button(ALL, partial(_show_all, get_slices), "reads"),
            Button(SUBJECT, partial(_show_subject, get_slices), "reads"),
            Button(OPEN, partial(_open, get_slices), "reads"),
        ),
    )


def _answer(get_slices: SlicesGetter, call: Call, tx: Tx) -> list[Reply]:  # noqa: ARG001  # a handler's shape
    """The whole list; one subject with examples; or, for a word that is no command, the nearest one and the list."""
    word = call.text.split(maxsplit=1)[0] if call.text.split() else ""
    if not word:
        return [Whisper(_list_all(call.reader, get_slices()))]
    if chosen := _find(get_slices(), word):
        return [Whisper(_explain(call.reader, chosen))]
    commands = [command for each in get_slices() for command in each.commands]
    return [Whisper(_list_all(call.reader, get_slices(), _unknown_words(call.reader, word, commands)))]


def _show_all(get_slices: SlicesGetter, call: Call, tx: Tx) -> list[Reply]:  # noqa: ARG001  # a handler's shape
    """The button: the whole list again."""
    return [answer_in_place(call, _list_all(call.reader, get_slices()))]


def _show_subject(get_slices: SlicesGetter, call: Call, tx: Tx) -> list[Reply]:  # noqa: ARG001  # a handler's shape
    """The button beside a subject: its commands with examples."""
    return [answer_in_place(call, _explain(call.reader, _get_pressed(get_slices, call)))]


def _open(get_slices: SlicesGetter, call: Call, tx: Tx) -> list[Reply]:
    """The button beside a command: what it does with nothing typed behind it, its list or its form."""
    found = [each for each in _get_pressed(get_slices, call) if call.ref and each.name == call.ref.id]
    return list(found[0].handle(replace(call, text="", ref=None), tx)) if found else _show_all(get_slices, call, tx)


def _get_pressed(get_slices: SlicesGetter, call: Call) -> list[Command]:
    found = _find(get_slices(), call.ref.id) if call.ref else []
    if not found:
        raise StaleError("This button is from an older version. Type `/cs help` for what there is now.")
    return found


def _find(slices: Sequence[Slice], word: str) -> list[Command]:
    """All commands of the subject of this name, else the command of this name."""
    commands = [command for each in slices for command in each.commands]
    subject = next((each for each in slices if fold(each.name) == fold(word)), None)
    return list(subject.commands) if subject else [each for each in commands if fold(each.name) == fold(word)]


def _list_all(reader: Reader, slices: Sequence[Slice], first: str = "") -> Message:
    """A short line for every command, subject by subject: what stands behind it is behind the subject's button."""
    title = first or reader.say("*Milepost*: what you can type")
    hint = reader.say(
        "Type a command alone, and what is missing is asked for. `{slash} help log` shows how.", slash=SLASH
    )
    return message(title, section(title), *(_group(reader, each) for each in slices if each.commands), context(hint))


def _group(reader: Reader, subject: Slice) -> Json:
    lines = [f"`{SLASH} {esc(command.name)}`  {reader.say(command.summary)}" for command in subject.commands]
    return section("\n".join(lines), accessory=button(reader.say("Examples"), SUBJECT, Ref("help", subject.name)))


def _explain(reader: Reader, commands: Iterable[Command]) -> Message:
    """Usage, what it does and examples of a few commands, each with a button that opens it."""
    blocks: list[Json] = []
    for command in commands:
        examples = [f"`{SLASH} {esc(example)}`" for example in command.examples]
        lines = [f"*{_usage(command)}*", reader.say(command.summary), *examples]
        open_it = button(reader.say("Open"), OPEN, Ref("help", command.name))
        blocks.append(section("\n".join(lines), accessory=open_it if command.get_access("") == "reads" else None))
    text = ", ".join(f"{SLASH} {command.name}" for command in commands)
    return message(text, *blocks, actions(button(reader.say("All commands"), ALL, Ref("help", ""))))


def _usage(command: Command) -> str:
    return esc(f"{SLASH} {command.name} {command.usage}".rstrip())


def _unknown_words(reader: Reader, word: str, commands: Sequence[Command]) -> str:
    typed = esc(clip(word, _TYPED_LENGTH))
    nearest = _find_nearest(word, commands)
    if nearest:
        return reader.say("There is no command “{typed}”; did you mean `{command}`?", typed=typed, command=nearest)
    return reader.say("There is no command “{typed}”.", typed=typed)


def _find_nearest(word: str, commands: Sequence[Command]) -> str:
    found = find_name(word, [Named(each.name, (each.name,)) for each in commands], nearest=1)
    nearest = found.match or next(iter(found.nearest), None)
    return f"{SLASH} {nearest.id}" if nearest else ""
