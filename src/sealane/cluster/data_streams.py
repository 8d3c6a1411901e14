"""Changes of data streams, decided on the metadata alone. Pure: nothing is stored here.

A data stream that is replicated gets its backing indices from replication (`attached`), and is rolled over on the
leader's side alone, until it is promoted.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sealane.cluster.catalog import NO_ENTRIES, TIMESTAMP, DataStream, Entries, key_of
from sealane.cluster.index_templates import template_for
from sealane.cluster.matching import matched_names
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.names import BACKING_PREFIX, check_stream_name
from sealane.errors import ApiError, IllegalArgument, IllegalState, IndexNotFound, ResourceNotFound
from sealane.model.access import Access
from sealane.model.civil import civil_from_ms
from sealane.model.search import IndicesOptions

_GENERATION: Final = re.compile(r".*-(\d+)$", re.DOTALL)
_GENERATION_MAX_DIGITS: Final = 9


class StreamAlreadyExists(ApiError):
    es_type, status = "resource_already_exists_exception", 400

    def __init__(self, name: str) -> None:
        super().__init__(f"data_stream [{name}] already exists")


def backing_name(stream: str, generation: int, now_ms: int) -> str:
    """The name of a data stream's backing index that is made on a day."""
    day = civil_from_ms(now_ms)
    return f"{BACKING_PREFIX}{stream}-{day.year:04d}.{day.month:02d}.{day.day:02d}-{generation:06d}"


def generation_of(backing: str) -> int:
    """The number at the end of a backing index's name; 0 where there is none."""
    found = _GENERATION.match(backing)
    return 0 if found is None or len(found[1]) > _GENERATION_MAX_DIGITS else int(found[1])


def check_new_stream(meta: ClusterMetadata, name: str) -> None:
    """Raises StreamAlreadyExists, IllegalArgument; IllegalState where an index or an alias has the name."""
    if meta.stream(name) is not None:
        raise StreamAlreadyExists(name)
    check_stream_name(name)
    check_name_is_free(meta, name)


def check_name_is_free(meta: ClusterMetadata, name: str) -> None:
    """Raises IllegalState where an index or an alias has the name."""
    index, members = meta.index(name), meta.alias(name)
    if index is None and members is None:
        return
    if index is not None:
        what = f"data stream [{name}] conflicts with index"
    else:
        of = ", ".join(f"{each.name}/{each.uuid}" for each in members or ())
        what = f"{name} (alias of [{of}]) conflicts with data stream"
    raise IllegalState(
        "index, alias, and data stream names need to be unique, but the following duplicates were found "
        f"[{what}]"
    )


def check_makes_stream(meta: ClusterMetadata, name: str, *, is_there: bool) -> None:
    """For a write that is to go to a data stream alone, where there is none of that name. Raises ResourceNotFound where
    something else is there, IndexNotFound where no template makes one.
    """
    if is_there:
        raise ResourceNotFound(
            f"[require_data_stream] request flag is [true] and [{name}] is not a data stream"
        )
    found = template_for(meta.catalog, name)
    if found is None or found[1].data_stream is None:
        error = IndexNotFound(name)
        error.reason = (
            f"no such index [{name}] and the index creation request requires a data stream, but no matching index "
            "template with data stream template was found for it"
        )
        error.metadata = {"index_uuid": "_na_", "index": name}
        raise error


def next_backing_name(meta: ClusterMetadata, stream: DataStream, now_ms: int) -> tuple[str, int]:
    """The name of the next backing index, and its generation; one whose name is taken is passed over."""
    generation = stream.generation + 1
    while meta.index(name := backing_name(stream.name, generation, now_ms)) is not None:
        generation += 1
    return name, generation


def check_rollover(stream: DataStream) -> None:
    """Raises IllegalArgument where replication alone may add to it."""
    if stream.replicated:
        raise IllegalArgument(
            f"data stream [{stream.name}] cannot be rolled over, because it is a replicated data stream"
        )


def attached(meta: ClusterMetadata, index: IndexMetadata, name: str) -> DataStream | None:
    """The data stream of that name with a backing index that replication has made; None where it has it already.

    A stream that is not there is made, replicated. Raises IllegalArgument where the stream is not replicated, or the
    index is of another stream; IllegalState where an index or an alias has the name.
    """
    stream, other = meta.stream(name), meta.stream_of(index)
    if stream is not None:
        _check_replicated(stream, index.name)
    if other is not None and other.name != name:
        raise IllegalArgument(already_backing(index.name, name, other.name))
    if stream is None:
        check_stream_name(name)
        check_name_is_free(meta, name)
        stream = DataStream(name=name, indices=(), generation=1, replicated=True)
    if index.uuid in stream.indices:
        return None
    backing = sorted([*meta.backing(stream), index], key=_by_generation)
    return msgspec.structs.replace(
        stream,
        indices=tuple(each.uuid for each in backing),
        generation=max(stream.generation, generation_of(index.name)),
    )


def stream_to_join(
    meta: ClusterMetadata,
    index_name: str,
    *,
    given: str | None,
    leader_index: str,
    leader_stream: str | None,
) -> str | None:
    """The data stream that a follower, which is yet to be made, is to be a backing index of: the one that is `given`,
    else that of its leader; None for none.

    Raises IllegalArgument where a backing index would get another name without a stream being given for it, and what
    `attached` would.
    """
    name = given or leader_stream
    if name is None:
        return None
    if given is None and index_name != leader_index:
        raise IllegalArgument(
            "a backing index name in the local and remote cluster must remain the same"
        )
    stream = meta.stream(name)
    if stream is None:
        check_stream_name(name)
        check_name_is_free(meta, name)
    else:
        _check_replicated(stream, index_name)
    return name


def with_new_backing(
    meta: ClusterMetadata, index: IndexMetadata, replaced: IndexMetadata | None, name: str | None
) -> Entries:
    """How the data stream of that name changes where replication makes a backing index, in place of `replaced`. Raises
    as `attached`.
    """
    if name is None:
        return NO_ENTRIES
    gone = () if replaced is None else (replaced.uuid,)
    stream = attached(meta.with_indices([index], gone, meta.version), index, name)
    return NO_ENTRIES if stream is None else {key_of(stream): stream}


def _check_replicated(stream: DataStream, index_name: str) -> None:
    if not stream.replicated:
        raise IllegalArgument(
            f"cannot follow backing index [{index_name}], because local data stream [{stream.name}] is no longer "
            "marked as replicated"
        )


def replicated_with(meta: ClusterMetadata, before: IndexMetadata, after: IndexMetadata) -> Entries:
    """How the stream of an index changes where that begins to follow, as after a failover: replication alone adds to it
    from then on.
    """
    stream = meta.stream_of(before)
    begins = before.following is None and after.following is not None
    if stream is None or stream.replicated or not begins:
        return NO_ENTRIES
    return {key_of(stream): msgspec.structs.replace(stream, replicated=True)}


def promoted_with(meta: ClusterMetadata, indices: Iterable[str]) -> Entries:
    """The streams of these indices, by uuid, as they become ordinary ones: those of which no index follows any more."""
    found = (meta.by_uuid(uuid) for uuid in indices)
    streams = [meta.stream_of(index) for index in found if index is not None]
    return {
        key_of(stream): msgspec.structs.replace(stream, replicated=False)
        for stream in streams
        if stream is not None
        and stream.replicated
        and all(each.following is None for each in meta.backing(stream))
    }


def _by_generation(index: IndexMetadata) -> tuple[int, str]:
    return generation_of(index.name), index.name


def already_backing(index: str, wanted: str, stream: str) -> str:
    return (
        f"cannot add index [{index}] to data stream [{wanted}] because it is already a backing index on data stream "
        f"[{stream}]"
    )


def check_not_write_indices(meta: ClusterMetadata, indices: Iterable[IndexMetadata]) -> None:
    """Raises IllegalArgument where one of the indices is what a data stream is written to."""
    for index in indices:
        stream = meta.stream_of(index)
        if stream is not None and stream.indices[-1] == index.uuid:
            raise IllegalArgument(
                f"index [{index.name}] is the write index for data stream [{stream.name}] and cannot be deleted"
            )


def named_streams(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions,
    access: Access | None,
) -> list[DataStream]:
    """The data streams that expressions lead to, by name. Raises IndexNotFound for one that is named and not there,
    SecurityError.
    """
    found: list[DataStream] = []
    for name in sorted(matched_names(meta, expressions, options, 0, access)):
        stream = meta.stream(name)
        if stream is not None:
            found.append(stream)
        elif name in expressions:
            raise IndexNotFound(name)
    return found


def present_stream(meta: ClusterMetadata, name: str) -> DataStream:
    stream = meta.stream(name)
    if stream is None:
        raise ResourceNotFound(f"data stream [{name}] does not exist")
    return stream


def with_backing(meta: ClusterMetadata, stream: DataStream, index: IndexMetadata) -> DataStream:
    """`stream` with an index of its own added as its oldest. Raises IllegalArgument where it is not fit for that."""
    other = meta.stream_of(index)
    if other is not None:
        if other.name == stream.name:
            return stream
        raise IllegalArgument(already_backing(index.name, stream.name, other.name))
    if index.aliases:
        listed = ", ".join(sorted(index.aliases))
        raise IllegalArgument(
            f"cannot add index [{index.name}] to data stream [{stream.name}] until its alias(es) [{listed}] are removed"
        )
    check_timestamp(index)
    return msgspec.structs.replace(
        stream, indices=(index.uuid, *stream.indices), generation=stream.generation + 1
    )


def without_backing(stream: DataStream, index: IndexMetadata) -> DataStream:
    """Raises IllegalArgument where the index is not one of its, or is what it is written to."""
    if index.uuid not in stream.indices:
        raise IllegalArgument(f"index [{index.name}] is not part of data stream [{stream.name}]")
    if stream.indices[-1] == index.uuid:
        raise IllegalArgument(
            f"cannot remove backing index [{index.name}] of data stream [{stream.name}] because it is the write index"
        )
    return msgspec.structs.replace(
        stream,
        indices=tuple(uuid for uuid in stream.indices if uuid != index.uuid),
        generation=stream.generation + 1,
    )


def check_timestamp(index: IndexMetadata) -> None:
    """Raises IllegalArgument where the index has no field for the time of a document."""
    field = index.mapping.get(TIMESTAMP)
    if field is None:
        raise IllegalArgument(f"data stream timestamp field [{TIMESTAMP}] does not exist")
    if field.type not in ("date", "date_nanos"):
        raise IllegalArgument(
            f"data stream timestamp field [{TIMESTAMP}] is of type [{field.type}], but [date,date_nanos] is expected"
        )
