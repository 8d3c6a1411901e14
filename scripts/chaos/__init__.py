"""Clusters cut, slowed, stopped, killed and restarted while clients search: `make chaos`."""
