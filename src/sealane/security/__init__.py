"""Security: stores of who is known, and pure rules of who may do what."""
