"""The Slack edge: payloads in, replies out, delivery. The only place with Bolt."""
