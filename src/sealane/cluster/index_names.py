"""Which indices, aliases and data streams expressions lead to, as `_resolve/index` lists them. Pure."""

from collections.abc import Iterable, Sequence

from sealane.cluster.catalog import TIMESTAMP
from sealane.cluster.matching import matched_names
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.model.about_indices import NamedAlias, NamedIndex, NamedStream, ResolvedNames
from sealane.model.access import Access
from sealane.model.search import IndicesOptions


def names_reached(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions,
    now_ms: int,
    access: Access | None = None,
) -> ResolvedNames:
    """What is named, each list by name; an alias or a data stream does not bring in its indices.

    Raises IndexNotFound for a name that must exist and does not, InvalidIndexName, ParseError, SecurityError.
    """
    indices: list[NamedIndex] = []
    aliases: list[NamedAlias] = []
    streams: list[NamedStream] = []
    for name in sorted(matched_names(meta, expressions, options, now_ms, access)):
        index = meta.index(name)
        if index is not None:
            of = meta.stream_of(index)
            indices.append(
                NamedIndex(
                    name,
                    tuple(sorted(index.aliases)),
                    tuple(sorted(_attributes(index))),
                    None if of is None else of.name,
                )
            )
        elif (stream := meta.stream(name)) is not None:
            backing = tuple(each.name for each in meta.backing(stream))
            streams.append(NamedStream(name, backing, TIMESTAMP))
        else:
            members = meta.alias(name) or ()
            aliases.append(NamedAlias(name, tuple(each.name for each in members)))
    return ResolvedNames(tuple(indices), tuple(aliases), tuple(streams))


def _attributes(index: IndexMetadata) -> Iterable[str]:
    yield "open" if index.open else "closed"
    if index.hidden:
        yield "hidden"
