"""Contracts and their renewal."""
