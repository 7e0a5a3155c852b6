"""The explicit lists of what Milepost can do: slices for people, jobs for the clock."""
