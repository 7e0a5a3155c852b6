"""Taking back what was done to a next step or a risk. Owns asking `rules.undo` about a change that storage finds again;
refuses to know what the change was.
"""

from __future__ import annotations

from collections.abc import Mapping

from commands.slice import Call
from rules.errors import StaleError
from rules.undo import Done, check_undo
from storage.db import Tx
from storage.success.changes import find_earlier
from storage.success.risks import RiskRow
from storage.success.tasks import TaskRow


def find_values_before(call: Call, tx: Tx, row: TaskRow | RiskRow, verb: str) -> Mapping[str, object]:
    """What undoing `verb` (like "task.done") sets: the values before; for one that was added, that it is removed.

    Raises `UserError`, in words, unless the person may undo it now and nothing was changed since.
    """
    earlier = find_earlier(tx, row, verb)
    if earlier is None:
        raise StaleError("This button is from an older version and no longer works.")
    done = Done(earlier.at, earlier.actor_id, is_undone=earlier.is_undone, is_needed=not earlier.is_last)
    check_undo(done, call.person.id, call.person.role, call.now)
    return earlier.values or {"removed_at": call.now}
