"""Placeholder."""


def real_soak(minutes, say):
    return [], []
