"""A small local Slack for demos and end-to-end tests: Web API, Socket Mode, signed HTTP, a browser page, a control API."""
