"""What is found among the indices of this cluster, by the rights of whoever looks.

Every name that comes from outside becomes an index here or in `resolve`, and so is judged by the rights that the guard
gives: what they do not allow is not there for wildcards and raises SecurityError where it is named.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sealane.clock import Clock
from sealane.cluster.blocks import Level, check_blocks
from sealane.cluster.index_names import names_reached
from sealane.cluster.index_store import IndexStore
from sealane.cluster.matching import matches_any
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.resolve import ResolvedIndex, resolve
from sealane.cluster.targets import WriteTarget, limits_of_target, resolve_read_target
from sealane.cluster.views import IndexView
from sealane.errors import IndexNotFound
from sealane.model.about_indices import ResolvedNames
from sealane.model.access import Access, no_access_needed
from sealane.model.search import IndicesOptions
from sealane.model.security import IndexLimits

Guard = Callable[[], Access | None]
"""Gives the rights of whoever the running code acts for; None where nobody is limited."""

ADMIN_OPTIONS: Final = IndicesOptions(allow_no_indices=False, expand_closed=True)
"""How names are taken by what changes indices, where the request does not say."""


class FoundIndices:
    """Looks; changes nothing."""

    def __init__(self, indices: IndexStore, clock: Clock, guard: Guard = no_access_needed) -> None:
        self._indices = indices
        self._clock = clock
        self._guard = guard

    @property
    def metadata(self) -> ClusterMetadata:
        """All indices, as last published."""
        return self._indices.metadata

    def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> list[ResolvedIndex]:
        """For a search. Raises as `resolve.resolve` does, and ClusterBlock."""
        access = self._guard()
        found = resolve(self.metadata, expressions, options, now_ms, access=access)
        check_blocks((each.metadata for each in found), Level.READ)
        return found

    def limits_of(self, index: str, uuid: str, reached: Sequence[str]) -> IndexLimits | None:
        """What may be seen of an index that an earlier step of a search resolved. Raises SecurityError where that
        is nothing, and where name and uuid do not belong together.
        """
        access = self._guard()
        if access is None:
            return None
        return limits_of_target(self.metadata, index, uuid, reached, access)

    def named(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> ResolvedNames:
        """For `_resolve/index`. Raises as `index_names.names_reached` does."""
        return names_reached(self.metadata, expressions, options, now_ms, self._guard())

    def matches(self, expressions: Sequence[str], options: IndicesOptions, now_ms: int) -> bool:
        """For `_resolve/cluster`. Raises as `matching.matches_any` does."""
        return matches_any(self.metadata, expressions, options, now_ms, self._guard())

    def find(
        self,
        expressions: Sequence[str],
        options: IndicesOptions = ADMIN_OPTIONS,
        *,
        forbid_closed: bool = False,
    ) -> list[IndexView]:
        """For showing what is known of indices, closed ones too unless they are forbidden.

        Raises IndexNotFound, IllegalArgument, IndexClosed, ClusterBlock.
        """
        found = self._resolved(expressions, options, self._guard(), forbid_closed=forbid_closed)
        check_blocks((each.metadata for each in found), Level.METADATA_READ)
        stream_of = self.metadata.stream_of
        return [
            IndexView(
                each.metadata,
                each.limits,
                each.reached,
                None if (stream := stream_of(each.metadata)) is None else stream.name,
            )
            for each in found
        ]

    def exists(self, expressions: Sequence[str], options: IndicesOptions = ADMIN_OPTIONS) -> bool:
        try:
            return bool(self._targets(expressions, options, self._guard()))
        except IndexNotFound:
            return False

    def read_target(self, name: str) -> WriteTarget:
        """The index a document is read from. Raises IndexNotFound, IllegalArgument,
        ClusterBlock.
        """
        target = resolve_read_target(self.metadata, name, self._clock.now_ms(), self._guard())
        check_blocks((target.metadata,), Level.READ)
        return target

    def _targets(
        self,
        expressions: Sequence[str],
        options: IndicesOptions,
        access: Access | None,
        *,
        forbid_closed: bool = False,
        ignore_aliases: bool = False,
        streams: bool = True,
    ) -> list[IndexMetadata]:
        found = self._resolved(
            expressions,
            options,
            access,
            forbid_closed=forbid_closed,
            ignore_aliases=ignore_aliases,
            streams=streams,
        )
        return [each.metadata for each in found]

    def _resolved(
        self,
        expressions: Sequence[str],
        options: IndicesOptions,
        access: Access | None,
        *,
        forbid_closed: bool = False,
        ignore_aliases: bool = False,
        streams: bool = True,
    ) -> list[ResolvedIndex]:
        return resolve(
            self.metadata,
            expressions,
            options,
            self._clock.now_ms(),
            forbid_closed=forbid_closed,
            ignore_aliases=ignore_aliases,
            streams=streams,
            access=access,
        )
