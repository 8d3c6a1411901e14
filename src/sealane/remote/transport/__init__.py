"""Reaching a remote cluster over the transport protocol: messages, and the client that sends them."""
