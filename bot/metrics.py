"""Figures for Prometheus that this process keeps since it began, and how figures are written down.

Owns the list of figures. Names no customer, person, channel or workspace: labels come from closed lists, so that
nothing private leaves by the monitoring. What stands in the database (messages that wait, jobs that are due) is read
when asked for, see `bot.web.readings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's oversight; it takes no arguments
KEPT = CollectorRegistry()
"""What this process keeps."""

BUILD = Gauge(
    "milepost_build_info",
    "Always 1: the version, the role, the database.",
    ("version", "role", "database"),
    registry=KEPT,
)
ACKS = Histogram(
    "milepost_ack_seconds",
    "From a payload of Slack's having come in to its acknowledgement, by kind of payload.",
    ("kind",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0),
    registry=KEPT,
)
SENDS = Counter(
    "milepost_delivery_outcomes_total",
    "What came back from Slack: for requests to post or change a message, and for looks whether it had arrived.",
    ("request", "outcome"),
    registry=KEPT,
)
JOB_SECONDS = Histogram(
    "milepost_job_seconds",
    "How long runs of a job took.",
    ("job",),
    buckets=(0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0),
    registry=KEPT,
)
JOB_RUNS = Counter(
    "milepost_job_runs_total",
    "Runs of a job that ended well, failed, or were taken over by another process.",
    ("job", "outcome"),
    registry=KEPT,
)
JOB_LAG = Gauge(
    "milepost_job_lag_seconds", "How long after it was due the last run of a job began.", ("job",), registry=KEPT
)
LEASE = Gauge("milepost_scheduler_lease_held", "1 in the process that acts as the scheduler.", registry=KEPT)


@dataclass(frozen=True)
class _Read(Collector):
    """Figures that were read just now."""

    found: tuple[Metric, ...]

    def collect(self) -> Iterator[Metric]:
        return iter(self.found)


def write(read: Iterable[Metric]) -> bytes:
    """The text that Prometheus fetches (format 0.0.4): what is kept, then what was `read`."""
    return generate_latest(KEPT) + generate_latest(_Read(tuple(read)))
