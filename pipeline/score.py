"""The score job: one health score per account and day. Owns how facts are fetched in pages and handed to the rules;
refuses to judge them (`rules.health.health`) and to compare days (`pipeline.scan`).

The score day is the workspace's today; usage counts up to the day before, contracts and tickets as they stood when the
day began. Running a day again gives the same rows, so a job that was cut short is simply run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.report import JobReport
from rules.health.factors import SATISFACTION_DAYS, AccountFacts, TargetStanding, Ticket
from rules.health.health import DEFAULT_MODEL, decide_health
from rules.health.usage import WINDOW_DAYS, Feed, Usage, find_outage
from rules.records import Band
from rules.success.targets import TargetFacts, assess
from storage.accounts.accounts import AccountRow, get_accounts, page_account_ids
from storage.db import Database, Tx
from storage.health.feeds import find_unheard
from storage.health.health import list_bands, save_scores, to_values
from storage.health.tickets import TicketRow, last_ticket_at, list_tickets
from storage.health.usage_days import last_day, list_feed_days, list_gauge_keys
from storage.health.usage_windows import list_usage
from storage.people.workspaces import get_workspace
from storage.renewals.contracts import ContractRow, list_contracts
from storage.success.metrics import list_metrics
from storage.success.targets import list_target_facts

PAGE = 200


@dataclass(frozen=True)
class Setting:
    """What all accounts of the workspace share on a score day; `at` is the moment the day begins there."""

    day: date
    at: datetime
    country: str
    feed: Feed
    core: frozenset[str]
    gauge_keys: tuple[str, ...]
    last_ticket_at: datetime | None
    unheard: Mapping[str, date] = field(default_factory=dict)

    def get_feed(self, account_id: str) -> Feed:
        """The feed as far as it tells of the account: of one that only stopped sources reported of it tells nothing."""
        heard = self.unheard.get(account_id)
        return Feed(heard) if heard else self.feed


@dataclass(frozen=True)
class Page:
    """The rows of up to `PAGE` accounts."""

    accounts: Sequence[AccountRow]
    usage: dict[str, Usage]
    contracts: dict[str, list[ContractRow]]
    tickets: dict[str, list[TicketRow]]
    targets: dict[str, list[TargetFacts]]
    bands: dict[str, Band]


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Score every account in use for the day that `now` (UTC) is in the workspace."""
    with database.reading(workspace_id) as tx:
        setting = read_setting(tx, now)
    counts: Counter[str] = Counter({"accounts": 0, **{band.value: 0 for band in Band}})
    after = ""
    while True:
        with database.reading(workspace_id) as tx:
            ids = page_account_ids(tx, after, PAGE)
            page = read_page(tx, ids, setting) if ids else None
        if page is None:
            return JobReport("score", counts, _remarks(setting))
        rows = score_page(page, setting)
        with database.writing(workspace_id) as tx:
            save_scores(tx, rows)
        counts.update(["accounts"] * len(rows), **Counter(row["band"].value for row in rows))
        after = ids[-1]


def read_setting(tx: Tx, now: datetime) -> Setting:
    """What is the same for every account."""
    workspace = get_workspace(tx)
    zone = ZoneInfo(workspace.zone)
    day = now.astimezone(zone).date()
    at = datetime.combine(day, time(), zone).astimezone(UTC)
    return Setting(
        day=day,
        at=at,
        country=workspace.country,
        feed=_read_feed(tx, day - timedelta(1)),
        core=frozenset(metric.key for metric in list_metrics(tx, "feature") if metric.is_core),
        gauge_keys=tuple(list_gauge_keys(tx)),
        last_ticket_at=last_ticket_at(tx, at),
        unheard=find_unheard(tx, day - timedelta(1), day),
    )


def _read_feed(tx: Tx, until: date) -> Feed:
    last = last_day(tx, until)
    if last is None:
        return Feed(None)
    since = last - timedelta(2 * WINDOW_DAYS - 1)
    return Feed(last, find_outage(list_feed_days(tx, since, last), since, last))


def read_page(tx: Tx, ids: Sequence[str], setting: Setting) -> Page:
    """Everything the page's accounts need, in a number of queries that does not depend on how many they are."""
    accounts = [row for row in get_accounts(tx, ids).values() if not row.started_on or row.started_on <= setting.day]
    wanted = [row.id for row in accounts]
    until = setting.feed.last_day
    targets = list_target_facts(tx, wanted, setting.day)
    page = Page(
        accounts,
        usage=list_usage(tx, wanted, until, setting.gauge_keys) if until else {},
        contracts=list_contracts(tx, wanted),
        tickets=list_tickets(tx, wanted, setting.at - timedelta(SATISFACTION_DAYS), setting.at),
        targets={account_id: [facts for _, facts in found] for account_id, found in targets.items()},
        bands=list_bands(tx, wanted, setting.day - timedelta(1)),
    )
    tx.session.expunge_all()  # the rows outlive the transaction
    return page


def score_page(page: Page, setting: Setting) -> list[dict[str, Any]]:
    """One row of values per account, for `storage.health.health.save_scores`."""
    return [
        to_values(account.id, decide_health(make_facts(page, account, setting), band), DEFAULT_MODEL.name)
        for account in page.accounts
        for band in [page.bands.get(account.id, Band.UNKNOWN)]
    ]


def make_facts(page: Page, account: AccountRow, setting: Setting) -> AccountFacts:
    """The page's rows of one account as the rules want them."""
    contracts = [each for each in page.contracts.get(account.id, []) if each.start_on <= setting.day]
    running = [each for each in contracts if _runs(each, setting.day)]
    standings = [assess(each, setting.day) for each in page.targets.get(account.id, [])]
    return AccountFacts(
        day=setting.day,
        at=setting.at,
        country=account.country or setting.country,
        seats=sum(each.seats or 0 for each in running) or account.seats,
        usage=page.usage.get(account.id, Usage()),
        feed=setting.get_feed(account.id),
        core=setting.core,
        targets=tuple(TargetStanding(each.status, each.days_behind) for each in standings),
        tickets=tuple(_as_known(each, setting.at) for each in page.tickets.get(account.id, [])),
        last_ticket_at=setting.last_ticket_at,
        overdue_days=_overdue_days(contracts, setting.day),
        has_notice=any(_is_noticed(each, setting.day) for each in running),
    )


def _is_noticed(contract: ContractRow, day: date) -> bool:
    return contract.notice_received_on is not None and contract.notice_received_on <= day


def _runs(contract: ContractRow, day: date) -> bool:
    """Until its end; beyond it if it renews by itself and nobody gave notice."""
    if contract.end_on is None or contract.end_on >= day:
        return True
    return contract.is_auto_renew and not _is_noticed(contract, day)


def _overdue_days(contracts: Sequence[ContractRow], day: date) -> int | None:
    known = [each for each in contracts if each.is_payment_known]
    if not known:
        return None
    return max(
        (day - each.overdue_since).days if each.overdue_since and each.overdue_since <= day else 0 for each in known
    )


def _as_known(row: TicketRow, at: datetime) -> Ticket:
    """The ticket as it stood at `at`: an answer comes with the closing."""
    is_closed = row.closed_at is not None and row.closed_at <= at
    return Ticket(
        opened_at=row.opened_at,
        closed_at=row.closed_at if is_closed else None,
        priority=row.priority,
        is_escalated=row.is_escalated,
        satisfaction=row.satisfaction if is_closed else None,
    )


def _remarks(setting: Setting) -> tuple[str, ...]:
    if setting.feed.last_day is None:
        return ("No usage has been imported: usage factors do not apply.",)
    if setting.feed.is_old(setting.day):
        return (f"The last usage is of {setting.feed.last_day.isoformat()}: usage factors are missing, not zero.",)
    return ()
