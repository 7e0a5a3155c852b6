"""Programs that measure Milepost: speed, latency, memory. Run one with `uv run python -m benchmarks.NAME`."""
