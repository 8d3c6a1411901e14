"""The one index that a name means to a document: the index itself, an alias's, or the one that a data stream is written
to. Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sealane.cluster.catalog import DataStream
from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.names import check_index_name
from sealane.cluster.resolve import is_remote, not_across_clusters, refuse_underscore
from sealane.cluster.stream_names import (
    allows_name,
    names_judged,
    names_reached_by,
    no_data_streams,
)
from sealane.errors import IllegalArgument, IndexClosed, IndexNotFound
from sealane.model.access import Access
from sealane.model.security import IndexLimits


class WriteTarget(NamedTuple):
    """The one index that a name means to a document. `routing` is what the alias demands, `limits`
    what may be seen there; `asked` is the name itself, dates in it being resolved. `stream` is the data stream that the
    index is of, whether or not that is the name.
    """

    metadata: IndexMetadata
    routing: str | None = None
    limits: IndexLimits | None = None
    asked: str = ""
    stream: DataStream | None = None

    @property
    def names_judged(self) -> tuple[str, ...]:
        """The names by any of which what is done is allowed: that asked for, and of a backing index its stream's."""
        stream = self.stream
        if stream is None or self.asked != self.metadata.name:
            return (self.asked,)
        return self.asked, stream.name

    @property
    def rolls_over_first(self) -> bool:
        """Whether a data stream is to get a new index before it is written to."""
        stream = self.stream
        return (
            stream is not None
            and stream.rollover_on_write
            and stream.name == self.asked
            and not stream.replicated
        )

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def uuid(self) -> str:
        return self.metadata.uuid

    @property
    def shards(self) -> int:
        return self.metadata.shards

    @property
    def replicas(self) -> int:
        return self.metadata.replicas


def resolve_write_target(
    meta: ClusterMetadata, name: str, now_ms: int, access: Access | None = None
) -> WriteTarget | None:
    """The index that a write to `name` goes to; None where there is no index, alias or data stream of that name.

    Raises IllegalArgument for an alias without a write index, IndexClosed, InvalidIndexName,
    ParseError; SecurityError.
    """
    name = resolve_date_name(name, now_ms)
    _check_allowed(meta, name, access)
    index = meta.index(name)
    routing = None
    if index is None:
        members = meta.members(name)
        if members is None:
            check_index_name(name)
            return None
        if meta.stream(name) is not None:
            if not members:
                raise IndexNotFound(name)
            index = members[-1]
        else:
            index = _written_by(name, members)
            routing = index.aliases[name].index_routing
    if not index.open:
        raise IndexClosed(index.name, index.uuid)
    return _target(meta, index, routing, access, name)


def _target(
    meta: ClusterMetadata,
    index: IndexMetadata,
    routing: str | None,
    access: Access | None,
    name: str,
) -> WriteTarget:
    stream = meta.stream_of(index)
    if access is None:
        return WriteTarget(index, routing, None, name, stream)
    reached = (name,) if stream is None else names_reached_by(meta, index, (name,))
    limits = access.limits(reached)
    return WriteTarget(index, routing, limits, name, stream)


def _check_allowed(meta: ClusterMetadata, name: str, access: Access | None) -> None:
    if access is not None and not allows_name(meta, name, access):
        raise access.denial((name,))


def resolve_read_target(
    meta: ClusterMetadata, name: str, now_ms: int, access: Access | None = None
) -> WriteTarget:
    """The index that a document is read from. Raises IndexNotFound, IllegalArgument,
    IndexClosed, SecurityError.
    """
    name = resolve_date_name(name, now_ms)
    _check_allowed(meta, name, access)
    index = meta.index(name)
    routing = None
    if index is None:
        members = meta.alias(name)
        if members is None:
            refuse_underscore(name)
            if meta.stream(name) is not None:
                raise no_data_streams(name)
            if is_remote(name):
                raise not_across_clusters((name,))
            raise IndexNotFound(name)
        if len(members) > 1:
            listed = ", ".join(each.name for each in members)
            raise IllegalArgument(
                f"alias [{name}] has more than one index associated with it [{listed}], "
                "can't execute a single index op"
            )
        index = members[0]
        routing = index.aliases[name].search_routing
    if not index.open:
        raise IndexClosed(index.name, index.uuid)
    return _target(meta, index, routing, access, name)


def limits_of_target(
    meta: ClusterMetadata, index: str, uuid: str, reached: Sequence[str], access: Access
) -> IndexLimits | None:
    """What may be seen of an index that another step of the same request resolved.

    Whoever asks says which index it means, by name and uuid, and by which names it came there;
    none of it is believed before it fits together. Raises SecurityError where it does not, or where
    no name gives access.
    """
    found = meta.by_uuid(uuid)
    if found is None or found.name != index:
        raise access.denial((index,))
    own = names_judged(meta, found)
    fitting = [name for name in reached or (index,) if name in own or name in found.aliases]
    allowed = tuple(name for name in fitting if allows_name(meta, name, access))
    if not allowed:
        raise access.denial((index,))
    return access.limits(names_reached_by(meta, found, allowed))


def write_index(alias: str, members: Sequence[IndexMetadata]) -> IndexMetadata | None:
    """That of an alias's indices which is written to by it; None where it has none."""
    marked = [each for each in members if each.aliases[alias].is_write_index]
    if marked:
        return marked[0]
    if len(members) == 1 and members[0].aliases[alias].is_write_index is not False:
        return members[0]
    return None


def _written_by(alias: str, members: Sequence[IndexMetadata]) -> IndexMetadata:
    found = write_index(alias, members)
    if found is not None:
        return found
    raise IllegalArgument(
        f"no write index is defined for alias [{alias}]. The write index may be explicitly "
        "disabled using is_write_index=false or the alias points to multiple indices without one "
        "being designated as a write index"
    )
