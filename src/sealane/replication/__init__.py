"""Copying the indices of other clusters, and letting other clusters copy ours."""
