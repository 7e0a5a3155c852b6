"""The table of all Web API methods that the playground knows. A method that is not here is refused."""

from __future__ import annotations

from playground import methods_chat, methods_conversations, methods_files, methods_team, methods_users, methods_views
from playground.method import AnyMethod

METHODS: dict[str, AnyMethod] = {
    **methods_team.METHODS,
    **methods_users.METHODS,
    **methods_chat.METHODS,
    **methods_conversations.METHODS,
    **methods_files.METHODS,
    **methods_views.METHODS,
}
