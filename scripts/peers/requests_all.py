"""All families of requests, one after the other: those that change something come last."""

from collections import Counter

from scripts.peers import (
    requests_aggregations,
    requests_beside_search,
    requests_buckets,
    requests_clusters,
    requests_documents,
    requests_errors,
    requests_failures,
    requests_indices,
    requests_metrics,
    requests_phases,
    requests_queries,
    requests_ranking,
    requests_remote_apis,
    requests_scored,
    requests_search,
)
from scripts.peers.request import Request


def every_request() -> list[Request]:
    """Raises `ValueError` when two requests share a name: answers are kept by name."""
    families = (
        requests_remote_apis,
        requests_search,
        requests_queries,
        requests_ranking,
        requests_aggregations,
        requests_metrics,
        requests_clusters,
        requests_beside_search,
        requests_buckets,
        requests_phases,
        requests_errors,
        requests_failures,
        requests_documents,
        requests_indices,
        requests_scored,
    )
    every = [request for family in families for request in family.requests()]
    repeated = [name for name, count in Counter(r.name for r in every).items() if count > 1]
    if repeated:
        raise ValueError(f"requests share a name: {repeated}")
    return every
