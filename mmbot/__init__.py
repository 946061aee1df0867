"""Market maker for 01.xyz."""

__version__ = "0.1.0"
