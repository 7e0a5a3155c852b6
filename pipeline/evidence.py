"""Evidence for the scan: scores, use, targets, journeys and contracts of a page of accounts, in a fixed number of
queries. Owns that reading; refuses to judge (`rules.alerts.signals`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from rules.alerts.evidence import Evidence, TargetSeen
from rules.alerts.health_signals import list_days
from rules.alerts.tuning import Tuning
from rules.health.usage import SILENT_WORKING_DAYS, WINDOW_DAYS, Feed, Usage, count_silent_days, find_outage
from rules.records import AlertKind
from storage.accounts.accounts import Watched
from storage.alerts.adjustments import read_tunings
from storage.db import Tx
from storage.health.feeds import find_unheard
from storage.health.health import list_day_scores
from storage.health.usage_days import last_day, list_feed_days, list_gauge_keys, use_spans
from storage.health.usage_windows import list_usage
from storage.people.workspaces import get_workspace
from storage.renewals.renewals import list_renewal_facts
from storage.success.journeys import list_journey_facts
from storage.success.metrics import name_metrics
from storage.success.targets import list_target_facts

_FEED_DAYS = timedelta(days=2 * WINDOW_DAYS - 1)
"""How far back outages of the feed are looked for: as far as the scores look."""


@dataclass(frozen=True)
class Day:
    """What is the same for every account on `day`: the usage feed as of the day before, and its gauges. `country` is
    the workspace's, for accounts without one.
    """

    day: date
    country: str
    feed: Feed
    gauge_keys: tuple[str, ...]
    tunings: Mapping[AlertKind, Tuning] = field(default_factory=dict)
    unheard: Mapping[str, date] = field(default_factory=dict)

    def get_feed(self, account_id: str) -> Feed:
        """The feed as far as it tells of the account: one that only stopped sources reported of is not silent."""
        heard = self.unheard.get(account_id)
        return Feed(heard) if heard else self.feed


def read_day(tx: Tx, day: date) -> Day:
    """The feed as the scores of `day` saw it."""
    country = get_workspace(tx).country
    fed, tunings = last_day(tx, day - timedelta(days=1)), read_tunings(tx, day)
    if fed is None:
        return Day(day, country, Feed(None), (), tunings)
    since = fed - _FEED_DAYS
    outage = find_outage(list_feed_days(tx, since, fed), since, fed)
    return Day(day, country, Feed(fed, outage), tuple(list_gauge_keys(tx)), tunings, find_unheard(tx, fed, day))


def list_evidence(tx: Tx, accounts: Sequence[Watched], of: Day) -> list[Evidence]:
    """The evidence on each account of the page, in its order: seventeen queries, however many objects there are, and
    fewer where no account may be silent.
    """
    ids = [account.id for account in accounts]
    scores, use = list_day_scores(tx, ids, list_days(of.day)), _list_use(tx, accounts, of)
    targets, journeys = _list_targets(tx, ids, of.day), list_journey_facts(tx, ids)
    renewals = list_renewal_facts(tx, ids, of.day)
    return [
        Evidence(
            of.day,
            scores.get(id_, {}),
            use[id_],
            of.get_feed(id_),
            country or of.country,
            tier,
            tuple(targets.get(id_, ())),
            journeys.get(id_),
            tuple(renewals.get(id_, ())),
            of.tunings,
        )
        for id_, country, tier in accounts
    ]


def list_score_evidence(tx: Tx, account_ids: Sequence[str], of: Day) -> dict[str, Evidence]:
    """Of each account only what its scores tell, in one query."""
    scores = list_day_scores(tx, account_ids, list_days(of.day))
    return {id_: Evidence(of.day, scores.get(id_, {}), tunings=of.tunings) for id_ in account_ids}


def _list_targets(tx: Tx, account_ids: Sequence[str], day: date) -> dict[str, list[TargetSeen]]:
    """The targets in force, with the names of their metrics."""
    found = list_target_facts(tx, account_ids, day)
    names = name_metrics(tx, {row.metric_key for rows in found.values() for row, _facts in rows})
    return {
        id_: [
            TargetSeen(row.id, names[row.metric_key], row.unit, facts, row.metric_key, row.customer_owner)
            for row, facts in rows
            if not facts.is_replaced
        ]
        for id_, rows in found.items()
    }


def _list_use(tx: Tx, accounts: Sequence[Watched], of: Day) -> dict[str, Usage]:
    """When each account used the product; all else that silence asks for only where it may be silent."""
    ids = [account.id for account in accounts]
    if of.feed.last_day is None:
        return dict.fromkeys(ids, Usage())
    spans = use_spans(tx, ids, of.feed.last_day)
    use = {id_: Usage(*spans.get(id_, (None, None))) for id_ in ids}
    quiet = [
        id_
        for id_, country, _tier in accounts
        if count_silent_days(use[id_], of.feed, country or of.country) >= SILENT_WORKING_DAYS
    ]
    return use | (list_usage(tx, quiet, of.feed.last_day, of.gauge_keys) if quiet else {})
