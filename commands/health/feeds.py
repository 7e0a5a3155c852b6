"""What an admin is told of a source of usage that stopped, and of its return. Owns these words; refuses to decide when
(`rules.health.feeds`).
"""

from __future__ import annotations

from commands.kit import clip, context, esc, message, section
from commands.slice import Message
from rules.health.usage import FEED_DAYS
from storage.db import Tx
from storage.health.feeds import STOPPED, find_stop
from words.reader import Reader

_NAME_LENGTH = 80


def render_stop_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """Since when, how many accounts are not judged, and what to do; once data flows again, one line."""
    row = find_stop(tx, reference)
    if row is None:
        return None
    name, day = esc(clip(row.source, _NAME_LENGTH)), reader.date(row.last_day)
    if row.resumed_on is not None and not row.accounts:
        line = reader.say("✓ No account relies on “{name}” any more, which stopped on {day}.", name=name, day=day)
        return message(line, context(line))
    if row.resumed_on is not None:
        back = reader.date(row.resumed_on)
        said = "✓ Usage data of “{name}” comes again, up to {back}. It had stopped on {day}."
        line = reader.say(said, name=name, back=back, day=day)
        return message(line, context(line))
    title = reader.say("⚠️ No usage data of “{name}” since {day}", name=name, day=day)
    judged = reader.say_many(
        "{count} account that only it reports of is not judged by its use until data comes again. None is called "
        "silent for it, and alerts that are open stay as they are.",
        "{count} accounts that only it reports of are not judged by their use until data comes again. None is called "
        "silent for it, and alerts that are open stay as they are.",
        row.accounts,
    )
    steps = [
        reader.say("Look at what sends it: the export, the integration, its credentials."),
        reader.say(
            "Import what came since: `milepost import usage FILE`. Missed days are filled in, nothing is doubled."
        ),
        reader.say("Retired on purpose? Import its accounts' usage from the new source, and this ends."),
    ]
    rule = reader.say(
        "Told once when nothing came for more than {span}; this message changes.", span=reader.span(FEED_DAYS)
    )
    todo = "\n".join(f"• {step}" for step in steps)
    return message(title, section(f"*{title}*\n{judged}"), section(f"*{reader.say('Next')}*\n{todo}"), context(rule))


RENDERS = {STOPPED: render_stop_of}
