"""`/cs alerts rules`, and the lead's answer to a proposal about a rule. Owns these two views and who may change a rule;
refuses to judge rules (`rules.alerts.ledger`) and to carry a change out (`storage.alerts.adjustment_writes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commands.blocks.alerts import LOOKS
from commands.blocks.rule_words import adjustment_words, amount_words, remedy_words
from commands.blocks.timeline import alert_words
from commands.kit import Element, Json, actions, button, context, mention, message, section
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today
from rules.alerts.evidence import Rule
from rules.alerts.ledger import DEFAULT_DAYS
from rules.alerts.signals import RULE_OF, RULES
from rules.alerts.tuning import AS_MADE, MUTE_TIME, Remedy, Tuning, tune
from rules.errors import StaleError
from rules.people.roles import Permission, may
from storage.alerts.adjustment_writes import accept, refuse, take_back
from storage.alerts.adjustments import (
    PROPOSAL,
    ProposalState,
    RuleProposalRow,
    find_proposal,
    get_adjustment,
    get_proposal,
    list_adjustments,
    to_adjustment,
)
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from words.reader import Reader

RAISE, MUTE, DIGEST, KEEP, UNDO = (
    "alerts.rule_raise",
    "alerts.rule_mute",
    "alerts.rule_digest",
    "alerts.rule_keep",
    "alerts.rule_undo",
)
_REMEDIES = {RAISE: Remedy.RAISE, MUTE: Remedy.MUTE, DIGEST: Remedy.DIGEST}

# ---------------------------------------------------------------- the list


def show_rules(call: Call, tx: Tx) -> list[Reply]:
    """Every rule in plain words, with its version and what people changed about it."""
    call.require(Permission.READ)
    return [Whisper(_list_rules(call, tx))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a change of a rule back; the list is shown as it is then."""
    call.require(Permission.SETUP)
    take_back(tx, get_adjustment(tx, call.ref.id if call.ref else ""), call.person.actor, call.now)
    tx.session.flush()
    return [answer_in_place(call, _list_rules(call, tx))]


def _list_rules(call: Call, tx: Tx) -> Message:
    today = get_today(call, tx)
    adjustments = [to_adjustment(row) for row in list_adjustments(tx, today)]
    people, tunings = get_members(tx, [each.by for each in adjustments]), tune(adjustments, today)
    say = call.reader.say
    title = say("*{count} rules* look at every account each day", count=call.reader.number(len(RULES)))
    blocks = [each for rule in RULES for each in _show_rule(call, rule, tunings.get(rule.kind, AS_MADE), people)]
    hint = say("What became of their alerts: `/cs alerts ledger`. Too sensitive? Say so when you dismiss one.")
    return message(title, section(title), *blocks, context(hint))


def _show_rule(call: Call, rule: Rule, tuning: Tuning, people: Mapping[str, MemberRow]) -> list[Json]:
    reader = call.reader
    where = " · " + reader.say("in digests only") if rule.is_digest_only else ""
    name = alert_words(reader, rule.kind).capitalize()
    head = f"*{name}* · `{tuning.name_version(rule.version)}`{where}"
    blocks = [section(f"{head}\n{LOOKS[rule.kind].rule(reader)}")]
    for each in tuning.adjustments:
        who = _who(reader, people.get(each.by))
        button_ = button(reader.say("Undo"), UNDO, Ref("adjustment", each.id))
        is_theirs = may(call.person.role, Permission.SETUP)
        blocks.append(section(f"› {adjustment_words(reader, each, who)}", accessory=button_ if is_theirs else None))
    return blocks


# ---------------------------------------------------------------- a proposal


def render_proposal_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The question to the lead, or what became of it."""
    row = find_proposal(tx, reference)
    return _draw_proposal(tx, reader, row) if row else None


def choose(call: Call, tx: Tx) -> list[Reply]:
    """Any of the lead's answers but to leave the rule as it is; `call.ref.extra` says which."""
    call.require(Permission.SETUP)
    row = get_proposal(tx, call.ref.id if call.ref else "")
    wanted = call.ref.extra.get("remedy", "") if call.ref else ""
    if wanted not in set(Remedy):
        raise StaleError("This button is from an older version. See `/cs alerts rules`.")
    step = RULE_OF[row.kind].step
    accept(tx, row, Remedy(wanted), step, call.person.actor, today=get_today(call, tx), now=call.now)
    return _answer(call, tx, row)


def keep(call: Call, tx: Tx) -> list[Reply]:
    """The rule stays as it is."""
    call.require(Permission.SETUP)
    row = get_proposal(tx, call.ref.id if call.ref else "")
    refuse(tx, row, call.person.actor, call.now)
    return _answer(call, tx, row)


def _answer(call: Call, tx: Tx, row: RuleProposalRow) -> list[Reply]:
    """The message itself follows by the outbox; who decided is told too."""
    tx.session.flush()
    return [answer_in_place(call, message(_outcome_words(tx, call.reader, row)))]


def _draw_proposal(tx: Tx, reader: Reader, row: RuleProposalRow) -> Message:
    title = reader.say(
        "The rule “{rule}” may be too sensitive: {count} of {total} alerts that people closed in {span} were "
        "dismissed as too sensitive.",
        rule=alert_words(reader, row.kind),
        count=reader.number(row.too_sensitive),
        total=reader.number(row.closed),
        span=reader.span(DEFAULT_DAYS),
    )
    rule = LOOKS[row.kind].rule(reader)
    if row.state is not ProposalState.OPEN:
        done = _outcome_words(tx, reader, row)
        return message(f"{title} {done}", section(title), context(done))
    hint = reader.say("Nothing changes until you choose. Each change can be undone in `/cs alerts rules`.")
    return message(title, section(title), context(rule), actions(*_choices(reader, row)), context(hint))


def _choices(reader: Reader, row: RuleProposalRow) -> Sequence[Element]:
    def ref(remedy: Remedy) -> Ref:
        return Ref("proposal", row.id, {"remedy": remedy.value})

    step = RULE_OF[row.kind].step
    amount = amount_words(reader, row.kind, step)
    raised = [button(reader.say("Threshold {amount}", amount=amount), RAISE, ref(Remedy.RAISE), style="primary")]
    quiet = [button(reader.say("Digests only"), DIGEST, ref(Remedy.DIGEST))]
    is_loud = not RULE_OF[row.kind].is_digest_only
    mute = button(reader.say("Mute for {span}", span=reader.span(MUTE_TIME.days)), MUTE, ref(Remedy.MUTE))
    leave = button(reader.say("Leave as it is"), KEEP, Ref("proposal", row.id))
    return [*(raised if step else []), mute, *(quiet if is_loud else []), leave]


def _outcome_words(tx: Tx, reader: Reader, row: RuleProposalRow) -> str:
    member = get_members(tx, [row.decided_by]).get(row.decided_by) if row.decided_by else None
    when = reader.moment(row.decided_at) if row.decided_at else ""
    if row.state is ProposalState.REFUSED or row.adjustment_id is None:
        return reader.say("{who} left the rule as it is, {time}.", who=_who(reader, member), time=when)
    held = get_adjustment(tx, row.adjustment_id)
    what = remedy_words(reader, held.kind, held.remedy, held.amount, held.until)
    said = reader.say("{who} decided {time}: {what}.", who=_who(reader, member), time=when, what=what)
    return said + (" " + reader.say("It was taken back since.") if held.ended_at else "")


def _who(reader: Reader, member: MemberRow | None) -> str:
    return mention(member.slack_id) if member else reader.say("somebody who left")


BUTTONS = (
    *(Button(action, choose, "writes") for action in _REMEDIES),
    Button(KEEP, keep, "writes"),
    Button(UNDO, undo, "writes"),
)
RENDERS = {PROPOSAL: render_proposal_of}
