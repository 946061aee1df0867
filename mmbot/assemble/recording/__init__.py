"""Recordings of live streams, wired together."""
