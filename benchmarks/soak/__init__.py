"""The kill soak: delivery in real processes that are killed, with a Slack that fails, judged by that Slack's ledger."""
