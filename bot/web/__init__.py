"""What is served over HTTP besides Slack's payloads: signs of life and figures, for machines that watch."""
