"""Searching one shard: a parsed body in, a partial answer out. Synchronous; runs on the engine's executor."""
