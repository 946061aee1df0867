"""The HTTP face of a bot: figures, metrics, events, the status page, and commands with a token."""
