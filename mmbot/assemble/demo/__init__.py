"""The demonstration: a local exchange, play money, another trader, and the bot in front of you."""
