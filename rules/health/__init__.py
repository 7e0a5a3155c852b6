"""How customers are doing."""
