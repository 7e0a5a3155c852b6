"""Shared looks by subject: pure functions from facts to Block Kit. No storage."""
