"""What needs somebody."""
