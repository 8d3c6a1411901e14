"""Who we are and what we have: identity, settings, indices, and the store that keeps them."""
