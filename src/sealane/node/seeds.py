"""A node that holds data and names seeds: harmless while those are its own nodes, refused where one holds data too.

There is one node with data in a cluster, and no consensus between several. Who starts two and lets them name each other
expects one.
"""

import asyncio
from collections.abc import Sequence

from sealane.cluster.dialling import Dialer
from sealane.errors import ApiError
from sealane.model.node import Address, NodeInfo, may_be_master
from sealane.node.start_error import StartError
from sealane.transport import ConnectionProfile
from sealane.transport.tasks import run_together

_PROBE_S = 1.0
"""A seed that does not answer within this time is left alone: it may be a node that starts later."""


async def refuse_other_data_nodes(
    seeds: Sequence[Address], local: NodeInfo, dialer: Dialer
) -> None:
    """Raises StartError where a seed is another node that holds data."""
    found: list[NodeInfo] = []

    async def look(address: Address) -> None:
        profile = ConnectionProfile(channels=1, connect_timeout_s=_PROBE_S)
        try:
            async with asyncio.timeout(_PROBE_S):
                link = await dialer.connect(address, profile)
        except (ApiError, TimeoutError):
            return
        found.append(link.node)
        link.close()

    others = [each for each in seeds if each != local.address]
    if others:
        await run_together([look(each) for each in others])
    for node in found:
        if node.id != local.id and may_be_master(node.roles):
            raise StartError(
                f"discovery.seed_hosts names [{node.name}][{node.address}], which holds data, and so does this node: "
                "a cluster has one node with data. Give this one node.roles without [data] and [master] to join that "
                "one, or leave discovery.seed_hosts out and register the other as a remote cluster"
            )
