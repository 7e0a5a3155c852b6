"""Which metrics come first for an account: what others of its industry aim at. Owns this ranking only."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import col

from storage.accounts.accounts import AccountRow
from storage.catalogue import read_catalogue
from storage.db import Tx
from storage.success.metrics import Offered, list_offered
from storage.success.targets import TargetRow


def list_ranked(tx: Tx, industry: str) -> list[Offered]:
    """Every outcome metric: first those that accounts of the industries that `industry` means aim at, most used first,
    then the catalogue's for these industries, then the rest as `list_offered` has them.
    """
    offered = list_offered(tx)
    wanted = read_catalogue().find_industries(industry) if industry else frozenset()
    if not wanted:
        return offered
    used = _count_used(tx, wanted)
    ranked = sorted(enumerate(offered), key=lambda each: (*_rank(each[1], used, wanted), each[0]))
    return [each for _place, each in ranked]


def _rank(offered: Offered, used: Counter[str], wanted: frozenset[str]) -> tuple[int, bool]:
    fits = offered.entry is not None and bool(wanted & set(offered.entry.industries))
    return -used[offered.key], not fits


def _count_used(tx: Tx, wanted: frozenset[str]) -> Counter[str]:
    rows = tx.session.execute(
        select_columns(col(AccountRow.industry), col(TargetRow.metric_key), func.count())
        .join(TargetRow, col(TargetRow.account_id) == col(AccountRow.id))
        .where(
            col(AccountRow.workspace_id) == tx.workspace_id,
            col(TargetRow.workspace_id) == tx.workspace_id,
            col(TargetRow.removed_at).is_(None),
            col(AccountRow.industry) != "",
        )
        .group_by(col(AccountRow.industry), col(TargetRow.metric_key))
    )
    used: Counter[str] = Counter()
    catalogue = read_catalogue()
    for industry, key, count in rows:
        if wanted & catalogue.find_industries(industry):
            used[key] += count
    return used
