"""What an account looks like: its headline, its dates, its line in a list, the buttons that lead to its parts. Pure:
rows in, text and buttons out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from commands.blocks.health import BAND_MARKS
from commands.kit import Element, button, clip, esc, mention
from commands.slice import Ref
from rules.health.health import show_score
from rules.records import AccountState, Band, Tier
from rules.renewals.renewals import Renewal, list_agreed, next_renewal
from storage.accounts.accounts import AccountRow
from storage.health.health import HealthScoreRow
from storage.people.members import MemberRow
from storage.renewals.contracts import ContractRow, to_facts
from words.money import Amount
from words.reader import Reader

NAME_LENGTH = 120
SHOW, EDIT, ARCHIVE, ASK_ARCHIVE = "accounts.show", "accounts.edit", "accounts.archive", "accounts.ask_archive"
CONTACTS, ADD_CONTACT = "contacts.show", "contacts.add"
NOTE, TIMELINE = "notes.open", "timeline.show"


def shown_name(account: AccountRow) -> str:
    """The name, safe in mrkdwn."""
    return esc(clip(account.name, NAME_LENGTH))


def health_mark(score: HealthScoreRow | None) -> str:
    """The band as one mark, with the score: "🔴 41", "⚪" when unknown."""
    if score is None or score.score is None:
        return BAND_MARKS[Band.UNKNOWN]
    return f"{BAND_MARKS[score.band]} {show_score(score.score)}"


def owner_words(reader: Reader, owner: MemberRow | None) -> str:
    """The owner's mention, or that there is none."""
    return mention(owner.slack_id) if owner else reader.say("no owner")


def headline(reader: Reader, account: AccountRow, owner: MemberRow | None) -> str:
    """Name, state or tier, industry, country, seats, owner."""
    parts = [f"*{shown_name(account)}*", *_facts(reader, account), owner_words(reader, owner)]
    return " · ".join(part for part in parts if part)


def renewal_words(reader: Reader, contracts: Sequence[ContractRow], today: date) -> str:
    """The coming renewal: "renews 14 Mar 2026 (in 74 days) · decide by 14 Dec 2025 · €84k a year"; "" without one."""
    renewal = find_next_renewal(contracts, today)
    if renewal is None:
        return ""
    ends, days = reader.date(renewal.ends_on), (renewal.ends_on - today).days
    said = reader.say("renews {day} (in {span})", day=ends, span=reader.span(days))
    if renewal.is_notice_received:
        said = reader.say("notice received {day}, ends {end}", day=reader.date(renewal.decides_on), end=ends)
    elif today <= renewal.decides_on < renewal.ends_on:
        said += " · " + reader.say("decide by {day}", day=reader.date(renewal.decides_on))
    worth = (reader.say("{amount} a year", amount=each) for each in list_worth(reader, contracts, today))
    return " · ".join([said, *worth])


def find_next_renewal(contracts: Sequence[ContractRow], today: date) -> Renewal | None:
    """The end that is decided first, of what is agreed by now."""
    return next_renewal(map(to_facts, contracts), today)


def list_worth(reader: Reader, contracts: Sequence[ContractRow], today: date) -> list[str]:
    """What the running contracts, or those that were signed to take over, are worth a year: a sum per currency."""
    sums: dict[str, int] = {}
    for contract in list_agreed(map(to_facts, contracts), today):
        sums[contract.currency] = sums.get(contract.currency, 0) + contract.yearly_minor
    return [reader.money(Amount(minor, currency), is_compact=True) for currency, minor in sums.items() if minor]


def account_line(
    reader: Reader, account: AccountRow, score: HealthScoreRow | None, renewal: Renewal | None, today: date
) -> str:
    """One line of a list: health, name, tier, when it renews."""
    parts = [f"{health_mark(score)} *{shown_name(account)}*"]
    if account.tier:
        parts.append(_tier_words(reader, account.tier))
    if account.state is not AccountState.CUSTOMER:
        parts.append(state_words(reader, account.state))
    if renewal is not None:
        parts.append(reader.say("renews in {span}", span=reader.span((renewal.ends_on - today).days)))
    return " · ".join(parts)


def state_words(reader: Reader, state: AccountState) -> str:
    """Where the company stands with us."""
    return {
        AccountState.PROSPECT: reader.say("prospect"),
        AccountState.TRIAL: reader.say("trial"),
        AccountState.CUSTOMER: reader.say("customer"),
        AccountState.LOST: reader.say("lost"),
    }[state]


def _facts(reader: Reader, account: AccountRow) -> list[str]:
    facts = [] if account.state is AccountState.CUSTOMER else [state_words(reader, account.state)]
    if account.tier:
        facts.append(_tier_words(reader, account.tier))
    facts.append(esc(clip(account.industry, NAME_LENGTH)))
    facts.append(esc(reader.country(account.country)) if account.country else "")
    if account.seats is not None:
        facts.append(reader.say_many("{count} seat", "{count} seats", account.seats))
    return facts


def _tier_words(reader: Reader, tier: Tier) -> str:
    return reader.say("tier {tier}", tier=tier.value)


# ---------------------------------------------------------------- buttons


def show_button(reader: Reader, account_id: str) -> Element:
    """Shows the account on one page."""
    return button(reader.say("Show"), SHOW, Ref("account", account_id))


def note_button(reader: Reader, account_id: str) -> Element:
    """Opens the form for a note of the account."""
    return button(reader.say("Note"), NOTE, Ref("account", account_id))


def contacts_button(reader: Reader, account_id: str) -> Element:
    """Lists the account's contacts."""
    return button(reader.say("Contacts"), CONTACTS, Ref("account", account_id))


def add_contact_button(reader: Reader, account_id: str, *, is_primary: bool = False) -> Element:
    """Opens the form for a contact of the account."""
    style = "primary" if is_primary else None
    return button(reader.say("Add a contact"), ADD_CONTACT, Ref("account", account_id), style=style)


def timeline_button(reader: Reader, account_id: str) -> Element:
    """Tells what happened to the account."""
    return button(reader.say("Timeline"), TIMELINE, Ref("account", account_id))
