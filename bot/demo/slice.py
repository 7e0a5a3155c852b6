"""`/cs demo`: the one command that exists only in the demo. Moves business time forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from commands.kit import message
from commands.slice import Call, Command, Reply, Slice, Whisper
from rules.errors import UserError
from storage.db import Tx

STRIDES = {"tomorrow": 1, "next week": 7}
Start = Callable[[int], datetime | None]


def demo_slice(start: Start) -> Slice:
    """The slice. `start(days)` begins the walk and returns the arrival, or None if one is under way."""

    def travel(call: Call, tx: Tx) -> Sequence[Reply]:  # noqa: ARG001  # every handler takes the transaction
        days = STRIDES.get(" ".join(call.text.casefold().split()))
        if days is None:
            raise UserError("Type `/cs demo tomorrow` or `/cs demo next week`.")
        arrival = start(days)
        if arrival is None:
            raise UserError("The clock is still on its way. Try again in a moment.")
        said = call.reader.say(
            "On the way to {moment}. The jobs of the days between run as they come due: watch the channel.",
            moment=call.reader.moment(arrival),
        )
        return [Whisper(message(said))]

    return Slice(
        "demo",
        commands=(
            Command(
                "demo",
                "tomorrow | next week",
                "Move the demo's clock forward",
                travel,
                "reads",
                examples=("demo tomorrow", "demo next week"),
            ),
        ),
    )
