"""`_resolve/cluster`: which clusters an expression names, whether each is there, and whether it means anything to it.

A cluster that cannot answer has an entry that says so; only what is wrong with the request, or with the local cluster's
part of it, fails the whole.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IndexNotFound,
    NodeDisconnected,
    NodeNotConnected,
    NoSeedNodeLeft,
    NoSuchRemoteCluster,
    ReceiveTimeout,
    SecurityError,
    TaskCancelled,
)
from sealane.model.clusters import ProductVersion, ResolveClusterRequest
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.fan_out import ask_all
from sealane.search.named_clusters import clusters_named
from sealane.search.protocols import AboutRemotes, ResolvesNames

DEFAULT_TIMEOUT_S: Final = 5.0
"""The reference waits for as long as a remote takes."""

_UNREACHED: Final = (
    ConnectTransport,
    NodeDisconnected,
    NodeNotConnected,
    NoSeedNodeLeft,
    NoSuchRemoteCluster,
)
"""Errors that say no more than that nobody answered."""

_TIMED_OUT: Final = "Request timed out before receiving a response from the remote cluster"

_CLASSES: Final = {
    "illegal_argument_exception": "java.lang.IllegalArgumentException",
    "illegal_state_exception": "java.lang.IllegalStateException",
    "invalid_index_name_exception": "org.elasticsearch.indices.InvalidIndexNameException",
    "parse_exception": "org.elasticsearch.ElasticsearchParseException",
    "security_exception": "org.elasticsearch.ElasticsearchSecurityException",
    "index_closed_exception": "org.elasticsearch.indices.IndexClosedException",
    "cluster_block_exception": "org.elasticsearch.cluster.block.ClusterBlockException",
    "es_rejected_execution_exception": (
        "org.elasticsearch.common.util.concurrent.EsRejectedExecutionException"
    ),
}
"""What the reference shows for the errors of another cluster is their class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterResolution:
    """What is known of one cluster. `matches` and `version` are None where it did not say."""

    alias: str
    connected: bool
    skip_unavailable: bool
    matches: bool | None = None
    error: str | None = None
    version: ProductVersion | None = None


class ClusterResolver:
    """Asks the local cluster and registered remotes."""

    def __init__(self, *, local: ResolvesNames, remotes: AboutRemotes) -> None:
        self._local = local
        self._remotes = remotes

    async def resolve(
        self,
        expressions: Sequence[str] | None,
        options: IndicesOptions,
        ctx: Context,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> list[ClusterResolution]:
        """Each cluster that `expressions` name, the local one first; None means every remote, and no names.

        Raises what is wrong with the expressions themselves or with what the local cluster is asked, but for
        IndexNotFound there.
        """
        targets = self._targets(expressions, options)
        asked_names = expressions is not None

        async def ask(target: ClusterTarget) -> ClusterResolution:
            request = ResolveClusterRequest(
                expressions=target.expressions if asked_names else None, options=options
            )
            if target.alias == LOCAL:
                return await self._ask_local(request, ctx)
            return await self._ask_remote(target.alias, request, ctx, timeout_s)

        return await ask_all(ask, targets)

    def _targets(
        self, expressions: Sequence[str] | None, options: IndicesOptions
    ) -> Sequence[ClusterTarget]:
        if expressions is None:
            return [ClusterTarget(alias, ()) for alias in self._remotes.aliases()]
        if not expressions:
            return ()
        return clusters_named(expressions, self._remotes.aliases, options, selectors=True)

    async def _ask_local(self, request: ResolveClusterRequest, ctx: Context) -> ClusterResolution:
        try:
            match = await self._local.resolve_cluster(request, ctx)
        except IndexNotFound as error:
            return ClusterResolution(
                alias=LOCAL, connected=True, skip_unavailable=False, error=error.reason
            )
        return ClusterResolution(
            alias=LOCAL,
            connected=True,
            skip_unavailable=False,
            matches=match.matches,
            version=match.version,
        )

    async def _ask_remote(
        self, alias: str, request: ResolveClusterRequest, ctx: Context, timeout_s: float
    ) -> ClusterResolution:
        client, skip = self._remotes.client(alias), self._remotes.traits(alias).skip_unavailable
        try:
            async with asyncio.timeout(timeout_s):
                match = await client.resolve_cluster(request, ctx)
        except TaskCancelled:
            raise
        except TimeoutError:
            return ClusterResolution(
                alias=alias, connected=False, skip_unavailable=skip, error=_TIMED_OUT
            )
        except ApiError as error:
            return ClusterResolution(
                alias=alias,
                connected=_is_missing_index(error),
                skip_unavailable=skip,
                error=_shown(error),
            )
        return ClusterResolution(
            alias=alias,
            connected=True,
            skip_unavailable=skip,
            matches=match.matches,
            error=match.unasked,
            version=match.version,
        )


def _is_missing_index(error: ApiError) -> bool:
    return error.es_type == IndexNotFound.es_type


def _denied(error: ApiError | None) -> ApiError | None:
    """Why nobody was let in, where that is at the bottom of it: no cluster that is down says so."""
    while error is not None and error.es_type != SecurityError.es_type:
        error = error.caused_by
    return error


def _shown(error: ApiError) -> str | None:
    """The text of an entry whose cluster failed, as the reference words it."""
    denied = _denied(error)
    if denied is not None:
        return denied.reason
    if isinstance(error, _UNREACHED):
        return None
    if isinstance(error, ReceiveTimeout):
        return _TIMED_OUT
    if _is_missing_index(error):
        return error.reason
    text = f"{_CLASSES.get(error.es_type, error.es_type)}: {error.reason}"
    index, uuid = error.metadata.get("index"), error.metadata.get("index_uuid", "_na_")
    if index is None:
        return text
    return f"[{index}] {text}" if uuid == "_na_" else f"[{index}/{uuid}] {text}"
