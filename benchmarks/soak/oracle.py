"""Judges a soak: what the model expects against what Slack's ledger tells, message by message, by metadata key. Owns
that comparison; a pure function of the two, so that a ledger written by hand can be judged as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from benchmarks.soak.story import Expected

Entry = Mapping[str, Any]
_JITTER = 0.005


@dataclass
class Standing:
    """A message that Slack accepted: where, under which parent, when (seconds, epoch), with its text now."""

    key: str
    channel: str
    ts: str
    parent_ts: str
    text: str
    is_gone: bool = False


@dataclass(frozen=True)
class Damage:
    """What went wrong, counted in messages. All zero: the promise was kept.

    Args:
        lost: expected, and nowhere in Slack.
        doubled: standing more than once in the end.
        unasked: standing, and nobody committed it.
        misplaced: in another channel or thread than wanted.
        disordered: standing before a message of its channel that was committed earlier.
        crowded: posts to a channel closer together than its spacing.
        stale: standing with another text than the truth.
        late: accepted by Slack when all should have arrived long ago.
    """

    lost: int = 0
    doubled: int = 0
    unasked: int = 0
    misplaced: int = 0
    disordered: int = 0
    crowded: int = 0
    stale: int = 0
    late: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing went wrong."""
        return not any(asdict(self).values())


@dataclass(frozen=True)
class Verdict:
    """The damage; copies that came and were removed; and how long messages took (seconds, middle, slow, slowest)."""

    damage: Damage
    removed: int
    waits: tuple[float, float, float]
    faults: dict[str, int]
    calls: dict[str, int]


@dataclass
class _Slack:
    """What the ledger says that stands in Slack."""

    messages: dict[tuple[str, str], Standing] = field(default_factory=dict)
    arrivals: dict[str, list[float]] = field(default_factory=dict)
    """When posts to a channel arrived, whatever became of them (seconds, epoch)."""

    def read(self, entries: Iterable[Entry]) -> None:
        """Follow the ledger from its beginning."""
        for entry in entries:
            if entry["kind"] not in {"api", "fault"}:
                continue
            if entry["name"] == "chat.postMessage" and "struck_by" not in entry:
                self.arrivals.setdefault(entry["content"]["channel"], []).append(entry["at"])
            if entry["kind"] == "api" and entry["outcome"] == "ok":
                self._apply(entry["name"], entry["content"], entry.get("place", {}))

    def _apply(self, method: str, content: Entry, place: Mapping[str, str]) -> None:
        if method == "chat.postMessage":
            spot = (place["channel"], place["ts"])
            parent = content.get("thread_ts", "")
            self.messages[spot] = Standing(_read_key(content), *spot, parent, content.get("text", ""))
        elif method == "chat.update":
            self.messages[place["channel"], place["ts"]].text = content.get("text", "")
        elif method == "chat.delete":
            self.messages[place["channel"], place["ts"]].is_gone = True


@dataclass(frozen=True)
class Limits:
    """Seconds between posts to a channel, at least; and the moment (seconds, epoch) by which all must have arrived."""

    spacing: float
    until: float


def judge(entries: Sequence[Entry], expected: Mapping[str, Expected], limits: Limits) -> Verdict:
    """Compare the ledger with what was expected, in the order of commits.

    Raises:
        ValueError: the ledger has forgotten its beginning.
    """
    if entries and entries[0]["n"] != 1:
        raise ValueError("the ledger is not complete")
    slack = _Slack()
    slack.read(entries)
    copies: dict[str, list[Standing]] = {}
    for each in sorted(slack.messages.values(), key=lambda each: float(each.ts)):
        copies.setdefault(each.key, []).append(each)
    standing = {key: left for key, found in copies.items() if (left := [each for each in found if not each.is_gone])}
    arrived = {key: float(found[0].ts) for key, found in copies.items() if key in expected}
    damage = Damage(
        lost=len(expected.keys() - standing.keys()),
        doubled=sum(len(found) - 1 for found in standing.values()),
        unasked=len(standing.keys() - expected.keys()),
        misplaced=_count_misplaced(standing, expected),
        disordered=_count_disordered(standing, expected),
        crowded=_count_crowded(slack.arrivals, limits.spacing),
        stale=sum(each.text != one.text for key, one in expected.items() for each in standing.get(key, ())),
        late=sum(at > limits.until for at in arrived.values()),
    )
    waits = sorted(at - expected[key].committed_at for key, at in arrived.items())
    removed = sum(each.is_gone for each in slack.messages.values())
    return Verdict(damage, removed, _spread(waits), _count(entries, "fault", "outcome"), _count(entries, "api", "name"))


def _count_misplaced(standing: Mapping[str, list[Standing]], expected: Mapping[str, Expected]) -> int:
    """A reply belongs under any copy of its parent that stands."""
    found = 0
    for key, one in expected.items():
        parents = {each.ts for each in standing.get(one.parent, ())} or {""}
        found += sum(each.channel != one.channel or each.parent_ts not in parents for each in standing.get(key, ()))
    return found


def _count_disordered(standing: Mapping[str, list[Standing]], expected: Mapping[str, Expected]) -> int:
    latest: dict[str, float] = {}
    found = 0
    for key, one in expected.items():
        for each in standing.get(key, ())[:1]:
            found += float(each.ts) < latest.get(one.channel, 0.0)
            latest[one.channel] = max(float(each.ts), latest.get(one.channel, 0.0))
    return found


def _count_crowded(arrivals: Mapping[str, list[float]], spacing: float) -> int:
    return sum(later - at < spacing - _JITTER for times in arrivals.values() for at, later in pairwise(times))


def _read_key(content: Entry) -> str:
    """The key of a message; metadata may have come as JSON text in a form."""
    metadata = content.get("metadata") or {}
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    return str(metadata.get("event_payload", {}).get("key", ""))


def _spread(waits: Sequence[float]) -> tuple[float, float, float]:
    if not waits:
        return 0.0, 0.0, 0.0
    middle, slow = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    return round(middle, 2), round(slow, 2), round(waits[-1], 2)


def _count(entries: Iterable[Entry], kind: str, by: str) -> dict[str, int]:
    return dict(sorted(Counter(str(entry[by]) for entry in entries if entry["kind"] == kind).items()))
