"""Plain data that several packages need. It imports nothing of the program but errors and clock."""
