"""A target as people type it, read into its parts: "conversion from 5% to 10% by 31 Dec", in any order, also in
Chinese. Owns the grammar; refuses to know accounts, to judge the parts or to fill in what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date

from commands.success.target_steps import read_shape
from commands.typed import find_quantity, read_date, read_quantity, split_date, split_quoted
from rules.errors import UserError
from rules.records import TargetKind
from rules.success.metrics import NAME_LENGTH
from rules.success.target_steps import Load, Rhythm
from words.currencies import find_currency
from words.dates import parse_span
from words.errors import WordsError
from words.numbers import Quantity

_FROM, _TO, _BY, _UP, _DOWN = "from", "to", "by", "up", "down"
_ABOVE, _BELOW, _SINCE, _EVERY, _TOTAL, _KEEP, _DRAFT = "above", "below", "since", "every", "total", "keep", "draft"
_ENGLISH = {
    _FROM: ("from",),
    _TO: ("to", "->", "→"),
    _BY: ("by", "until", "till", "before", "due"),
    _UP: ("raise by", "raised by", "increase by", "grow by", "up by"),
    _DOWN: ("lower by", "reduce by", "cut by", "decrease by", "down by"),
    _ABOVE: ("keep above", "keep at or above", "keep at least", "at or above", "at least", "above", ">=", "≥"),
    _BELOW: ("keep below", "keep at or below", "keep at most", "at or below", "at most", "below", "<=", "≤"),
    _SINCE: ("since", "starting"),
    _EVERY: ("every",),
    _TOTAL: ("in total", "in all", "total", "cumulative"),
    _KEEP: ("keep",),
    _DRAFT: ("draft",),
}
# Written without spaces, so they count only where a number follows (到店率 is a metric).
_CHINESE = {
    _FROM: ("从", "從"),
    _TO: ("到", "至", "达到", "達到"),
    _BY: ("截至", "截止"),
    _UP: ("提高", "提升", "增加"),
    _DOWN: ("降低", "减少", "減少"),
    _ABOVE: ("不低于", "不低於", "至少"),
    _BELOW: ("不超过", "不超過", "至多"),
    _TOTAL: ("累计", "累計"),
}
_CLAUSES = {word: name for table in (_ENGLISH, _CHINESE) for name, words in table.items() for word in words}
_NUMBER_AHEAD = r"(?=\s*[-+]?\s*(?:[A-Z]{3}\s?|[^\w\s]{1,2}\s?)?[0-9０-９一二三四五六七八九十])"
_HAS_NUMBER = re.compile(_NUMBER_AHEAD)


def _alternatives(table: dict[str, tuple[str, ...]]) -> str:
    words = sorted((word for each in table.values() for word in each), key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)


_KEYWORD = re.compile(
    rf"(?<!\S)(?P<english>{_alternatives(_ENGLISH)})(?![^\s\d€$£¥])|(?P<chinese>{_alternatives(_CHINESE)}){_NUMBER_AHEAD}",
    re.IGNORECASE,
)
_DOWN_VERBS = "lower|reduce|cut|decrease"
_VERBS = re.compile(
    rf"^(?:(?P<down>{_DOWN_VERBS})|raise|increase|improve|grow)\s+|\s+(?:(?P<down_after>{_DOWN_VERBS})|raise|increase|improve|grow)$",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"\s*(?:前|之前|以前)$")
_STEPS = re.compile(
    r"(?<=[\s,，])(?:in\s+|with\s+)?(?:steps?|分步|步骤|步驟)\s*[:：]?\s*(?P<tail>.+)$", re.IGNORECASE | re.DOTALL
)
_MOST_VALUE_WORDS = 3


@dataclass(frozen=True)
class TypedTarget:
    """What was typed; None and "" stand for what was not. `raise_by` is the amount of "raise by 10 %" (`is_down`:
    lower), whose meaning is open. `steps` are as typed, for `commands.success.target_steps`; `owner_id` is a member.
    """

    metric: str = ""
    kind: TargetKind = TargetKind.LEVEL
    baseline: Quantity | None = None
    goal: Quantity | None = None
    start_on: date | None = None
    due_on: date | None = None
    raise_by: Quantity | None = None
    is_down: bool = False
    cadence_days: int | None = None
    is_draft: bool = False
    steps: str = ""
    load: Load = Load.LINEAR
    rhythm: Rhythm = Rhythm.EVEN
    owner_id: str | None = None
    customer_owner: str = ""


@dataclass(frozen=True)
class _State:
    target: TypedTarget = field(default_factory=TypedTarget)
    today: date = date.min
    home: str = ""

    def change(self, **parts: object) -> _State:
        return replace(self, target=replace(self.target, **parts))  # type: ignore[arg-type]  # fields by name

    def add_metric(self, text: str) -> _State:
        """Words that no clause could use are the metric's name, if it has none yet."""
        words = text.strip(" ,;:，、：")
        if not words:
            return self
        if self.target.metric or len(words) > NAME_LENGTH:
            raise UserError("I do not understand “{text}” here. Try: {example}", text=words, example=EXAMPLE)
        return self.change(metric=words)


EXAMPLE = "`/cs target acme conversion from 5% to 10% by 31 Dec`"


def read_target(text: str, today: date, home: str = "", metric: str = "") -> TypedTarget:
    """The parts of `text` (without the account). `metric` is its name where that is known already; `home` the
    currency of a bare sign.

    Raises:
        UserError: a number, date or word that cannot be read.
    """
    name, rest = (metric, text) if metric else split_quoted(text)
    rest, steps = _split_steps(f" {rest}")
    state = _State(replace(steps, metric=name), today, home)
    clauses = _split_clauses(rest)
    state = _read_lead(state, clauses[0][1].strip())
    for clause, words in clauses[1:]:
        state = _read_clause(state, clause, words)
    return state.target


def _split_steps(text: str) -> tuple[str, TypedTarget]:
    """The words before "steps …" at the end, and those steps: values with days, or how they are to be made."""
    found = _STEPS.search(text)
    shape = read_shape(found["tail"]) if found else None
    if found is None or (shape is None and not _HAS_NUMBER.match(found["tail"])):
        return text.strip(), TypedTarget()
    steps = TypedTarget(load=shape[0], rhythm=shape[1]) if shape else TypedTarget(steps=found["tail"].strip())
    return text[: found.start()].strip(" ,;，；"), steps


def _read_lead(state: _State, words: str) -> _State:
    """What stands before the first keyword: the metric, maybe with a verb ("lower churn", "conversion raise")."""
    verb = _VERBS.search(words)
    is_down = bool(verb and (verb["down"] or verb["down_after"]))
    return state.change(is_down=is_down).add_metric(_VERBS.sub("", words))


def _split_clauses(text: str) -> list[tuple[str, str]]:
    """The words before the first keyword (under ""), then each keyword's name with the words after it."""
    found = list(_KEYWORD.finditer(text))
    names = [_CLAUSES[" ".join(match[0].lower().split())] for match in found]
    kept = [
        (match, name)
        for place, (match, name) in enumerate(zip(found, names, strict=True))
        if name not in names[place + 1 :] or name == _BY or _HAS_NUMBER.match(text, match.end())
    ]
    starts = [match.start() for match, _name in kept] + [len(text)]
    parts = [("", text[: starts[0]])]
    for (match, name), end in zip(kept, starts[1:], strict=True):
        parts.append((name, text[match.end() : end].strip(" ,;，、")))
    return parts


def _read_clause(state: _State, name: str, words: str) -> _State:
    match name:
        case "from":
            return _read_value(state, words, "baseline")
        case "to":
            return _read_raise(state, words) if words.startswith("+") else _read_value(state, words, "goal")
        case "above" | "below":
            kind = TargetKind.KEEP_ABOVE if name == _ABOVE else TargetKind.KEEP_BELOW
            return _read_value(state.change(kind=kind), words, "goal")
        case "by":
            return _read_by(state, words)
        case "up" | "down":
            return _read_raise(state, words, is_down=name == _DOWN)
        case "since":
            return state.change(start_on=read_date(words, state.today, prefer="past", field="start_on"))
        case "every":
            return _read_cadence(state, words)
        case _:
            return _read_flag(state, name, words)


def _read_flag(state: _State, name: str, words: str) -> _State:
    if name == _TOTAL:
        state = state.change(kind=TargetKind.CUMULATIVE)
        if _HAS_NUMBER.match(words):
            return _read_value(state, words, "goal")
    if name == _DRAFT:
        state = state.change(is_draft=True)
    return state.add_metric(words)


def _read_by(state: _State, words: str) -> _State:
    """A due date, or the amount of "by 10 %"."""
    day, rest = split_date(_SUFFIX.sub("", words), state.today, prefer="future")
    if day is not None:
        return state.change(due_on=day).add_metric(rest)
    if find_quantity(words, state.home) is not None and "%" in words:
        return _read_raise(state, words)
    return state.change(due_on=read_date(words, state.today, prefer="future", field="due_on"))


def _read_raise(state: _State, words: str, *, is_down: bool = False) -> _State:
    changed = _read_value(state, words.removeprefix("+"), "raise_by")
    return changed.change(is_down=is_down or state.target.is_down)


def _read_value(state: _State, words: str, part: str) -> _State:
    """A quantity; a word after a plain number is its unit, or the metric where that has not been named."""
    whole = find_quantity(words, state.home)
    if whole is not None:
        if whole.unit and not state.target.metric and not _is_unit(whole.unit):
            return state.change(**{part: Quantity(whole.value, "")}).add_metric(whole.unit)
        return state.change(**{part: whole})
    ends = [word.end() for word in re.finditer(r"\S+", words)][:_MOST_VALUE_WORDS]
    for end in reversed(ends):
        found = find_quantity(words[:end], state.home)
        if found is not None and (_is_unit(found.unit) or not found.unit):
            rest = words[end:].strip()
            changed = state.change(**{part: found})
            return _read_by(changed, rest) if _SUFFIX.search(rest) else changed.add_metric(rest)
    return state.change(**{part: read_quantity(words, field="goal" if part == "raise_by" else part, home=state.home)})


def _read_cadence(state: _State, words: str) -> _State:
    try:
        days = parse_span(words if re.match(r"\d", words) else f"1 {words}").days
    except WordsError:
        days = {"month": 30, "quarter": 91, "year": 365}.get(words.lower().strip(), 0)
    if days < 1:
        raise UserError(
            "How often is it measured? Type it like “every 14 days” or “every month”.", field="cadence_days"
        )
    return state.change(cadence_days=days)


def _is_unit(unit: str) -> bool:
    return unit == "%" or find_currency(unit) == unit
