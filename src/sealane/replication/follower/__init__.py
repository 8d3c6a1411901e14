"""The followers of this cluster: from a leader's answers to a shard that is its copy."""
