"""Strict Block Kit: every block and element the playground knows, with Slack's limits; anything else is refused."""
