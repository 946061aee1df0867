"""Whether the past foretells fills better than a simple rule; nothing here quotes."""
