"""What the name of a data stream does for its backing indices, where names are judged and resolved. Pure.

As in the reference a right on a data stream is one on each of its backing indices.
"""

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.errors import IndexNotFound
from sealane.model.access import Access


def names_judged(meta: ClusterMetadata, index: IndexMetadata) -> tuple[str, ...]:
    """The names by which rights on an index are judged: its own, and that of its data stream."""
    stream = meta.stream_of(index)
    return (index.name,) if stream is None else (index.name, stream.name)


def allows_index(meta: ClusterMetadata, index: IndexMetadata, access: Access | None) -> bool:
    """Whether the action may be done on an index that is named, or matched, itself."""
    if access is None or access.allows(index.name):
        return True
    stream = meta.stream_of(index)
    return stream is not None and access.allows(stream.name)


def allows_name(meta: ClusterMetadata, name: str, access: Access | None) -> bool:
    """Whether the action may be done on what has that name, if there is such a thing."""
    if access is None or access.allows(name):
        return True
    index = meta.index(name)
    return index is not None and allows_index(meta, index, access)


def names_reached_by(
    meta: ClusterMetadata, index: IndexMetadata, reached: tuple[str, ...]
) -> tuple[str, ...]:
    """`reached`, with both names of a backing index where it was reached by one of them."""
    names = names_judged(meta, index)
    if len(names) == 1 or not any(name in reached for name in names):
        return reached
    return tuple(dict.fromkeys((*reached, *names)))


def no_data_streams(name: str) -> IndexNotFound:
    """For what takes indices and aliases alone."""
    error = IndexNotFound(name)
    error.metadata = {**error.metadata, "excluded_ds": "true"}
    return error
