"""Turns at announcing a workspace's alerts: one process at a time, and nobody on a picture that another one changed.
Owns the counter; refuses to know what is announced.

A counter and no lock: whoever announces reads the turn, decides, and takes a turn in each transaction that writes. If
somebody else wrote meanwhile, it is another turn by now, and it is decided afresh. Nobody waits while another one
decides, and a process that dies leaves nothing behind.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from storage.db import Tx
from storage.people.workspaces import WorkspaceRow


def read_turn(tx: Tx) -> int:
    """The turn it is. Read before what the decision rests on."""
    return tx.session.exec(select(WorkspaceRow.announcing_turn).where(WorkspaceRow.id == tx.workspace_id)).one()


def take_turn(tx: Tx, turn: int) -> bool:
    """Whether nobody has written since it was this turn; then it is the next one, and the others wait until this
    transaction ends.
    """
    statement = update(WorkspaceRow).where(
        col(WorkspaceRow.id) == tx.workspace_id, col(WorkspaceRow.announcing_turn) == turn
    )
    taken = tx.session.connection().execute(statement.values(announcing_turn=turn + 1))
    return taken.rowcount == 1
