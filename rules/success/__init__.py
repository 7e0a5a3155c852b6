"""What success is, and how far it has come."""
