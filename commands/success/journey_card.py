"""The journey on the account's card: strip, day of the stage, the next milestones. Owns this extract only."""

from __future__ import annotations

from datetime import date

from commands.blocks.journeys import journey_strip, milestone_line, overdue_words, stage_day
from commands.kit import Json, context, section
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members
from storage.success.journeys import find_journey_facts
from words.reader import Reader

NEXT_SHOWN = 2


def journey_blocks(reader: Reader, tx: Tx, account: AccountRow, today: date) -> list[Json]:
    """The account's journey in two blocks; [] without one."""
    journey = find_journey_facts(tx, account.id)
    if journey is None:
        return []
    coming = sorted((each for each in journey.milestones if each.is_open), key=lambda each: each.due_on)[:NEXT_SHOWN]
    people = get_members(tx, [each.owner_id for each in coming if each.owner_id])
    status = [stage_day(reader, journey, today), overdue_words(reader, journey, today)]
    lines = [" · ".join(part for part in status if part)]
    lines += [milestone_line(reader, each, today, people) for each in coming]
    return [section(journey_strip(journey)), context("\n".join(lines))]
