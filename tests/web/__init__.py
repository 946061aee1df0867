"""The HTTP face of a bot that trades on the embedded exchange: figures, metrics, events, page."""
