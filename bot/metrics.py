"""Figures for Prometheus: what is counted and measured, and how it is written down (text format 0.0.4).

Owns the list of figures; each process keeps its own, since it began. Names no customer, person, channel or workspace:
labels come from closed lists, so that nothing private leaves by the monitoring. What stands in the database (messages
that wait, jobs that are due) is read when asked for, see `bot.web.readings`.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Labels = tuple[str, ...]


@dataclass
class Metric:
    """One counter or gauge, by the values of its `labels`. Safe from any thread."""

    name: str
    about: str
    labels: Labels = ()
    kind: Literal["counter", "gauge"] = "counter"
    _values: dict[Labels, float] = field(init=False, default_factory=lambda: defaultdict(float))
    _guard: threading.Lock = field(init=False, default_factory=threading.Lock)

    def add(self, *labels: str, amount: float = 1.0) -> None:
        """Count one more, or `amount` more."""
        with self._guard:
            self._values[labels] += amount

    def set(self, *labels: str, value: float) -> None:
        """What it is now."""
        with self._guard:
            self._values[labels] = value

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        yield from _head(self.name, self.about, self.kind)
        with self._guard:
            values = sorted(self._values.items())
        for labels, value in values:
            yield f"{self.name}{_braces(zip(self.labels, labels, strict=True))} {value:g}"


@dataclass
class Histogram:
    """Durations in seconds, counted up to each of `buckets`. Safe from any thread."""

    name: str
    about: str
    labels: Labels
    buckets: tuple[float, ...]
    _counts: dict[Labels, list[int]] = field(init=False, default_factory=dict)
    _sums: dict[Labels, float] = field(init=False, default_factory=lambda: defaultdict(float))
    _guard: threading.Lock = field(init=False, default_factory=threading.Lock)

    def observe(self, *labels: str, seconds: float) -> None:
        """Something took so long."""
        with self._guard:
            counts = self._counts.setdefault(labels, [0] * (len(self.buckets) + 1))
            counts[bisect_left(self.buckets, seconds)] += 1
            self._sums[labels] += seconds

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it: each bucket counts all that took no longer."""
        yield from _head(self.name, self.about, "histogram")
        with self._guard:
            found = [(labels, list(counts), self._sums[labels]) for labels, counts in sorted(self._counts.items())]
        for labels, counts, total in found:
            named = list(zip(self.labels, labels, strict=True))
            reached = 0
            for limit, count in zip((*(f"{each:g}" for each in self.buckets), "+Inf"), counts, strict=True):
                reached += count
                yield f"{self.name}_bucket{_braces([*named, ('le', limit)])} {reached}"
            yield f"{self.name}_sum{_braces(named)} {total:g}"
            yield f"{self.name}_count{_braces(named)} {reached}"


BUILD = Metric(
    "milepost_build_info", "Always 1: the version, the role, the database.", ("version", "role", "database"), "gauge"
)
ACKS = Histogram(
    "milepost_ack_seconds",
    "From a payload of Slack's having come in to its acknowledgement, by kind of payload.",
    ("kind",),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0),
)
SENDS = Metric(
    "milepost_delivery_outcomes_total",
    "What came back from Slack: for requests to post or change a message, and for looks whether it had arrived.",
    ("request", "outcome"),
)
JOB_SECONDS = Histogram(
    "milepost_job_seconds",
    "How long runs of a job took.",
    ("job",),
    (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0),
)
JOB_RUNS = Metric("milepost_job_runs_total", "Runs of a job that ended well or failed.", ("job", "outcome"))
JOB_LAG = Metric(
    "milepost_job_lag_seconds", "How long after it was due the last run of a job began.", ("job",), "gauge"
)
LEASE = Metric("milepost_scheduler_lease_held", "1 in the process that acts as the scheduler.", (), "gauge")

KEPT: tuple[Metric | Histogram, ...] = (BUILD, ACKS, SENDS, JOB_SECONDS, JOB_RUNS, JOB_LAG, LEASE)
"""What this process keeps."""


def write(metrics: Iterable[Metric | Histogram]) -> str:
    """The text that Prometheus fetches."""
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _head(name: str, about: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _braces(labels: Iterable[tuple[str, str]]) -> str:
    written = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return f"{{{written}}}" if written else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
