"""Changes of targets on both databases: compared with the version, steps replaced, told in the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from rules.errors import StaleError
from rules.records import Actor, TargetKind
from rules.success.plans import TargetDraft, decide_add_target
from rules.success.target_changes import TargetTerms, decide_edit, decide_pause
from storage.audit import find_change_to
from storage.db import Tx
from storage.success.target_changes import apply_target_changes, get_known, list_steps
from storage.success.target_writes import apply_targets
from tests.alert_rows import add_account
from tests.conftest import NOW

TODAY, ACTOR = NOW.date(), Actor("member", "m1")


def test_a_change_is_made_once_and_its_terms_are_in_the_audit(tx: Tx):
    account = add_account(tx, "acme")
    due = TODAY + timedelta(days=300)
    draft = TargetDraft(account.id, "conversion", TargetKind.LEVEL, "%", Decimal(5), Decimal(10), TODAY, due)
    (row,) = apply_targets(tx, decide_add_target(draft, TODAY), ACTOR, NOW)
    known = get_known(tx, row.id)
    wanted = replace(known.terms, goal=Decimal(12), steps=((date(2026, 6, 30), Decimal("8.5")),), agreed_on=TODAY)
    apply_target_changes(tx, decide_edit(known, wanted, TODAY), ACTOR, NOW)
    assert list_steps(tx, row.id) == [(date(2026, 6, 30), Decimal("8.5"))]
    change = find_change_to(tx, "target", row.id, 2)
    assert change is not None
    assert TargetTerms.parse(change.before or {}) == known.terms
    assert TargetTerms.parse(change.after or {}) == wanted == get_known(tx, row.id).terms
    with pytest.raises(StaleError, match="Somebody changed this target"):
        apply_target_changes(tx, decide_pause(known, TODAY), ACTOR, NOW)
