"""The customers."""
