"""Timings of the hot path; every module here registers its benches with registry.bench."""
