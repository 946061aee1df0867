"""Faces of a running bot: each renders the StatusView and decides nothing."""
