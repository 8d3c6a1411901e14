"""Tools for tests: ours, and those of whoever builds on Sealane."""
