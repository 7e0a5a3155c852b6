"""The team and its workspace."""
