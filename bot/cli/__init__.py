"""The command line: one module per command, gathered in `main`."""
