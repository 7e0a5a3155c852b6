"""Lists of alerts: mine, everybody's, an account's, the closed ones. Owns their pages; refuses to change anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from commands.alerts.alert_views import list_blocks, load_views
from commands.blocks.accounts import shown_name
from commands.kit import Element, context, menu, message, section
from commands.naming import find_account_here
from commands.pages import Page, wanted_page
from commands.slice import Call, Message, Ref, Reply, Whisper, answer_in_place
from rules.alerts.signals import GROUPS, HEALTH, MILESTONES, RENEWALS, TARGETS
from rules.people.roles import Permission
from rules.records import AlertKind
from storage.accounts.accounts import find_account
from storage.alerts.alerts import EpisodeRow, count_closed, count_open, list_closed, list_open
from storage.db import Tx
from words.reader import Reader

BACK, NEXT, FILTER = "alerts.back", "alerts.next", "alerts.filter"
LENGTH = 10
MINE, ALL, CLOSED = "mine", "all", "closed"
_WHICH = (MINE, ALL, CLOSED)


@dataclass(frozen=True)
class _Wish:
    """Which alerts are asked for: whose or which state, of which subject ("" for every one), of which account."""

    which: str
    group: str = ""
    account_id: str = ""

    @property
    def kinds(self) -> Collection[AlertKind] | None:
        return GROUPS.get(self.group)

    @property
    def ref(self) -> Ref:
        return Ref("alerts", self.account_id, {"which": self.which, "group": self.group})


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs alerts [mine | all | closed] [health | targets | milestones | renewals]`, or an account's; with nothing
    typed those of the channel's account, else mine if there are any, else all.
    """
    call.require(Permission.READ)
    words = call.text.casefold().split()
    which, groups = [each for each in words if each in _WHICH], [each for each in words if each in GROUPS]
    is_known = bool(words) and len(which) + len(groups) == len(words) and max(len(which), len(groups)) == 1
    if not is_known:
        account, _rest = find_account_here(call, tx, call.text)
        if account is not None:
            return show_account(call, tx, account.id)
    group = groups[0] if is_known and groups else ""
    chosen = which[0] if is_known and which else _choose_which(call, tx, group)
    return [Whisper(_page(call, tx, _Wish(chosen, group), 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list, and the menu beside its title."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    wish = _Wish(extra.get("which", ALL), extra.get("group", ""), call.ref.id if call.ref else "")
    return [answer_in_place(call, _page(call, tx, wish, wanted_page(call)))]


def show_account(call: Call, tx: Tx, account_id: str) -> list[Reply]:
    """The open alerts of one account, to choose from."""
    call.require(Permission.READ)
    return [Whisper(_page(call, tx, _Wish(ALL, "", account_id), 1))]


def _choose_which(call: Call, tx: Tx, group: str) -> str:
    return MINE if count_open(tx, owner_id=call.person.id, kinds=GROUPS.get(group)) else ALL


def _page(call: Call, tx: Tx, wish: _Wish, wanted: int) -> Message:
    page = Page(_count(call, tx, wish), LENGTH, wanted)
    rows = _list(call, tx, wish, page.offset)
    title = f"*{_title(call, tx, wish, page.total)}*"
    head = section(title, accessory=_filter(call, wish) if page.count > 1 or wish.group else None)
    if not rows:
        return message(title, head, context(_empty_hint(call, wish)))
    blocks = list_blocks(call.reader, load_views(tx, call.reader, rows))
    return message(title, head, *blocks, *page.turns(call.reader, BACK, NEXT, wish.ref))


def _count(call: Call, tx: Tx, wish: _Wish) -> int:
    account, kinds = wish.account_id or None, wish.kinds
    if wish.which == CLOSED:
        return count_closed(tx, account, kinds=kinds)
    return count_open(tx, account, call.person.id if wish.which == MINE else None, kinds=kinds)


def _list(call: Call, tx: Tx, wish: _Wish, offset: int) -> Sequence[EpisodeRow]:
    account, kinds = wish.account_id or None, wish.kinds
    if wish.which == CLOSED:
        return list_closed(tx, account, LENGTH, offset, kinds=kinds)
    return list_open(tx, account, call.person.id if wish.which == MINE else None, LENGTH, offset, kinds=kinds)


def _title(call: Call, tx: Tx, wish: _Wish, total: int) -> str:
    about = f" · {_group_words(call.reader)[wish.group]}" if wish.group in GROUPS else ""
    return _count_words(call, tx, wish, total) + about


def _count_words(call: Call, tx: Tx, wish: _Wish, total: int) -> str:
    say = call.reader.say_many
    if wish.which == CLOSED:
        return say("{count} closed alert", "{count} closed alerts", total)
    if wish.which == MINE:
        return say("{count} open alert of yours", "{count} open alerts of yours", total)
    account = find_account(tx, wish.account_id) if wish.account_id else None
    if account is not None:
        name = shown_name(account)
        return say("{name}: {count} open alert", "{name}: {count} open alerts", total, name=name)
    return say("{count} open alert", "{count} open alerts", total)


def _empty_hint(call: Call, wish: _Wish) -> str:
    if wish.which == CLOSED:
        return call.reader.say("Alerts that were resolved or dismissed are listed here.")
    if wish.group:
        return call.reader.say("Nothing of this kind needs anybody here. See also `/cs alerts all`.")
    return call.reader.say(
        "Nothing needs you. Milepost looks every day for scores that fall, accounts gone silent, targets behind, dates "
        "that pass and contracts that end. See also `/cs alerts all` and `/cs alerts closed`."
    )


def _filter(call: Call, wish: _Wish) -> Element:
    """The menu of subjects."""
    say, labels = call.reader.say, _group_words(call.reader)
    choices = {"": say("every subject")} | labels
    options = [(replace(wish, group=group).ref.dump(), label) for group, label in choices.items()]
    return menu(FILTER, say("Subject"), options, initial=wish.ref.dump())


def _group_words(reader: Reader) -> dict[str, str]:
    return {
        HEALTH: reader.say("health"),
        TARGETS: reader.say("targets"),
        MILESTONES: reader.say("milestones"),
        RENEWALS: reader.say("renewals"),
    }
