"""The daily scan: looks at every account, moves its conditions and alerts, announces what is new. Owns the order and
the pages; refuses to judge (`rules.alerts.looks`) and to store (`storage.alerts.alerts`).

Two passes, because a season is seen only over all accounts of a country: the first asks which drops began lately, and
reads scores only where one may have; the second looks at every account. It reads a page, then moves its conditions and
alerts in short writing transactions that decide on the rows as they then stand, and forgets it, so that memory does not
grow with the workspace. A scan killed anywhere is made good by running it again: what it did stays, the rest follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.announcing import announce
from pipeline.evidence import Day, list_evidence, list_score_evidence, read_day
from pipeline.report import JobReport
from rules.alerts.alerts import ACCOUNT_GONE, COOLDOWN, Cleared, Intent, OpenEpisode, RefreshEpisode, decide
from rules.alerts.conditions import Verdict
from rules.alerts.looks import Look, advance, decide_look, has_dropped, list_to_keep, look_at
from rules.alerts.signals import find_seasons, may_have_dropped
from rules.records import Actor, AlertKind
from storage.accounts.accounts import page_watched
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import to_episode
from storage.alerts.conditions import list_conditions, save_conditions
from storage.alerts.past_looks import list_known_kinds, page_standings
from storage.alerts.watching import list_latest_episodes, list_open_of_gone
from storage.db import Database, Tx
from storage.people.workspaces import get_workspace

ACTOR = Actor.job("scan")
_SCORED = frozenset({AlertKind.HEALTH_DROP, AlertKind.HEALTH_RED})
"""Kinds that judge scores."""
_READ_PAGE = 200
_WRITE_PAGE = 20
"""Accounts per transaction, which people wait for: a few ten milliseconds, also where all of them open alerts."""


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Scan one workspace as of the day `now` falls on in its time zone. Safe to repeat."""
    with database.reading(workspace_id) as tx:
        zone = ZoneInfo(get_workspace(tx).zone)
        today = read_day(tx, now.astimezone(zone).date())
    seasons = find_seasons(_list_drops(database, workspace_id, today))
    counts, scored = Counter({"accounts": 0}), 0
    for looks in _look_at_all(database, workspace_id, today):
        counts["accounts"] += len(looks)
        scored += sum(map(_is_scored, looks))
        for at in range(0, len(looks), _WRITE_PAGE):
            with database.writing(workspace_id) as tx:
                counts += _apply(tx, looks[at : at + _WRITE_PAGE], seasons, now)
    is_unscored = bool(counts["accounts"]) and not scored
    counts += _close_gone(database, workspace_id, now)
    told = announce(database, workspace_id, now)
    return JobReport("scan", {**counts, **told}, tuple(_list_remarks(today, seasons, is_unscored=is_unscored)))


def _list_drops(database: Database, workspace_id: str, today: Day) -> Iterator[tuple[str, bool]]:
    """Of each account with a country: that, and whether its score has just dropped."""
    after = ""
    while True:
        with database.reading(workspace_id) as tx:
            page = page_standings(tx, AlertKind.HEALTH_DROP, after)
            asked = [each.account_id for each in page if may_have_dropped(each.state, each.opened_on, today.day)]
            fallen = _list_fallen(tx, asked, today)
        if not page:
            return
        yield from ((each.country, each.account_id in fallen) for each in page)
        after = page[-1].account_id


def _list_fallen(tx: Tx, account_ids: Sequence[str], today: Day) -> set[str]:
    """Those of the accounts that count as dropped when a season is looked for."""
    fallen: set[str] = set()
    for at in range(0, len(account_ids), _READ_PAGE):
        ids = account_ids[at : at + _READ_PAGE]
        conditions = list_conditions(tx, ids)
        for id_, evidence in list_score_evidence(tx, ids, today).items():
            known = conditions.get(id_, {})
            if has_dropped(look_at(id_, "", evidence, known), known):
                fallen.add(id_)
    return fallen


def _look_at_all(database: Database, workspace_id: str, today: Day) -> Iterator[list[Look]]:
    """Page by page."""
    after = ""
    while True:
        with database.reading(workspace_id) as tx:
            accounts = page_watched(tx, after=after, limit=_READ_PAGE)
            known = list_known_kinds(tx, [account.id for account in accounts])
            evidence = list_evidence(tx, accounts, today) if accounts else []
        if not accounts:
            return
        yield [
            look_at(account.id, account.country, each, known.get(account.id, ()))
            for account, each in zip(accounts, evidence, strict=True)
        ]
        after = accounts[-1].id


def _apply(tx: Tx, looks: Sequence[Look], seasons: Collection[str], now: datetime) -> Counter[str]:
    """Move the conditions and alerts of a page of accounts, as they stand in this transaction."""
    ids = [look.account_id for look in looks]
    known, episodes = list_conditions(tx, ids), list_latest_episodes(tx, ids, now - COOLDOWN, is_locking=True)
    moved = {look.account_id: advance(look, known.get(look.account_id, {})) for look in looks}
    intents: list[Intent] = []
    for look in looks:
        latest = {topic: to_episode(row) for topic, row in episodes.get(look.account_id, {}).items()}
        intents += decide_look(look, moved[look.account_id], latest, seasons, now)
    kept = {
        look.account_id: list_to_keep(moved[look.account_id], known.get(look.account_id, {}), look.day)
        for look in looks
    }
    save_conditions(tx, kept, known)
    apply_alerts(tx, intents, ACTOR, now)
    return _count(intents)


def _close_gone(database: Database, workspace_id: str, now: datetime) -> Counter[str]:
    """Close the alerts of accounts that were archived or lost: nobody looks at them any more."""
    counts: Counter[str] = Counter()
    while True:
        with database.writing(workspace_id) as tx:
            rows = list_open_of_gone(tx)
            intents = [each for row in rows for each in decide(to_episode(row), Cleared(ACCOUNT_GONE), now)]
            apply_alerts(tx, intents, ACTOR, now)
        if not intents:
            return counts
        counts += _count(intents)


def _count(intents: Sequence[Intent]) -> Counter[str]:
    changed = (each for each in intents if not isinstance(each, RefreshEpisode))
    return Counter("opened" if isinstance(each, OpenEpisode) else each.verb for each in changed)


def _list_remarks(today: Day, seasons: Mapping[str, tuple[int, int]], *, is_unscored: bool) -> Iterator[str]:
    """What a person who runs the scan should know."""
    if is_unscored:
        yield f"No account has a score for {today.day}: health was not judged. Run the job `score` first."
    if today.feed.last_day and today.feed.is_old(today.day):
        yield f"The usage feed stopped on {today.feed.last_day}: silence was not judged."
    for country, (dropped, total) in sorted(seasons.items()):
        yield f"{dropped} of {total} accounts in {country} dropped together: told of in one summary."


def _is_scored(look: Look) -> bool:
    return any(each.verdict is not Verdict.NO_DATA for each in look.seen if each.kind in _SCORED)
