"""Rules for faults: which calls or payloads a fault strikes, how often, and by which seed.

Owns what makes a rule valid and the count of its strikes; refuses to carry a fault out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from playground.errors import ActError
from playground.faults import HANG_SECONDS, Fault, FaultKind
from playground.model import Json

ANY = "*"
FAULTS = "faults"  # the change of which pages hear, and no person in Slack
LONGEST_SECONDS = 3600.0

# What a rule may say beside where and how often, by its kind; and what it must say.
ALLOWED = {
    FaultKind.REFUSE: {"error"},
    FaultKind.RATE_LIMIT: {"retry_after"},
    FaultKind.FAIL: {"status"},
    FaultKind.FAIL_AFTER_ACCEPT: {"status"},
    FaultKind.ANSWER_LATE: {"seconds"},
    FaultKind.APPLY_LATE: {"seconds"},
    FaultKind.HANG: {"seconds"},
}
NEEDED = {FaultKind.REFUSE: "error", FaultKind.ANSWER_LATE: "seconds", FaultKind.APPLY_LATE: "seconds"}
DETAILS = ("error", "status", "seconds", "retry_after")


class FaultRule(BaseModel):
    """One rule. Of calls that match, the first `skip` pass; then each is struck with `probability`, `count` times.

    Attributes:
        kind: what goes wrong.
        method: a Web API method or `*`; for every kind but `duplicate`.
        payload: for `duplicate`, what is delivered twice: a name as in the ledger (`/cs`, `block_actions`,
            `app_mention` …), one of `commands`, `interactivity`, `options`, `events`, or `*`.
        probability: over 0, up to 1.
        count: how often it strikes at most; None has no end.
        skip: how many matching calls pass untouched first.
        error: the code of a refusal.
        status: 500 to 599.
        seconds: how long the answer, the effect or the end is put off.
        retry_after: seconds in the header of a 429.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: FaultKind = Field(strict=False)
    method: str | None = None
    payload: str | None = None
    probability: float = Field(default=1.0, gt=0, le=1)
    count: int | None = Field(default=None, ge=1)
    skip: int = Field(default=0, ge=0)
    error: str | None = Field(default=None, min_length=1)
    status: int | None = Field(default=None, ge=500, le=599)
    seconds: float | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    retry_after: int | None = Field(default=None, ge=0, le=LONGEST_SECONDS)

    @model_validator(mode="after")
    def check_place(self) -> Self:
        """A call needs `method`, a payload `payload`, and neither both."""
        wanted, other = ("payload", "method") if self.kind is FaultKind.DUPLICATE else ("method", "payload")
        if not getattr(self, wanted):
            raise ValueError(f"{self.kind} needs {wanted}: a name or *")
        if getattr(self, other) is not None:
            raise ValueError(f"{self.kind} takes {wanted}, not {other}")
        return self

    @model_validator(mode="after")
    def check_details(self) -> Self:
        """Only what the kind knows, and all that it needs."""
        given = {name for name in DETAILS if getattr(self, name) is not None}
        allowed = ALLOWED.get(self.kind, set())
        if strange := sorted(given - allowed):
            raise ValueError(f"{self.kind} takes no {', '.join(strange)}")
        needed = NEEDED.get(self.kind)
        if needed and needed not in given:
            raise ValueError(f"{self.kind} needs {needed}")
        return self

    @property
    def target(self) -> str:
        """The method or payload it is for."""
        return self.method or self.payload or ""

    def make(self, number: int) -> Fault:
        """The fault it strikes with."""
        match self.kind:
            case FaultKind.RATE_LIMIT:
                retry_after = 1 if self.retry_after is None else self.retry_after
                return Fault(self.kind, "ratelimited", 429, retry_after, number)
            case FaultKind.FAIL | FaultKind.FAIL_AFTER_ACCEPT:
                return Fault(self.kind, status=self.status or 500, rule=number)
            case FaultKind.HANG:
                return Fault(self.kind, seconds=self.seconds or HANG_SECONDS, rule=number)
            case _:
                return Fault(self.kind, self.error or "internal_error", seconds=self.seconds or 0.0, rule=number)


@dataclass
class Standing:
    """A rule in force: its number, the draws it makes, and how often it was met and struck."""

    number: int
    rule: FaultRule
    seed: int
    draws: Random
    met: int = 0
    struck: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.rule.count is not None and self.struck >= self.rule.count

    def strikes(self) -> bool:
        """Whether this call, which matches, is struck. A spent rule no longer counts whom it meets."""
        if self.is_spent:
            return False
        self.met += 1
        is_struck = self.met > self.rule.skip and self.draws.random() < self.rule.probability
        self.struck += is_struck
        return is_struck

    def to_json(self) -> Json:
        """As the control API lists it."""
        said = self.rule.model_dump(mode="json", exclude_none=True)
        counts = {"met": self.met, "struck": self.struck, "is_spent": self.is_spent}
        return {"id": self.number, **said, "seed": self.seed, **counts}


@dataclass
class FaultBook:
    """The rules in force, in the order they were added; the first that strikes wins.

    Each rule draws from its own generator, made of the seed and its place among the rules added with it, so that the
    same calls in the same order are struck again by the same seed.
    """

    methods: Collection[str]
    standing: list[Standing] = field(default_factory=list)
    last_number: int = 0

    def add(self, rules: Sequence[FaultRule], seed: int) -> list[Standing]:
        """Put rules into force.

        Raises:
            ActError: a rule names a method that the playground does not know; none is added then.
        """
        for rule in rules:
            if rule.method not in {None, ANY, *self.methods}:
                raise ActError(f"no method {rule.method}")
        added = list(self._number(rules, seed))
        self.standing.extend(added)
        return added

    def _number(self, rules: Sequence[FaultRule], seed: int) -> Iterator[Standing]:
        for place, rule in enumerate(rules):
            self.last_number += 1
            yield Standing(self.last_number, rule, seed, Random(f"{seed}:{place}"))

    def clear(self, number: int | None = None) -> int:
        """Take one rule, or all, out of force; how many there were.

        Raises:
            ActError: no rule has that number.
        """
        kept = [one for one in self.standing if number not in {None, one.number}]
        gone = len(self.standing) - len(kept)
        if number is not None and not gone:
            raise ActError(f"no fault {number}")
        self.standing = kept
        return gone

    def find_for_call(self, method: str) -> Fault | None:
        """What strikes this call, if anything does."""
        return self._find(one for one in self.standing if one.rule.method in {ANY, method})

    def find_for_payload(self, *names: str) -> Fault | None:
        """What strikes a payload that goes by these names, if anything does."""
        return self._find(one for one in self.standing if one.rule.payload in {ANY, *names})

    def _find(self, matching: Iterator[Standing]) -> Fault | None:
        return next((one.rule.make(one.number) for one in matching if one.strikes()), None)

    def to_json(self) -> list[Json]:
        """All rules as the control API lists them."""
        return [one.to_json() for one in self.standing]
