"""Searching several clusters: index expressions, the coordinator, the local cluster as one of them."""
