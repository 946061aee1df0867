"""Slow, obvious Python twins of the kernels; only tests may import them."""
