"""Sealane joins separate search clusters behind Elasticsearch's REST API."""

__version__ = "0.1.0"
