"""Tables and the only SQL. One module per subject."""
