"""Followers and leaders as real processes, killed, cut off, out of room, and put back to what they were."""
