"""Logs: text for people, JSON lines for files, a priority for the journal; no secret in any."""
