"""Requests made from seeds: each seed is one request, the same in every run."""

from scripts.peers.random.requests import request_of, requests_of

__all__ = ["request_of", "requests_of"]
