"""Taking back what was done to an alert: the button in the answer to taking, resolving or dismissing it. Owns which of
these can be taken back; `rules.undo` says by whom and how long.
"""

from __future__ import annotations

from commands.alerts.alert_acts import UNDO, act, answer, get_view, require
from commands.slice import Button, Call, Reply
from rules.alerts.alerts import TakeBack
from rules.errors import StaleError
from rules.undo import Done, check_undo
from storage.alerts.alerts import get_episode
from storage.alerts.undoing import find_last_event, read_before
from storage.db import Tx

_UNDOABLE = frozenset({"taken", "resolved", "dismissed"})


def undo(call: Call, tx: Tx) -> list[Reply]:
    """The alert is again as it was before; refused when anything happened to it since."""
    view = get_view(call, tx)
    require(call, tx, view)
    row = get_episode(tx, view.row.id, is_locking=True)
    event = find_last_event(tx, row)
    version = call.ref.extra.get("version", "") if call.ref else ""
    is_undone = event is not None and event.verb == "undone"
    if event is None or (event.verb not in _UNDOABLE and not is_undone):
        raise StaleError("This cannot be undone any more: something happened to the alert since.")
    is_needed = not is_undone and version != str(row.version)
    check_undo(Done(event.at, event.actor_id, is_undone, is_needed), call.person.id, call.person.role, call.now)
    return answer(call, act(call, tx, view, TakeBack(read_before(event))))


BUTTONS = (Button(UNDO, undo, "writes"),)
