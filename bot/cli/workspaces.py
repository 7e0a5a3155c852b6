"""Which workspace a command works on."""

from __future__ import annotations

from bot.wiring import Wiring
from rules.errors import UserError
from storage.people.workspaces import get_or_create_sole, list_workspaces


def find_workspace(wiring: Wiring, wanted: str = "") -> tuple[str, str]:
    """Our id and the zone of the workspace with the id `wanted`; without one the first, made if there is none yet.

    Raises `UserError` for an unknown id.
    """
    with wiring.database.write() as session:
        if not wanted:
            row = get_or_create_sole(session, wiring.clocks.business())
            return row.id, row.zone
        known = list_workspaces(session)
    found = next((row for row in known if row.id == wanted), None)
    if found is None:
        ids = ", ".join(f"{row.id} ({row.name})" for row in known)
        raise UserError("There is no workspace {wanted}. Workspaces: {ids}.", wanted=wanted, ids=ids or "none yet")
    return found.id, found.zone
