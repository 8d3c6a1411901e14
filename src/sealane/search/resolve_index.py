"""`_resolve/index` over several clusters. What a remote fails with is not told: its names are simply not there."""

from collections.abc import Sequence
from itertools import chain

import msgspec

from sealane.model.about_indices import ResolvedNames, ResolveIndexRequest
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.search.about_indices import AboutIndices, IndicesOfRemotes, ask_clusters
from sealane.search.expression import LOCAL
from sealane.search.named_clusters import clusters_named


class IndexResolver:
    """Asks the local cluster and registered remotes."""

    def __init__(self, *, local: AboutIndices, remotes: IndicesOfRemotes) -> None:
        self._local = local
        self._remotes = remotes

    async def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, ctx: Context
    ) -> ResolvedNames:
        """The names of all clusters, the local ones first, the others by alias and with it.

        Raises what is wrong with the expressions or with the local cluster's part of them.
        """
        targets = clusters_named(expressions, self._remotes.aliases, options, selectors=True)
        asked = await ask_clusters(
            self._local,
            self._remotes,
            targets,
            lambda cluster, target: cluster.resolve_index(
                ResolveIndexRequest(expressions=target.expressions, options=options), ctx
            ),
        )
        parts = [
            _prefixed(each.target.alias, each.answer)
            for each in sorted(asked, key=lambda each: each.target.alias)
            if each.answer is not None
        ]
        return ResolvedNames(
            tuple(chain.from_iterable(part.indices for part in parts)),
            tuple(chain.from_iterable(part.aliases for part in parts)),
            tuple(chain.from_iterable(part.data_streams for part in parts)),
        )


def _prefixed(alias: str, part: ResolvedNames) -> ResolvedNames:
    """Only what is listed is named with the alias, not what an entry mentions."""
    if alias == LOCAL:
        return part
    replace = msgspec.structs.replace
    return ResolvedNames(
        tuple(replace(each, name=f"{alias}:{each.name}") for each in part.indices),
        tuple(replace(each, name=f"{alias}:{each.name}") for each in part.aliases),
        tuple(replace(each, name=f"{alias}:{each.name}") for each in part.data_streams),
    )
