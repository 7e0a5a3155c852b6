"""Rows that tests of digests and the Home tab start from: one thing of each kind that there is to do, made by hand.
Ids are short names; days count from `TODAY`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from storage.db import Tx
from storage.renewals.contracts import ContractRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinOfferRow
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow
from storage.success.metrics import ensure_metric
from storage.success.targets import MeasurementRow, TargetRow
from storage.success.tasks import TaskRow
from tests.alert_rows import TODAY
from tests.conftest import NOW


def add_offer(tx: Tx, account_id: str, member_id: str, **more: Any) -> CheckinOfferRow:
    """A check-in offered yesterday."""
    yesterday = TODAY - timedelta(days=1)
    values = {"member_id": member_id, "due_on": yesterday, "offered_on": yesterday, "created_at": NOW}
    return _add(tx, CheckinOfferRow(workspace_id=tx.workspace_id, account_id=account_id, **values | more))


def add_task(tx: Tx, account_id: str, text: str = "Send the slides", days: int = 0, **more: Any) -> TaskRow:
    """An open next step."""
    due_on = TODAY + timedelta(days=days)
    return _add(
        tx,
        TaskRow(workspace_id=tx.workspace_id, account_id=account_id, text=text, due_on=due_on, created_at=NOW, **more),
    )


def add_milestone(tx: Tx, account_id: str, name: str = "Go-live", days: int = 3, **more: Any) -> MilestoneRow:
    """An open milestone of a journey under way, which is made with the first one."""
    journey_id = f"journey-{account_id}"
    if tx.session.get(JourneyRow, journey_id) is None:
        _add_journey(tx, journey_id, account_id)
    due_on = TODAY + timedelta(days=days)
    values = {"stage_key": "adoption", "due_on": due_on, "planned_on": due_on, "created_at": NOW}
    row = MilestoneRow(
        workspace_id=tx.workspace_id, account_id=account_id, journey_id=journey_id, name=name, **values | more
    )
    return _add(tx, row)


def add_renewal(tx: Tx, account_id: str, days: int = 30, yearly: int = 120_000, **more: Any) -> RenewalRow:
    """An open renewal, decided in so many days, and its contract."""
    ends_on = TODAY + timedelta(days=days)
    contract = ContractRow(
        workspace_id=tx.workspace_id,
        external_id=f"contract-{account_id}-{days}",
        account_id=account_id,
        start_on=ends_on - timedelta(days=365),
        end_on=ends_on,
        yearly_minor=100 * yearly,
        currency=more.get("currency", "EUR"),
    )
    _add(tx, contract)
    values = {"ends_on": ends_on, "decides_on": ends_on, "yearly_minor": 100 * yearly, "created_at": NOW}
    row = RenewalRow(
        workspace_id=tx.workspace_id, account_id=account_id, contract_id=contract.external_id, **values | more
    )
    return _add(tx, row)


def add_reached(tx: Tx, account_id: str, *, saved_at: Any = NOW) -> TargetRow:
    """A target of 8 %, reached by two values, the second saved at `saved_at`."""
    metric = ensure_metric(tx, "Conversion", "%")
    start = TODAY - timedelta(days=100)
    target = TargetRow(
        workspace_id=tx.workspace_id,
        account_id=account_id,
        metric_key=metric.key,
        unit="%",
        baseline=Decimal(4),
        goal=Decimal(8),
        start_on=start,
        due_on=TODAY + timedelta(days=100),
        agreed_on=start,
        created_at=NOW - timedelta(days=100),
    )
    _add(tx, target)
    for back, at in ((10, NOW - timedelta(days=10)), (1, saved_at)):
        _add(
            tx,
            MeasurementRow(
                workspace_id=tx.workspace_id,
                account_id=account_id,
                metric_key=metric.key,
                value=Decimal(9),
                measured_on=TODAY - timedelta(days=back),
                created_at=at,
            ),
        )
    return target


def _add_journey(tx: Tx, journey_id: str, account_id: str) -> None:
    stage = {"stage_key": "adoption", "stage_since": TODAY - timedelta(days=30)}
    journey = JourneyRow(
        id=journey_id,
        workspace_id=tx.workspace_id,
        account_id=account_id,
        template_key="saas",
        name="SaaS",
        started_on=TODAY - timedelta(days=60),
        created_at=NOW,
        **stage,
    )
    _add(tx, journey)
    _add(
        tx,
        JourneyStageRow(
            workspace_id=tx.workspace_id, journey_id=journey_id, key="adoption", position=1, name="Adoption"
        ),
    )


def _add(tx: Tx, row: Any) -> Any:
    tx.session.add(row)
    tx.session.flush()
    return row
