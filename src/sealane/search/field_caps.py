"""`_field_caps` over several clusters: each answers for its own indices, and the fields are merged here.

A remote that fails is a failure in the answer, whatever its skip_unavailable; only when nobody answered is it raised.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sealane.errors import ApiError
from sealane.model.about_indices import FieldCap, FieldCapsPart, FieldCapsRequest
from sealane.model.task import Context
from sealane.search.about_indices import AboutIndices, Asked, IndicesOfRemotes, ask_clusters
from sealane.search.named_clusters import clusters_named

UNMAPPED = FieldCap("", "unmapped", False, False)


@dataclass(slots=True)
class MergedCap:
    """A field under one of its types. `on` are the indices that have it so."""

    type: str
    metadata: bool = False
    on: list[str] = field(default_factory=list)
    not_searchable: list[str] = field(default_factory=list)
    not_aggregatable: list[str] = field(default_factory=list)
    meta: dict[str, set[str]] = field(default_factory=dict)

    def add(self, cap: FieldCap, indices: Iterable[str]) -> None:
        self.metadata = cap.metadata
        self.on.extend(indices)
        if not cap.searchable:
            self.not_searchable.extend(indices)
        if not cap.aggregatable:
            self.not_aggregatable.extend(indices)
        for key, value in cap.meta:
            self.meta.setdefault(key, set()).add(value)

    def to_json(self, *, in_conflict: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "type": self.type,
            "metadata_field": self.metadata,
            "searchable": not self.not_searchable,
            "aggregatable": not self.not_aggregatable,
        }
        if in_conflict:
            shown["indices"] = sorted(self.on)
        for name, lacking in (
            ("non_searchable_indices", self.not_searchable),
            ("non_aggregatable_indices", self.not_aggregatable),
        ):
            if lacking and len(lacking) < len(self.on):
                shown[name] = sorted(lacking)
        if self.meta:
            shown["meta"] = {key: sorted(values) for key, values in sorted(self.meta.items())}
        return shown


@dataclass(frozen=True, slots=True)
class Failure:
    """Indices of which nothing is known, and why. As they were named, where their cluster did not answer."""

    indices: tuple[str, ...]
    error: ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCapsOutcome:
    """`fields` by name, then by type."""

    indices: Sequence[str]
    fields: dict[str, dict[str, MergedCap]]
    failures: Sequence[Failure]


class FieldCapsService:
    """Asks the local cluster and registered remotes."""

    def __init__(self, *, local: AboutIndices, remotes: IndicesOfRemotes) -> None:
        self._local = local
        self._remotes = remotes

    async def field_caps(
        self,
        request: FieldCapsRequest,
        ctx: Context,
        *,
        include_unmapped: bool = False,
        timeout_s: float | None = None,
    ) -> FieldCapsOutcome:
        """`request.indices` are as the client typed them, aliases included; `timeout_s` is for each remote.

        Raises what is wrong with the expressions or with the local cluster's part of them, and the first failure where
        no index could answer.
        """
        targets = clusters_named(
            request.indices, self._remotes.aliases, request.options, selectors=True
        )
        asked = await ask_clusters(
            self._local,
            self._remotes,
            targets,
            lambda cluster, target: cluster.field_caps(
                replace(request, indices=target.expressions), ctx
            ),
            timeout_s=timeout_s,
        )
        merged = merge(asked, include_unmapped=include_unmapped)
        if merged.failures and not merged.indices:
            raise merged.failures[0].error
        return merged


def merge(
    asked: Iterable[Asked[FieldCapsPart]], *, include_unmapped: bool = False
) -> FieldCapsOutcome:
    """Pure: the fields of all indices that answered."""
    names: list[str] = []
    fields: dict[str, dict[str, MergedCap]] = {}
    failures = _Failures()
    for each in asked:
        if each.error is not None:
            for expression in each.target.expressions:
                failures.add(each.named(expression), each.error)
        if each.answer is None:
            continue
        for group in each.answer.groups:
            indices = [each.named(index) for index in group.indices]
            names.extend(indices)
            for cap in group.fields:
                types = fields.setdefault(cap.name, {})
                types.setdefault(cap.type, MergedCap(cap.type)).add(cap, indices)
        for failed in each.answer.failures:
            failures.add(each.named(failed.index), ApiError.from_wire(failed.error))
    if include_unmapped:
        _add_unmapped(fields, names)
    return FieldCapsOutcome(indices=sorted(names), fields=fields, failures=failures.listed())


def _add_unmapped(fields: dict[str, dict[str, MergedCap]], names: Sequence[str]) -> None:
    for types in fields.values():
        without = set(names).difference(*(cap.on for cap in types.values()))
        if without:
            types[UNMAPPED.type] = MergedCap(UNMAPPED.type)
            types[UNMAPPED.type].add(UNMAPPED, sorted(without))


class _Failures:
    """Failures by cause: indices that failed alike are shown together."""

    def __init__(self) -> None:
        self._by_cause: dict[tuple[str, str], tuple[list[str], ApiError]] = {}

    def add(self, index: str, error: ApiError) -> None:
        indices, _ = self._by_cause.setdefault((error.es_type, error.reason), ([], error))
        indices.append(index)

    def listed(self) -> list[Failure]:
        return [Failure(tuple(indices), error) for indices, error in self._by_cause.values()]
