"""The command line: one module per command, gathered in `bot.main`."""
