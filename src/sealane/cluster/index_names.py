"""Which indices and aliases expressions lead to, as `_resolve/index` lists them. Pure."""

from collections.abc import Iterable, Sequence

from sealane.cluster.matching import matched_names
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.model.about_indices import NamedAlias, NamedIndex, ResolvedNames
from sealane.model.access import Access
from sealane.model.search import IndicesOptions


def names_reached(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions,
    now_ms: int,
    access: Access | None = None,
) -> ResolvedNames:
    """The indices and aliases that are named, each list by name; an alias does not bring in its indices.

    Raises IndexNotFound for a name that must exist and does not, InvalidIndexName, ParseError, SecurityError.
    """
    indices: list[NamedIndex] = []
    aliases: list[NamedAlias] = []
    for name in sorted(matched_names(meta, expressions, options, now_ms, access)):
        index = meta.index(name)
        if index is not None:
            indices.append(
                NamedIndex(name, tuple(sorted(index.aliases)), tuple(sorted(_attributes(index))))
            )
        else:
            members = meta.alias(name) or ()
            aliases.append(NamedAlias(name, tuple(each.name for each in members)))
    return ResolvedNames(tuple(indices), tuple(aliases))


def _attributes(index: IndexMetadata) -> Iterable[str]:
    yield "open" if index.open else "closed"
    if index.hidden:
        yield "hidden"
