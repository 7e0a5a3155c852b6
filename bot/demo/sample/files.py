"""The sample company as files: the CSV a customer team could export from its own systems. Owns columns and rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from bot.demo.sample.company import SampleAccount, SampleCompany

HISTORY_DAYS = 364
_FEATURES = ("messages", "reports", "automations")
_FEATURE_SHARE = {"messages": 6.0, "reports": 1.5, "automations": 0.7}
_SATURDAY = 5
# Below this share of active users the side features are given up.
_FEW_FEATURES_SHARE = 0.25

Row = Sequence[object]


def write_history(company: SampleCompany, folder: Path) -> dict[str, Path]:
    """Write accounts, contracts, targets, tickets and a year of usage; returns the file of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [company.today - timedelta(days=back) for back in range(HISTORY_DAYS, 0, -1)]
    usage = (row for account in company.accounts for day in days for row in _usage(company, account, day))
    return {
        "accounts": _write(
            folder / "accounts.csv", _ACCOUNT_COLUMNS, (_account(company, each) for each in company.accounts)
        ),
        "contracts": _write(
            folder / "contracts.csv", _CONTRACT_COLUMNS, (_contract(company, each) for each in company.accounts)
        ),
        "targets": _write(
            folder / "targets.csv",
            _TARGET_COLUMNS,
            (row for each in company.accounts for row in _target(company, each)),
        ),
        "usage": _write(folder / "usage.csv", _USAGE_COLUMNS, usage),
        "tickets": _write(
            folder / "tickets.csv",
            _TICKET_COLUMNS,
            (row for each in company.accounts for row in _tickets(company, each)),
        ),
    }


def write_day(company: SampleCompany, folder: Path, day: date) -> Path:
    """Write the usage of one day, as a nightly export would."""
    rows = (row for account in company.accounts for row in _usage(company, account, day))
    return _write(folder / f"usage-{day.isoformat()}.csv", _USAGE_COLUMNS, rows)


_ACCOUNT_COLUMNS = (
    "external_id", "name", "state", "tier", "industry", "country", "seats", "owner_email", "started_on", "aliases",
)  # fmt: skip
_CONTRACT_COLUMNS = (
    "external_id", "account", "start_on", "end_on", "notice_by", "notice_received_on", "yearly_amount", "currency",
    "seats", "auto_renew", "overdue_since",
)  # fmt: skip
_TARGET_COLUMNS = (
    "external_id", "account", "metric", "kind", "unit", "baseline", "goal", "start_on", "due_on", "owner_email",
    "customer_owner", "agreed_on", "value", "measured_on",
)  # fmt: skip
_USAGE_COLUMNS = ("account", "team", "metric", "day", "value")
_TICKET_COLUMNS = ("external_id", "account", "title", "priority", "escalated", "satisfaction", "opened_at", "closed_at")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _account(company: SampleCompany, account: SampleAccount) -> Row:
    return (
        account.external_id,
        account.name,
        "trial" if account.story.name == "just started" else "customer",
        account.tier,
        account.industry,
        account.country,
        account.seats,
        account.owner_email,
        (company.today - timedelta(days=30 * account.story.months)).isoformat(),
        ";".join(account.aliases),
    )


def _contract(company: SampleCompany, account: SampleAccount) -> Row:
    end = company.today + timedelta(days=account.renews_in_days)
    story = account.story
    return (
        f"K-{account.external_id}",
        account.external_id,
        (end - timedelta(days=min(365, story.months * 30 + max(account.renews_in_days, 0)))).isoformat(),
        end.isoformat(),
        (end - timedelta(days=30)).isoformat() if story.renews else "",
        (company.today - timedelta(days=12)).isoformat() if story.has_notice else "",
        account.yearly,
        account.currency,
        account.seats,
        "yes" if story.renews else "no",
        (company.today - timedelta(days=story.overdue_days)).isoformat() if story.overdue_days else "",
    )


def _target(company: SampleCompany, account: SampleAccount) -> Iterator[Row]:
    """One row per monthly measurement; the target itself is the same in each."""
    metric, unit, kind, baseline, goal = account.target
    start = company.today - timedelta(days=min(240, account.story.months * 30))
    due = start + timedelta(days=365)
    for month in range((company.today - start).days // 30 + 1):
        measured = start + timedelta(days=30 * month + account.dice("measured").randint(1, 20))
        if measured >= company.today:
            break
        share = (measured - start).days / 365 * account.story.target_pace
        wobble = account.dice("target", month).uniform(-0.01, 0.01)
        value = baseline + (goal - baseline) * min(1.0, max(0.0, share + wobble))
        yield (
            f"G-{account.external_id}", account.external_id, metric, kind, unit, baseline, goal, start.isoformat(),
            due.isoformat(), account.owner_email, "Head of operations", start.isoformat(), round(value, 1),
            measured.isoformat(),
        )  # fmt: skip


def _usage(company: SampleCompany, account: SampleAccount, day: date) -> Iterator[Row]:
    offset = (day - company.today).days
    is_there = account.story.is_measured and offset >= -30 * account.story.months
    if not is_there or day.weekday() >= _SATURDAY:
        return
    dice = account.dice("usage", day)
    share = account.story.curve(offset) * account.story.seat_share
    active = round(account.seats * share * dice.uniform(0.94, 1.03))
    if not active:
        return
    yield account.external_id, "", "weekly_active_users", day.isoformat(), min(active, account.seats)
    for number, team in enumerate(account.teams):
        for feature in _FEATURES[: 3 if share > _FEW_FEATURES_SHARE else 1]:
            uses = round(active * (0.6, 0.4)[number] * _FEATURE_SHARE[feature] * dice.uniform(0.9, 1.1))
            if uses:
                yield account.external_id, team, feature, day.isoformat(), uses


def _tickets(company: SampleCompany, account: SampleAccount) -> Iterator[Row]:
    dice = account.dice("tickets")
    for number in range(dice.randint(1, 4)):
        opened = company.today - timedelta(days=dice.randint(20, 300))
        closed = opened + timedelta(days=dice.randint(0, 3))
        yield (
            f"S-{account.external_id}-{number}", account.external_id, "How do I share a report?", "normal", "no",
            dice.choice(("", 4, 5, 5)), _at(opened, 9), _at(closed, 17),
        )  # fmt: skip
    for number in range(account.story.open_tickets):
        opened = company.today - timedelta(days=2 + number * 2)
        title = "Sync fails since the update"
        yield f"S-{account.external_id}-X{number}", account.external_id, title, "urgent", "yes", "", _at(opened, 8), ""


def _at(day: date, hour: int) -> str:
    return datetime.combine(day, time(hour)).isoformat(timespec="minutes")
