"""What comes by itself: digests, and the Home tab's day."""
