"""users.list, users.info and users.lookupByEmail."""

from __future__ import annotations

from playground.errors import RefusalError
from playground.method import AnyMethod, Arguments, Call, Method, cut_page
from playground.model import Json, User


class UsersList(Arguments):
    """Arguments of users.list."""

    cursor: str | None = None
    include_locale: bool = False
    limit: int = 1000


class UsersInfo(Arguments):
    """Arguments of users.info."""

    user: str
    include_locale: bool = False


class UsersLookupByEmail(Arguments):
    """Arguments of users.lookupByEmail."""

    email: str


def show_user(call: Call, user: User, *, has_locale: bool = False) -> Json:
    """A user object as this app may see it."""
    has_email = "users:read.email" in call.app.scopes
    return user.to_slack(call.team_id, call.workspace.clock(), has_email=has_email, has_locale=has_locale)


def users_list(call: Call, args: UsersList) -> Json:
    """All people and bots, in pages."""
    page, following = cut_page(list(call.workspace.users.values()), args.cursor, args.limit)
    members = [show_user(call, user, has_locale=args.include_locale) for user in page]
    return {"members": members, "cache_ts": int(call.workspace.clock()), "response_metadata": following}


def users_info(call: Call, args: UsersInfo) -> Json:
    """One person or bot."""
    user = call.workspace.users.get(args.user)
    if user is None:
        raise RefusalError("user_not_found")
    return {"user": show_user(call, user, has_locale=args.include_locale)}


def users_lookup_by_email(call: Call, args: UsersLookupByEmail) -> Json:
    """The person with an e-mail address."""
    for user in call.workspace.users.values():
        if user.email and user.email.lower() == args.email.lower() and not user.deleted:
            return {"user": show_user(call, user)}
    raise RefusalError("users_not_found")


METHODS: dict[str, AnyMethod] = {
    "users.list": Method(UsersList, users_list, "users:read"),
    "users.info": Method(UsersInfo, users_info, "users:read"),
    "users.lookupByEmail": Method(UsersLookupByEmail, users_lookup_by_email, "users:read.email"),
}
