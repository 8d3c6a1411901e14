"""One remote cluster as `search` sees it: a request goes to the gateway whose turn it is, one frame
there, one back.
"""

from dataclasses import replace

from sealane.errors import IllegalArgument
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.cluster import RemoteCluster
from sealane.remote.protocols import NATIVE_FAMILY, NodeConnection
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search

_PRODUCTS = {"elasticsearch": "Elasticsearch", "opensearch": "OpenSearch"}


class RemoteClusterClient:
    """Sends requests to the cluster registered under one alias."""

    def __init__(self, alias: str, cluster: RemoteCluster) -> None:
        self._alias = alias
        self._cluster = cluster

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """The remote's answer, final or as partials as the request says.

        Raises the error that the remote raised; ConnectTransport, NoSeedNodeLeft, IllegalState or
        Rejected when no connection could be had; NodeDisconnected when it broke on the way;
        IllegalArgument where the remote is of a product that cannot be searched over the transport
        protocol.
        """
        connection = await self._cluster.connection(ctx)
        self._check_family(connection)
        there = replace(ctx, local_alias=self._alias)
        return decode_answer(await connection.request(SEARCH, encode_search(request), there))

    def _check_family(self, connection: NodeConnection) -> None:
        if connection.family == NATIVE_FAMILY:
            return
        product = _PRODUCTS.get(connection.family, connection.family)
        raise IllegalArgument(
            f"searching remote cluster [{self._alias}] of product [{product}] over the transport protocol "
            "is not supported yet by this version"
        )
