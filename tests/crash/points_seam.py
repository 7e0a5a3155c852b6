"""The seam for crash points: a database and a Slack client that look from outside at each commit, request and response,
and may end the process there. Nothing in Milepost knows of it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlmodel import Session

from storage.db import JOB_WAIT_SECONDS, Database
from tests.crash.points_sites import find_site

DIED = 86
"""The exit code of a process that reached its point."""


class Point(NamedTuple):
    """`what` is "commit site", "request method" or "response method"; `side` is "before" or "after" it."""

    what: str
    side: str


@dataclass
class Points:
    """Counts how often each point is reached; at the `hit`-th time of `death` the process ends, as if power was cut."""

    death: Point | None = None
    hit: int = 1
    counts: Counter[Point] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, what: str, side: str) -> None:
        point = Point(what, side)
        with self._lock:
            self.counts[point] += 1
            if point == self.death and self.counts[point] == self.hit:
                os._exit(DIED)


class WatchedDatabase(Database):
    """Tells of both sides of each commit on the way of a message."""

    points: Points

    @contextmanager
    def write(self, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Session]:
        site = find_site()
        with Database.write(self, wait_seconds=wait_seconds) as session:
            yield session
            session.flush()
            if site is not None:
                self.points.reach(f"commit {site}", "before")
        if site is not None:
            self.points.reach(f"commit {site}", "after")


class WatchedClient(AsyncWebClient):
    """Tells when a request is about to go, when its answer has come, and when the caller is about to have it. That a
    request has gone and is not answered yet is the server's to tell.
    """

    points: Points

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        method = api_url.rsplit("/", 1)[-1]
        self.points.reach(f"request {method}", "before")
        answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        self.points.reach(f"response {method}", "before")
        return answer

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        try:
            return await super().api_call(api_method, **more)
        finally:
            self.points.reach(f"response {api_method}", "after")
