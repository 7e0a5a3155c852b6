"""What a renewal looks like: its line in a list, what it lacks, the verdicts on it. Pure: rows in, text out; refuses to
look anything up (`commands.renewals.renewal_views`).
"""

from __future__ import annotations

from datetime import date

from commands.blocks.accounts import health_mark, shown_name
from commands.kit import Element, button, clip, esc
from commands.slice import Ref
from rules.records import RenewalOutcome, RenewalVerdict
from rules.renewals.outcomes import Figures, Reason, TargetFigure
from rules.renewals.readiness import Check, Lack, Readiness
from rules.renewals.verdicts import RULE, disagrees
from storage.accounts.accounts import AccountRow
from storage.health.health import HealthScoreRow
from storage.renewals.renewals import RenewalRow
from words.money import Amount
from words.reader import Reader

SHOW = "renewals.show"
VERDICT = "renewals.verdict"
OUTCOME = "renewals.outcome"
CONTRACTS = "renewals.contracts"
CONTRACTS_ADD = "renewals.add_contract"
_TARGETS_TOLD = 3
_NOTE_LENGTH = 500
_NAME_LENGTH = 60


def renewal_line(
    reader: Reader,
    row: RenewalRow,
    account: AccountRow,
    readiness: Readiness | None,
    health: HealthScoreRow | None,
    *,
    is_hiding_amounts: bool = False,
    today: date | None = None,
) -> str:
    """One line of a list: "🟢 82 *Globex* · decide by 14 Mar · €120k · ready · says it renews"."""
    parts = [
        f"{health_mark(health)} *{shown_name(account)}*",
        decision_words(reader, row, today),
        "" if is_hiding_amounts else amount_words(reader, row.yearly_minor, row.currency),
        readiness_words(reader, readiness) if readiness else "",
        reader.say("verdict: {verdict}", verdict=verdict_words(reader, row.verdict)) if row.verdict else "",
    ]
    return " · ".join(part for part in parts if part)


def renewal_button(reader: Reader, account_id: str) -> Element:
    """Shows the account's renewal."""
    return button(reader.say("Renewal"), SHOW, Ref("account", account_id))


def verdict_button(reader: Reader, row: RenewalRow, *, is_primary: bool = False) -> Element:
    """Opens the form for one's own call."""
    label = reader.say("Change verdict") if row.verdict else reader.say("Give verdict")
    return button(label, VERDICT, renewal_ref(row.contract_id, row.ends_on), style="primary" if is_primary else None)


def outcome_button(reader: Reader, row: RenewalRow, *, is_primary: bool = False) -> Element:
    """Opens the form for how it ended."""
    ref = renewal_ref(row.contract_id, row.ends_on)
    return button(reader.say("Record outcome"), OUTCOME, ref, style="primary" if is_primary else None)


def contracts_button(reader: Reader, account_id: str) -> Element:
    """Lists the account's contracts."""
    return button(reader.say("Contracts"), CONTRACTS, Ref("account", account_id))


def renewal_ref(contract_id: str, ends_on: date) -> Ref:
    """One end of a contract, also before a row is kept of it."""
    return Ref("contract", contract_id, {"end": ends_on.isoformat()})


def amount_words(reader: Reader, minor: int, currency: str) -> str:
    """A year's money, short; "" where none is known."""
    return reader.money(Amount(minor, currency), is_compact=True) if minor else ""


def decision_words(reader: Reader, row: RenewalRow, today: date | None = None) -> str:
    """When it is decided: "ended 1 Mar, open", "decide by 14 Feb", "ends 14 Mar"."""
    ends = reader.date(row.ends_on, today=today)
    if today is not None and row.ends_on < today:
        return reader.say("ended {day}, still open", day=ends)
    if row.decides_on < row.ends_on:
        day = reader.date(row.decides_on, today=today)
        return reader.say("decision {day}, ends {end}", day=day, end=ends)
    return reader.say("ends {day}", day=ends)


def readiness_words(reader: Reader, readiness: Readiness) -> str:
    """Ready, or how many things are missing."""
    missing = len(readiness.missing)
    if not missing:
        return reader.say("ready")
    return reader.say_many("{count} thing missing", "{count} things missing", missing)


def verdict_words(reader: Reader, verdict: RenewalVerdict | None) -> str:
    """A verdict in two words."""
    return {
        RenewalVerdict.RENEWS: reader.say("renews"),
        RenewalVerdict.EXPANDS: reader.say("expands"),
        RenewalVerdict.AT_RISK: reader.say("at risk"),
        RenewalVerdict.CHURNS: reader.say("churns"),
        None: reader.say("too little is known"),
    }[verdict]


def outcome_words(reader: Reader, outcome: RenewalOutcome) -> str:
    """How it ended."""
    return {
        RenewalOutcome.OPEN: reader.say("open"),
        RenewalOutcome.RENEWED: reader.say("renewed"),
        RenewalOutcome.EXPANDED: reader.say("expanded"),
        RenewalOutcome.CONTRACTED: reader.say("contracted"),
        RenewalOutcome.CHURNED: reader.say("churned"),
        RenewalOutcome.CANCELLED: reader.say("nothing to decide"),
    }[outcome]


def change_words(reader: Reader, row: RenewalRow) -> str:
    """The money before and after: "€84k → €96k a year (+€12k)"."""
    before, after = row.yearly_minor, row.new_yearly_minor
    if after is None or not (before or after):
        return ""
    old, new, delta = (
        reader.money(Amount(minor, row.currency), is_compact=True) for minor in (before, after, abs(after - before))
    )
    if before == after:
        return reader.say("{amount} a year", amount=new)
    sign = "+" if after > before else "−"
    return reader.say("{before} → {after} a year ({change})", before=old, after=new, change=f"{sign}{delta}")


def reason_words(reader: Reader, reason: Reason, figures: Figures) -> str:
    """Why, with the figures that go with it: "targets not reached: conversion 22 % of the way"."""
    said, numbers = _reasons(reader)[reason], _numbers(reader, reason, figures)
    return f"{said}: {numbers}" if numbers else said


def figures_words(reader: Reader, figures: Figures) -> str:
    """Health and targets of that day, whatever the reason."""
    score = reader.say("health unknown") if figures.score is None else reader.say("health {score}", score=figures.score)
    return " · ".join([score, *(_target_words(reader, each) for each in figures.targets[:_TARGETS_TOLD])])


def past_words(reader: Reader, row: RenewalRow, figures: Figures) -> str:
    """How one ended: "31 May 2025 expanded · €60k → €84k a year (+€24k)"; a loss with its reason and figures."""
    parts = [f"{reader.date(row.ends_on)} {outcome_words(reader, row.outcome)}", change_words(reader, row)]
    if row.reason:
        parts += [reason_words(reader, Reason(row.reason), figures), figures_words(reader, figures)]
    return " · ".join(part for part in parts if part)


def leaving_words(reader: Reader, row: RenewalRow, today: date) -> str:
    """Of a customer who said so, and is one until then: "leaves on 31 Mar"."""
    return "✕ " + reader.say("leaves on {day}", day=reader.date(row.ends_on, today=today))


def rule_words(reader: Reader) -> str:
    """How the figures come to their verdict: no guess, a rule."""
    said = reader.say(
        "The figures: notice = churns; red, or no target on track = at risk; green with a target reached, none behind "
        "= expands; green, yellow or a target on track = renews"
    )
    return f"{said} ({reader.say('rule {rule}', rule=RULE)})"


def shown_note(note: str) -> str:
    """What somebody typed, safe and not too long."""
    return esc(clip(note, _NOTE_LENGTH))


def _reasons(reader: Reader) -> dict[Reason, str]:
    return {
        Reason.TARGETS: reader.say("targets not reached"),
        Reason.LOW_USE: reader.say("too little used"),
        Reason.HEALTH: reader.say("unhealthy for long"),
        Reason.SPONSOR: reader.say("the sponsor left or lost interest"),
        Reason.SUPPORT: reader.say("problems not solved"),
        Reason.PRICE: reader.say("price"),
        Reason.COMPETITOR: reader.say("went to a competitor"),
        Reason.BUDGET: reader.say("budget cut"),
        Reason.NOT_NEEDED: reader.say("the need is gone"),
        Reason.CLOSED: reader.say("the company closed or was bought"),
        Reason.UNPAID: reader.say("not paid"),
        Reason.OTHER: reader.say("another reason"),
    }


def _numbers(reader: Reader, reason: Reason, figures: Figures) -> str:
    match reason:
        case Reason.TARGETS:
            return ", ".join(_target_words(reader, each) for each in figures.targets[:_TARGETS_TOLD])
        case Reason.LOW_USE if figures.utilisation is not None:
            return reader.say("utilisation {x} of 100", x=figures.utilisation)
        case Reason.HEALTH if figures.score is not None:
            return reader.say("health {score}", score=figures.score)
        case Reason.SUPPORT if figures.urgent_tickets:
            return reader.say_many("{count} urgent ticket", "{count} urgent tickets", figures.urgent_tickets)
        case _:
            return ""


def _target_words(reader: Reader, target: TargetFigure) -> str:
    name = esc(clip(target.metric, _NAME_LENGTH))
    if target.share is None:
        return reader.say("{metric} never measured", metric=name)
    return reader.say("{metric} {share} of the way", metric=name, share=reader.quantity(target.share, "%"))


def two_keys(reader: Reader, own: RenewalVerdict | None, computed: RenewalVerdict | None) -> str:
    """Both verdicts side by side; where they disagree, that a lead should look."""
    said = reader.say("Verdict: {verdict}", verdict=verdict_words(reader, own)) if own else reader.say("No verdict yet")
    figures = reader.say("the figures say: {verdict}", verdict=verdict_words(reader, computed))
    if disagrees(own, computed):
        return f"*{said}* ≠ *{figures}* — " + reader.say("they disagree: a lead should look")
    return f"{said} · {figures}"


def lack_words(reader: Reader, lack: Lack) -> str:
    """What is missing and what to do about it."""
    match lack.check:
        case Check.ALERTS:
            return reader.say_many(
                "{count} urgent alert that nobody took: take it",
                "{count} urgent alerts that nobody took: take them",
                lack.count,
            )
        case Check.TICKETS:
            return reader.say_many(
                "{count} urgent ticket is open: get a date for it and tell the customer",
                "{count} urgent tickets are open: get dates for them and tell the customer",
                lack.count,
            )
        case _:
            return _plain_lack(reader, lack.check)


def _plain_lack(reader: Reader, check: Check) -> str:
    return {
        Check.SPONSOR: reader.say("no sponsor known who is still there: ask who decides"),
        Check.TARGET: reader.say("no target agreed: nothing shows what it was good for"),
        Check.VALUE: reader.say("no fresh value of any target: log one"),
        Check.RESULT: reader.say("no target is on track: plan a review before the talk"),
        Check.VERDICT: reader.say("no verdict: say how it will end"),
        Check.INVOICE: reader.say("an invoice is overdue: ask whether it is disputed"),
        Check.TOUCH: reader.say("not in touch lately: call, and check in"),
    }[check]
