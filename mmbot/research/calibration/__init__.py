"""What a recorded market is like for a market maker, each figure with its uncertainty."""
