"""Errors of documents with where they happened, which the engine does not know by name."""

from typing import Protocol

from sealane.errors import (
    ApiError,
    DocumentMissing,
    IndexNotFound,
    NoShardAvailable,
    UnavailableShards,
    VersionConflict,
)


class Place(Protocol):
    """The index."""

    @property
    def name(self) -> str: ...
    @property
    def uuid(self) -> str: ...


def placed(error: ApiError, target: Place) -> ApiError:
    """The error with where it happened, for the types that show it.

    The engine knows an index by its uuid only; one that vanished under a request is told by its name.
    """
    if isinstance(error, IndexNotFound) and error.metadata.get("index") == target.uuid:
        return IndexNotFound(target.name)
    if isinstance(error, NoShardAvailable):
        return UnavailableShards(target.name, error.caused_by)
    if isinstance(error, VersionConflict | DocumentMissing) and "index" not in error.metadata:
        shard = error.metadata.pop("shard", "0")
        error.metadata.update(index_uuid=target.uuid, shard=str(shard), index=target.name)
    return error


def unreadable(
    error: NoShardAvailable, target: Place, doc_id: str, routing: str | None
) -> ApiError:
    """The answer to a get of an index that could not be opened; the cause says why."""
    shown = NoShardAvailable(error.caused_by or error)
    shown.reason = (
        f"No shard available for [get [{target.name}][{doc_id}]: "
        f"routing [{'null' if routing is None else routing}]]"
    )
    return shown
