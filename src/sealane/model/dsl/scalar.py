"""What a client may write for a value."""

Scalar = str | int | float | bool
"""A JSON scalar as the client wrote it; the mapping decides what it means."""
