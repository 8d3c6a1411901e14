"""Hostile bytes for every reader of bytes: targets, their corpus, and the short run of both.

The long, coverage-guided run is `make fuzz` (scripts/fuzz); docs/fuzzing.md.
"""
