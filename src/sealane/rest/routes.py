"""The route table: every operation that is served, from one place."""

from sealane.rest.handlers import (
    aliases,
    bulk,
    cat,
    cat_nodes,
    cluster,
    cluster_state,
    documents,
    field_mapping,
    index_stats,
    indices,
    node_stats,
    nodes,
    none_here,
    refused,
    remote,
    root,
    search_shards,
    secure_settings,
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
        field_mapping,
        index_stats,
        search_shards,
        cluster,
        cat,
        cluster_state,
        nodes,
        node_stats,
        remote,
        root,
        secure_settings,
        tasks,
    )
    own = (*refused.routes(), *none_here.routes())
    return [*own, *(route for group in groups for route in group.routes(services))]


def node_routes(services: NodeServices) -> list[Route]:
    """Of those the ones that a node without data answers itself."""
    return [
        *cat_nodes.routes(services),
        *nodes.routes(services),
        *node_stats.routes(services),
        *remote.routes(services),
        *root.routes(services),
        *secure_settings.routes(services),
        # The data node keeps what came of tasks, so it is asked for one.
        *(route for route in tasks.routes(services) if tasks.ONE_TASK not in route.paths),
    ]
