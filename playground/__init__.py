"""A small local Slack for demos and end-to-end tests: Web API, Socket Mode, signed HTTP, page, control API."""
