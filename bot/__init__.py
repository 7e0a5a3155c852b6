"""The outside: Slack, the scheduler, the command line."""
