"""The calculation behind an alert, read as a person reads it: every figure is taken from the text that is shown, and
the sum is done again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.alerts.alert_lines import get_access, handle_line
from commands.alerts.alerts import choose_more
from commands.alerts.why import WHY, open_why
from commands.blocks.alert_why import Case, render_why
from commands.blocks.alerts import render_alert
from commands.slice import Ref
from playground.blockkit.check import check_blocks
from rules.alerts.conditions import Condition, Verdict
from rules.alerts.evidence import Evidence, Observation
from rules.alerts.health_signals import observe_drop, observe_red, observe_silence
from rules.alerts.tuning import Adjustment, Remedy, Tuning
from rules.errors import UserError
from rules.health.health import DayScore, decide_band, show_score, weigh
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, ConditionState
from storage.alerts.alerts import EpisodeRow
from storage.success.checkins import CheckinRow
from tests.alert_kinds import DAY, READERS, TODAY, list_bad, list_texts, view_of
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, get_form, shown
from tests.conftest import NOW

FIGURE = r"−?[\d,]+(?:\.\d+)?"


def read(seen: Observation, **more: object) -> str:
    """The calculation of an observation as its alert keeps it, in plain figures."""
    facts = {**seen.facts, "seen_on": TODAY.isoformat(), "needed": 2, "sightings": [["2026-03-09", 1.0]]}
    view = view_of(replace(seen, facts=facts), "Acme")
    blocks = render_why(READERS[0], Case(view, **more))  # type: ignore[arg-type]  # fields by name
    check_blocks(blocks, "modal")
    return "\n".join(list_texts(blocks)).replace("\u202f", " ")


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def figures(pattern: str, text: str) -> list[float]:
    """The figures that `pattern` finds, each `#` standing for one; it must be there."""
    found = re.search(re.escape(pattern).replace(r"\#", f"({FIGURE})"), text)
    assert found, (pattern, text)
    return [number(each) for each in found.groups()]


def redo_days(text: str) -> list[int]:
    """Do every sum of dates again: "3 Mar 2026 → 10 Mar 2026 = 7 days"."""
    sums = re.findall(r"(\d+ \w+ \d{4}) → (\d+ \w+ \d{4}) = (−?\d+) days?", text)
    for since, until, days in sums:
        first, last = (datetime.strptime(each, "%d %b %Y").date() for each in (since, until))  # noqa: DTZ007  # days
        assert (last - first).days == number(days)
    return [int(number(days)) for _since, _until, days in sums]


def find_bad(kind: AlertKind) -> Observation:
    return next(each for each in list_bad("Conversion") if each.kind is kind)


# ---------------------------------------------------------------- health

FACTORS = st.dictionaries(
    st.sampled_from(["utilisation", "trend", "breadth", "targets", "support", "payment"]),
    st.tuples(st.floats(0, 100).map(lambda x: round(x, 2)), st.floats(0, 100).map(lambda x: round(x, 2))),
    min_size=2,
)
WEIGHTS = {"utilisation": 15.0, "trend": 15.0, "breadth": 10.0, "targets": 20.0, "support": 10.0, "payment": 5.0}


def score_of(day: date, factors: dict[str, tuple[float, float]], capped_by: str = "") -> DayScore:
    score = weigh(factors) or 0.0
    score = min(score, 49.0) if capped_by else score
    return DayScore(day, score, decide_band(score, is_capped=bool(capped_by)), 1.0, capped_by, factors)


def redo_drop(text: str) -> None:
    """Every part, their sum, both sides, the threshold."""
    parts = 0.0
    for before, after, weight, total, points in re.findall(
        rf"\(({FIGURE}) − ({FIGURE})\) × ({FIGURE}) / ({FIGURE}) = ({FIGURE})", text
    ):
        again = (number(before) - number(after)) * number(weight) / number(total)
        assert again == pytest.approx(number(points), abs=0.011)
        parts += number(points)
    capped = re.findall(rf"• at most 49: [^\n=]* = ({FIGURE})", text)
    parts += sum(map(number, capped))
    old, new, change = figures(": # → #, which is #", text)
    assert parts == pytest.approx(change, abs=0.05)
    assert new - old == pytest.approx(change, abs=0.011)
    lost = re.search(rf"Threshold: ({FIGURE}) points lost.*Lost were ({FIGURE})", text)
    assert lost
    assert number(lost[2]) >= number(lost[1]) - 0.011
    assert number(lost[2]) == pytest.approx(-change, abs=0.011)


@settings(max_examples=150)
@given(FACTORS, st.sampled_from(["", "notice", "silence"]), st.sampled_from([0.0, 5.0]))
def test_the_sum_of_a_drop_can_be_done_again(factors: dict[str, tuple[float, float]], cap: str, by: float):
    """Contributions add up to the change in the first line, and the sums to two decimals."""
    before = score_of(TODAY - 9 * DAY, {name: (sides[0], WEIGHTS[name]) for name, sides in factors.items()})
    after = score_of(TODAY, {name: (sides[1], WEIGHTS[name]) for name, sides in factors.items()}, cap)
    change = Adjustment("a", AlertKind.HEALTH_DROP, Remedy.RAISE, TODAY, "lee", by)
    tunings = {AlertKind.HEALTH_DROP: Tuning((change,))} if by else {}
    seen = observe_drop(Evidence(TODAY, {TODAY: after, TODAY - 9 * DAY: before}, tunings=tunings))
    if seen.verdict is not Verdict.BAD:
        return
    text = read(seen)
    redo_drop(text)
    told = re.search(r"health fell (\d+) → (\d+) in 9 days", text)
    assert told
    assert [int(each) for each in told.groups()] == [show_score(before.score or 0), show_score(after.score or 0)]
    message = "\n".join(list_texts(list(render_alert(READERS[0], view_of(seen, "Acme")).blocks)))
    line = next(each for each in message.splitlines() if "  = " in each)
    points = [number(each) for each in re.findall(r" ([+−]\d+)(?: \(| ·|  =)", line)]
    assert sum(points) == number(line.rpartition("= ")[2].replace("+", "")) == int(told[2]) - int(told[1])


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(list(WEIGHTS)), st.floats(0, 60).map(lambda x: round(x, 2)), min_size=1))
def test_the_sum_of_a_red_score_can_be_done_again(values: dict[str, float]):
    today = score_of(TODAY, {name: (x, WEIGHTS[name]) for name, x in values.items()})
    seen = observe_red(Evidence(TODAY, {TODAY: today}))
    if seen.verdict is not Verdict.BAD:
        return
    text = read(seen)
    products, weights = 0.0, 0.0
    for x, weight, product in re.findall(rf": ({FIGURE}) × ({FIGURE}) = ({FIGURE})", text):
        assert number(x) * number(weight) == pytest.approx(number(product), abs=0.011)
        products, weights = products + number(product), weights + number(weight)
    total, over, score = figures("Together: # / # = #", text)
    assert (total, over) == (pytest.approx(products, abs=0.05), weights)
    assert total / over == pytest.approx(score, abs=0.011)
    limit, told, ends = figures("Threshold: under #. The score is #. It ends at #", text)
    assert told == show_score(today.score or 0) < limit == ends - 5


def test_the_days_of_silence_can_be_counted_again():
    usage, feed = Usage(TODAY - 300 * DAY, TODAY - 40 * DAY, active_days=10), Feed(TODAY - DAY)
    text = read(observe_silence(Evidence(TODAY, usage=usage, feed=feed)))
    (days,) = figures("After 29 Jan 2026 up to 9 Mar 2026: # working days without use", text)
    since, until = date(2026, 1, 29), date(2026, 3, 9)
    counted = [since + each * DAY for each in range(1, (until - since).days + 1)]
    assert days == sum(each.weekday() < 5 for each in counted)
    lived, active, gap, times, least = figures("Usual gap: # days / # days of use = #; # of them are #", text)
    assert lived / active == pytest.approx(gap, abs=0.011)
    assert gap * times == pytest.approx(least, abs=0.02)
    assert least <= (until - since).days
    assert days >= figures("Threshold: # working days", text)[0]


# ---------------------------------------------------------------- targets, journeys, contracts, data


def test_the_sum_of_a_target_behind_can_be_done_again():
    text = read(find_bad(AlertKind.TARGET_BEHIND))
    least, percent, period, share, allowed = figures(
        "Limit: the larger of # days and # % of # days = #, so # days", text
    )
    assert share == pytest.approx(percent * period / 100)
    assert allowed == max(least, share)
    days, over, limits = figures("Behind: # / # = # times the limit", text)
    assert (over, days / over) == (allowed, pytest.approx(limits, abs=0.011))
    threshold, ends = figures("Threshold: more than # times. It ends at # times", text)
    assert limits > threshold > ends
    assert redo_days(text) == [days]


def test_the_age_of_a_stale_target_can_be_counted_again():
    text = read(find_bad(AlertKind.TARGET_STALE))
    times, cadence, limit = figures("Limit: # × # days = # days", text)
    assert times * cadence == limit
    (age,) = redo_days(text)
    assert age > limit


def test_a_stage_that_is_stuck_can_be_counted_again():
    text = read(find_bad(AlertKind.STAGE_STUCK))
    (days,) = redo_days(text)
    total, planned, beyond = figures("Beyond the plan: # − # = # days", text)
    assert (total, total - planned) == (days, beyond)
    least, percent, of, share, limit = figures("the larger of # days and # % of # days = #, so # days", text)
    assert (of, int(percent * of / 100), max(least, share)) == (planned, share, limit)
    assert beyond > limit


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        (AlertKind.MILESTONE_DUE, 3),
        (AlertKind.MILESTONE_OVERDUE, 40),
        (AlertKind.NOTICE_RECEIVED, 60),
        (AlertKind.CONTRACT_EXPIRED, 40),
        (AlertKind.STEP_DUE, 7),
    ],
)
def test_days_between_dates_can_be_counted_again(kind: AlertKind, days: int):
    assert redo_days(read(find_bad(kind))) == [days]


def test_thin_data_shows_what_is_known_against_what_is_needed():
    limit, known, ends = figures(
        "Threshold: under # %. Known is # %. It ends at # %", read(find_bad(AlertKind.DATA_THIN))
    )
    assert known < limit < ends


def test_every_kind_shows_a_sum_and_what_to_do():
    for seen in list_bad("Name"):
        text = read(seen)
        assert "*The sum*\n• " in text
        assert "*What to do*\n• " in text
        assert "*The days*\n• " in text


# ---------------------------------------------------------------- where it stands


def test_the_two_observations_and_the_state_are_told():
    seen = observe_drop(
        Evidence(
            TODAY,
            {
                TODAY: score_of(TODAY, {"trend": (40.0, 15.0)}),
                TODAY - 9 * DAY: score_of(TODAY - 9 * DAY, {"trend": (90.0, 15.0)}),
            },
        )
    )
    facts = {
        **seen.facts,
        "seen_on": "2026-03-10",
        "needed": 2,
        "sightings": [["2026-03-09", 48.5], ["2026-03-10", 50.0]],
    }
    condition = Condition(
        ConditionState.FIRING, 0, TODAY, TODAY, (TODAY - 9 * DAY, TODAY - 4 * DAY, TODAY), is_flapping=True
    )
    more = {
        "is_quiet": True,
        "quiet_reason": "flapping",
        "escalation": [{"level": 0, "at": NOW.isoformat()}, {"level": 1, "at": (NOW + DAY).isoformat()}],
        "escalated_to": 1,
        "timer_step": "escalate",
        "timer_at": NOW + DAY,
    }
    view = view_of(replace(seen, facts=facts), "Acme", **more)
    view = replace(view, pulse=(4, TODAY - 12 * DAY))
    text = "\n".join(list_texts(render_why(READERS[0], Case(view, condition))))
    for said in (
        "9 Mar 2026: 48.5 points lost",
        "10 Mar 2026: 50 points lost",
        "It takes 2 different days to raise it",
        "Last looked at on 10 Mar 2026: still so",
        "It began 3 times or more within 14 days: digests only",
        "In digests only: it came and went too often lately",
        "Planned since it waits: carried up 11 Mar 2026 09:00",
        "Carried up so far: level 1 of 1",
        "Carried up 11 Mar 2026 09:00 unless somebody takes it",
        "pulse 4 of 5 on 26 Feb 2026",
        "rule drop-1",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("budget", "Left to the digest: its person was told of 3 of 3 that day"),
        ("channel", "Left to the digest: its channel had 3 of 3 messages that day"),
    ],
)
def test_a_spent_budget_is_told_with_its_size(reason: str, said: str):
    more = {"is_quiet": True, "quiet_reason": reason, "quiet_count": 3, "quiet_limit": 3}
    view = view_of(find_bad(AlertKind.HEALTH_RED), "Acme", **more)
    assert said in "\n".join(list_texts(render_why(READERS[0], Case(view))))


# ---------------------------------------------------------------- asking for it


def add_alerts(desk: Desk, count: int) -> list[EpisodeRow]:
    account = desk.add_account()
    facts = dict(find_bad(AlertKind.HEALTH_RED).facts)
    return [
        add_episode(desk.tx, account.id, kind=AlertKind.HEALTH_RED, subject=str(at), facts=facts, rule_version="red-1")
        for at in range(count)
    ]


def test_why_of_an_account_with_one_alert_opens_the_calculation(desk: Desk):
    (row,) = add_alerts(desk, 1)
    desk.tx.session.add(
        CheckinRow(
            workspace_id=desk.tx.workspace_id, account_id=row.account_id, happened_on=TODAY, pulse=2, created_at=NOW
        )
    )
    form = get_form(desk.do(handle_line, "why acme"))
    assert (form.title, form.submit) == ("Why this alert?", "")
    text = "\n".join(list_texts(list(form.blocks)))
    assert "*The sum*" in text
    assert "pulse 2 of 5 on 10 Mar 2026" in text
    menu = Ref("episode", row.id, {"do": "why"})
    assert get_form(desk.press(choose_more, menu)).blocks == form.blocks


def test_why_of_an_account_with_several_alerts_asks_which(desk: Desk):
    rows = add_alerts(desk, 2)
    replies = desk.do(handle_line, "why acme")
    assert "which alert?" in shown(replies[0])
    refs = [Ref.parse(block["accessory"]["value"]) for block in replies[0].message.blocks if "accessory" in block]  # type: ignore[union-attr]  # a whisper
    assert sorted(ref.id for ref in refs) == sorted(row.id for row in rows)
    assert get_form(desk.press(open_why, refs[0])).title == "Why this alert?"
    assert WHY == "alerts.why"


def test_why_of_an_account_without_open_alerts_tells_of_the_last(desk: Desk):
    (row,) = add_alerts(desk, 1)
    row.closed_at, row.close_reason = NOW + timedelta(hours=1), "recovered"
    row.state = "resolved"  # type: ignore[assignment]  # its value
    desk.tx.session.flush()
    assert "recovered" in "\n".join(list_texts(list(get_form(desk.do(handle_line, "why acme")).blocks)))


def test_why_without_any_alert_and_without_an_account_says_what_to_do(desk: Desk):
    desk.add_account()
    with pytest.raises(UserError, match="never had an alert"):
        desk.do(handle_line, "why acme")
    with pytest.raises(UserError):
        desk.do(handle_line, "why nobody")
    assert [get_access(text) for text in ("why acme", "rules", "ledger", "ledger 30", "all")] == [
        *("reads", "reads", "writes", "writes", "reads"),
    ]
