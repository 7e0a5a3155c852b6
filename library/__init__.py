"""YAML and mapping examples a CS lead edits."""
