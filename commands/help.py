"""`/cs help`: what can be typed, told from what is registered. Owns the words around the list; knows no subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from commands.kit import Json, clip, context, esc, message, section
from commands.slice import Call, Command, Message, Reply, Slice, Whisper
from storage.db import Tx
from words.names import Named, find_name, fold
from words.reader import Reader

SLASH = "/cs"
_TYPED_LENGTH = 40
_LINES_PER_SECTION = 20

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
    )


def _answer(get_slices: SlicesGetter, call: Call, tx: Tx) -> list[Reply]:  # noqa: ARG001  # a handler's shape
    """The whole list; one subject with examples; or, for a word that is no command, the nearest one and the list."""
    commands = [command for each in get_slices() for command in each.commands]
    word = call.text.split(maxsplit=1)[0] if call.text.split() else ""
    if not word:
        return [Whisper(_list_all(call.reader, get_slices()))]
    subject = next((each for each in get_slices() if fold(each.name) == fold(word)), None)
    chosen = [each for each in commands if fold(each.name) == fold(word)] or list(subject.commands if subject else ())
    if chosen:
        return [Whisper(_explain(call.reader, chosen))]
    return [Whisper(_list_all(call.reader, get_slices(), _unknown_words(call.reader, word, commands)))]


def _list_all(reader: Reader, slices: Sequence[Slice], first: str = "") -> Message:
    """Every command on one line, grouped by subject."""
    title = first or reader.say("*Milepost*: what you can type")
    groups = [[_line(reader, command) for command in each.commands] for each in slices if each.commands]
    blocks = [section("\n".join(group[:_LINES_PER_SECTION])) for group in groups]
    hint = reader.say("`{slash} help log` shows examples. What is missing is asked for in a form.", slash=SLASH)
    return message(title, section(title), *blocks, context(hint))


def _explain(reader: Reader, commands: Iterable[Command]) -> Message:
    """Usage, what it does and examples of a few commands."""
    blocks: list[Json] = []
    for command in commands:
        examples = "\n".join(f"`{SLASH} {esc(example)}`" for example in command.examples)
        lines = [f"*{_usage(command)}*", reader.say(command.summary)]
        blocks.append(section("\n".join([*lines, examples] if examples else lines)))
    text = ", ".join(f"{SLASH} {command.name}" for command in commands)
    return message(text, *blocks)


def _line(reader: Reader, command: Command) -> str:
    return f"`{_usage(command)}`  {reader.say(command.summary)}"


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
