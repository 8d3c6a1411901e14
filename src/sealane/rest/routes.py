"""The route table: every operation that is served, from one place."""

from sealane.rest.handlers import aliases, bulk, cat, cluster, documents, indices, nodes, root
from sealane.rest.router import Route
from sealane.rest.services import Services


def standard_routes(services: Services) -> list[Route]:
    """All routes but those of searching, which bring their own service."""
    groups = (bulk, documents, indices, aliases, cluster, cat, nodes, root)
    return [route for group in groups for route in group.routes(services)]
