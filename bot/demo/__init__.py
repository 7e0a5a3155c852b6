"""The demo: a local Slack, a sample company, and the bot as it runs in production. It does only what a user can."""
