"""What the clock and the data do: one module per job."""
