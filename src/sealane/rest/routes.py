"""The route table: every operation that is served, from one place."""

from sealane.rest.handlers import (
    aliases,
    bulk,
    cat,
    cat_nodes,
    cluster,
    cluster_state,
    documents,
    indices,
    node_stats,
    nodes,
    remote,
    root,
    tasks,
)
from sealane.rest.router import Route
from sealane.rest.services import NodeServices, Services


def standard_routes(services: Services) -> list[Route]:
    """All routes but those of searching, which bring their own service."""
    groups = (
        bulk,
        documents,
        indices,
        aliases,
        cluster,
        cat,
        cluster_state,
        nodes,
        node_stats,
        remote,
        root,
        tasks,
    )
    return [route for group in groups for route in group.routes(services)]


def node_routes(services: NodeServices) -> list[Route]:
    """Of those the ones that a node without data answers itself."""
    return [
        *cat_nodes.routes(services),
        *nodes.routes(services),
        *node_stats.routes(services),
        *remote.routes(services),
        *root.routes(services),
        *tasks.routes(services),
    ]
