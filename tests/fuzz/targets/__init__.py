"""The targets, by what they read. `tests.fuzz.registry` has all of them together."""
