"""Secrets: where they come from, what holds them, and that no output shows them."""
