"""What is said when, and that it is said once."""
