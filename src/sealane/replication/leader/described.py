"""An index of this cluster as a follower is told of it. Pure."""

from collections.abc import Collection
from typing import Final

from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.model.node import ClusterIdentity
from sealane.model.replication import IndexSummary, LeaderAlias, LeaderIndex, LeaderKind
from sealane.security.rules.names import is_restricted

_SOFT_DELETES: Final = "index.soft_deletes.enabled"
_PRIVATE: Final = frozenset(
    {
        "index.creation_date",
        "index.history.uuid",
        "index.provided_name",
        "index.uuid",
        "index.xpack.ccr.following_index",
    }
)
_PRIVATE_FAMILIES: Final = ("index.resize.", "index.shrink.", "index.version.")


def leader_index(
    metadata: ClusterMetadata, name: str, cluster: ClusterIdentity
) -> LeaderIndex | None:
    """What has that very name; None where nothing has. Without histories: those are the engine's."""
    index = metadata.index(name)
    if index is not None:
        return _index(metadata, index, cluster)
    if metadata.stream(name) is not None:
        return _other(name, LeaderKind.DATA_STREAM, cluster)
    if metadata.alias(name) is not None:
        return _other(name, LeaderKind.ALIAS, cluster)
    return None


def summary(
    metadata: ClusterMetadata,
    index: IndexMetadata,
    cluster_uuid: str,
    unopened: Collection[str],
) -> IndexSummary:
    """`unopened` are the uuids of indices that are not there although they should be."""
    return IndexSummary(
        name=index.name,
        uuid=index.uuid,
        open=index.open,
        data_stream=_stream(metadata, index),
        is_system=is_restricted(index.name),
        is_ready=index.uuid not in unopened and not is_half(index),
        soft_deletes=index.settings.get(_SOFT_DELETES) != "false",
        origins=_origins(index, cluster_uuid),
    )


def is_half(index: IndexMetadata) -> bool:
    """Whether it is a follower itself that has not been copied yet: nobody can follow what is of no one moment."""
    return index.following is not None and index.following.is_copying


def _index(
    metadata: ClusterMetadata, index: IndexMetadata, cluster: ClusterIdentity
) -> LeaderIndex:
    return LeaderIndex(
        name=index.name,
        uuid=index.uuid,
        open=index.open,
        shards=index.shards,
        settings={key: value for key, value in index.settings.items() if not _is_private(key)},
        mapping=index.mapping_json,
        mapping_version=index.mapping_version,
        settings_version=index.settings_version,
        aliases={name: _alias(alias) for name, alias in index.aliases.items()},
        aliases_version=index.aliases_version,
        data_stream=_stream(metadata, index),
        is_system=is_restricted(index.name),
        cluster_uuid=cluster.uuid,
        cluster_name=cluster.name,
        origins=_origins(index, cluster.uuid),
    )


def _other(name: str, kind: LeaderKind, cluster: ClusterIdentity) -> LeaderIndex:
    return LeaderIndex(
        name=name,
        uuid="",
        kind=kind,
        shards=0,
        settings={},
        mapping=b"{}",
        mapping_version=0,
        settings_version=0,
        aliases={},
        aliases_version=0,
        cluster_uuid=cluster.uuid,
        cluster_name=cluster.name,
    )


def _origins(index: IndexMetadata, cluster_uuid: str) -> tuple[str, ...]:
    before = () if index.following is None else index.following.origins
    return (*before, cluster_uuid)


def _stream(metadata: ClusterMetadata, index: IndexMetadata) -> str | None:
    stream = metadata.stream_of(index)
    return None if stream is None else stream.name


def _is_private(key: str) -> bool:
    return key in _PRIVATE or key.startswith(_PRIVATE_FAMILIES)


def _alias(alias: Alias) -> LeaderAlias:
    return LeaderAlias(
        filter=alias.filter,
        index_routing=alias.index_routing,
        search_routing=alias.search_routing,
        is_hidden=alias.is_hidden,
    )
