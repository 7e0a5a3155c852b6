"""Which account or metric somebody means. Owns resolving names in commands and the menu that loads accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from commands.blocks.accounts import shown_name
from commands.kit import Json, clip, form_field, loaded_menu, section
from commands.slice import Call, Choice, Options, Reply
from rules.errors import UserError
from rules.people.roles import Permission
from storage.accounts.accounts import AccountRow, get_account, list_in_channel, list_named
from storage.accounts.names import find_exact, is_beginning
from storage.db import Tx
from storage.success.metrics import list_named_metrics
from words.names import Found, Named, find_name, fold, split_leading_name
from words.reader import Reader

ACCOUNT_MENU = "accounts.pick"
_MENU_LENGTH = 100
_EXACT = frozenset({"id", "name", "alias"})
_MOST_NAME_WORDS = 6


def resolve_account(call: Call, tx: Tx, text: str, *, is_free_text: bool = False) -> tuple[AccountRow, str]:
    """The account that `text` begins with, and the rest of the text.

    Where exactly one account lives in the channel it is meant, unless the text begins with another one's name (or,
    when it does not begin with a metric, with the beginning of a name). `is_free_text`: what follows the name is a
    sentence, so in that channel a mere beginning of another name is taken for a word.

    Raises `UserError`: unknown or several (with the nearest), or no name where one is needed.
    """
    here = _find_here(call, tx)
    if not text.strip() and here is None:
        raise UserError("Which account? Type its name, like acme, or see `/cs list`.")
    if (exact := _find_typed_in_full(tx, text)) is not None:
        return exact
    named = list_named(tx)
    found, rest = split_leading_name(text, named)
    if here is not None and ((is_free_text and found.how not in _EXACT) or not _is_other_meant(tx, found, text)):
        return here, text.strip()
    if found.match is None:
        raise _unclear(found, text, rest, has_any=bool(named))
    return get_account(tx, found.match.id), rest


def find_only_account(call: Call, tx: Tx) -> AccountRow | None:
    """The account of a command that takes nothing else: by what was typed, else the channel's, else None.

    Raises `UserError` as `resolve_account`, and for words after the name.
    """
    if not call.text.strip():
        return _find_here(call, tx)
    account, rest = resolve_account(replace(call, channel=""), tx, call.text)
    if rest:
        sentence = "I found {account}, but not what “{rest}” means. Type the name alone."
        raise UserError(sentence, account=account.name, rest=rest)
    return account


def find_account_here(call: Call, tx: Tx, text: str, *, is_free_text: bool = False) -> tuple[AccountRow | None, str]:
    """Like `resolve_account`, but with nothing typed and no account in the channel: None."""
    if not text.strip() and _find_here(call, tx) is None:
        return None, ""
    return resolve_account(call, tx, text, is_free_text=is_free_text)


def account_field(reader: Reader, account: AccountRow | None) -> Json:
    """The first block of a form: the account it is about, or the field to choose one, "account"."""
    if account is not None:
        return section(f"*{shown_name(account)}*")
    return form_field("account", reader.say("Account"), loaded_menu(ACCOUNT_MENU, reader.say("Type a name")))


def choose_accounts(call: Call, tx: Tx) -> list[Reply]:
    """Accounts for a menu: those that what was typed may mean, best first; all by name when nothing was typed."""
    call.require(Permission.READ)
    named = list_named(tx)
    if not call.text.strip():
        chosen = sorted(named, key=lambda each: fold(each.names[0]))
    else:
        chosen = list(_rank(call.text, named))
    return [Options([(each.id, clip(each.names[0], 75)) for each in chosen[:_MENU_LENGTH]])]


def pick_metric(text: str, first: Iterable[Named], catalogue: Iterable[Named]) -> tuple[Named, str]:
    """The metric that `text` begins with (the account's own before the catalogue's) and the rest.

    Raises `UserError` with the nearest.
    """
    own, known = list(first), list(catalogue)
    for among in (own, known):
        found, rest = split_leading_name(text, among)
        if found.match is not None:
            return found.match, rest
    found, _rest = split_leading_name(text, own or known)
    raise UserError(
        "I know no number called “{metric}” here. Agree on it first: `/cs target`, or choose one of these.",
        field="metric",
        nearest=tuple((_quote(each), each.names[0]) for each in found.nearest),
        metric=_guess_name(text, found.nearest),
    )


def _find_typed_in_full(tx: Tx, text: str) -> tuple[AccountRow, str] | None:
    """The account whose full name, alias or id the text begins with, found by index: most names are typed so, and
    reading all names takes long where there are thousands. None where the longer way may know better.
    """
    ends = [word.end() for word in re.finditer(r"\S+", text)]
    runs = [text[:end].strip() for end in ends]
    longest = min(len(runs), _MOST_NAME_WORDS)
    found = find_exact(tx, runs[:longest][::-1]) if runs else None
    if found is None:
        return None
    place, account = longest - 1 - found[0], found[1]
    is_sure = place + 1 == len(runs) or not is_beginning(tx, runs[place + 1])
    return (account, text[ends[place] :].strip()) if is_sure else None


def _is_other_meant(tx: Tx, found: Found, text: str) -> bool:
    if found.how == "prefix" and found.match is not None:
        metric, _rest = split_leading_name(text, list_named_metrics(tx))
        return metric.match is None
    return found.how in _EXACT


def _find_here(call: Call, tx: Tx) -> AccountRow | None:
    rows = list_in_channel(tx, call.channel)
    return rows[0] if len(rows) == 1 else None


def _rank(text: str, named: list[Named]) -> Iterable[Named]:
    typed = fold(text)
    inside = [each for each in named if any(typed in fold(name) for name in each.names)]
    inside.sort(key=lambda each: (not fold(each.names[0]).startswith(typed), len(each.names[0]), each.names[0]))
    found = find_name(text, named)
    close = (found.match,) if found.match else found.nearest
    return dict.fromkeys([*inside, *close])


def _unclear(found: Found, text: str, rest: str, *, has_any: bool) -> UserError:
    if not has_any:
        return UserError("There are no accounts yet. Add one with `/cs add`, or import a file.")
    nearest = tuple((each.id, each.names[0]) for each in found.nearest)
    if found.how == "ambiguous":
        typed = text[: len(text) - len(rest)].strip()
        return UserError("“{name}” may be several accounts. Which one?", field="account", nearest=nearest, name=typed)
    return UserError(
        "I know no account “{name}”. Did you mean one of these? Or see `/cs list`.",
        field="account",
        nearest=nearest,
        name=_guess_name(text, found.nearest),
    )


def _guess_name(text: str, nearest: tuple[Named, ...]) -> str:
    """The leading words of `text`, as typed, that most resemble the beginning of a known name."""
    ends = [word.end() for word in re.finditer(r"\S+", text)][:_MOST_NAME_WORDS]
    runs = [text[:end].strip() for end in ends]
    known = [fold(name).split() for each in nearest for name in each.names]

    def resemblance(run: str) -> float:
        words = fold(run).split()
        typed = " ".join(words)
        return max((SequenceMatcher(None, typed, " ".join(name[: len(words)])).ratio() for name in known), default=0.0)

    return max(runs, key=resemblance, default="")


def _quote(named: Named) -> str:
    name = named.names[0]
    return name if '"' in name else f'"{name}"'


ACCOUNT_CHOICE = Choice(ACCOUNT_MENU, choose_accounts)
