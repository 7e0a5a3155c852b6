"""What people do: one module (slice) per subject."""
