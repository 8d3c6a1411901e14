"""The local cluster as it is asked about its indices beside being searched; also what answers other clusters.

It leaves names to `cluster`, what fields can do to `index_fields`, and shards to the engine.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from sealane.cluster.metadata import ClusterMetadata
from sealane.cluster.resolve import ResolvedIndex
from sealane.engine.base import Reader, ShardSearch, TermsWanted
from sealane.engine.mapping import FieldType, Mapping
from sealane.errors import ApiError, NoSuchRemoteCluster, ParseError, TaskCancelled
from sealane.model.about_indices import (
    FieldCap,
    FieldCapsGroup,
    FieldCapsPart,
    FieldCapsRequest,
    IndexFailure,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.dsl import SearchBody
from sealane.model.index_names import split_alias
from sealane.model.search import IndicesOptions
from sealane.model.security import FieldLimits
from sealane.model.task import Context
from sealane.query import parse_search_body
from sealane.reduce.merged_terms import merge_terms
from sealane.reduce.partial import BucketsPartial
from sealane.search.fan_out import ask_all
from sealane.search.index_fields import (
    CONSTANT,
    IN_EVERY_DOCUMENT,
    index_fields,
    leaves_field_names,
)
from sealane.search.limited import seen

_CONCURRENT_SHARDS: Final = 16
_ENUMERATED: Final = frozenset({FieldType.KEYWORD, FieldType.IP, FieldType.CONSTANT_KEYWORD})
"""Types whose terms are listed; other fields have none to show, as in the reference."""
_PRESENCE: Final = "present"
_RANGE: Final = b'"range"'
_PRESENCE_FIELDS_MAX: Final = 500
"""Fields asked for in one search."""


_Known = dict[tuple[bytes, FieldLimits | None], tuple[FieldCap, ...]]
"""Fields by mapping, and by what may be seen of them."""


class Indices(Protocol):
    """The indices of this cluster."""

    @property
    def metadata(self) -> ClusterMetadata: ...

    def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> Sequence[ResolvedIndex]: ...

    def named(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> ResolvedNames: ...


class LocalIndices:
    """Implements AboutIndices over this cluster's own indices."""

    def __init__(self, *, indices: Indices, reader: Reader) -> None:
        self._indices = indices
        self._reader = reader

    async def resolve_index(self, request: ResolveIndexRequest, ctx: Context) -> ResolvedNames:
        """Raises IndexNotFound, InvalidIndexName, ParseError."""
        return self._indices.named(request.expressions, request.options, ctx.start_ms)

    async def field_caps(self, request: FieldCapsRequest, ctx: Context) -> FieldCapsPart:
        """What is wrong with an index is its failure; only names that are wrong fail the whole.

        Raises IndexNotFound and its kin.
        """
        groups: dict[tuple[FieldCap, ...], list[str]] = {}
        failures: list[IndexFailure] = []
        found = self._resolve(request.indices, request.options, ctx)
        body = _filter_body(request.index_filter)
        known: _Known = {}

        async def ask(index: ResolvedIndex) -> tuple[FieldCap, ...] | ApiError | None:
            try:
                return await self._fields(index, request, body, known, ctx)
            except TaskCancelled:
                raise
            except ApiError as error:
                return error

        answers = await ask_all(ask, found, at_a_time=_CONCURRENT_SHARDS)
        for index, answer in zip(found, answers, strict=True):
            if isinstance(answer, ApiError):
                failures.append(IndexFailure(index.name, answer.to_wire()))
            elif answer is not None:
                groups.setdefault(answer, []).append(index.name)
        return FieldCapsPart(
            tuple(FieldCapsGroup(tuple(names), fields) for fields, names in groups.items()),
            tuple(failures),
        )

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumPart:
        """What a shard cannot answer makes the answer incomplete. Raises IndexNotFound and its kin."""
        found = [
            each
            for each in self._resolve(request.indices, request.options, ctx)
            if seen(each.limits, ctx).documents
            is None  # terms do not tell of which documents they are
        ]
        body = _filter_body(request.index_filter)
        deadline = asyncio.get_running_loop().time() + request.timeout_ms / 1000
        shards = [_Shard(index, shard, body) for index in found for shard in range(index.shards)]

        async def ask(shard: _Shard) -> list[str] | ApiError | None:
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._terms(shard, request, ctx)
            except TimeoutError:
                return None
            except TaskCancelled:
                raise
            except ApiError as error:
                return error

        answers = await ask_all(ask, shards, at_a_time=_CONCURRENT_SHARDS)
        lists = [each for each in answers if isinstance(each, list)]
        failed = [
            IndexFailure(shard.index.name, each.to_wire())
            for shard, each in zip(shards, answers, strict=True)
            if isinstance(each, ApiError)
        ]
        return TermsEnumPart(
            terms=merge_terms(lists, request.size),
            complete=len(lists) == len(answers),
            total=len(shards),
            successful=len(answers) - len(failed),
            failed=len(failed),
            failures=tuple(failed),
        )

    def _resolve(
        self, expressions: Sequence[str], options: IndicesOptions, ctx: Context
    ) -> Sequence[ResolvedIndex]:
        for expression in expressions:
            other = split_alias(expression)
            if other is not None:
                raise NoSuchRemoteCluster(other[0])
        return self._indices.resolve(expressions, options, ctx.start_ms)

    async def _fields(
        self,
        index: ResolvedIndex,
        request: FieldCapsRequest,
        body: SearchBody | None,
        known: "_Known",
        ctx: Context,
    ) -> tuple[FieldCap, ...] | None:
        """None for an index in which nothing can match the filter. `known` has the fields by mapping: those of a daily
        series are the same, and a thousand of them with a thousand fields would hold the loop for seconds.
        """
        if body is not None and not await self._can_match(index, body, ctx):
            return None
        mapping = index.metadata.mapping
        limits = None if index.limits is None else index.limits.fields
        key = index.metadata.mapping_json, limits
        found = known.get(key)
        if found is None:
            await asyncio.sleep(0)
            found = known[key] = index_fields(mapping, request, limits=limits)
        if request.include_empty:
            return found
        names = [cap.name for cap in found if cap.name in mapping.fields]
        present = await self._present(index, names, ctx)
        return index_fields(mapping, request, present.__contains__, limits)

    async def _can_match(self, index: ResolvedIndex, body: SearchBody, ctx: Context) -> bool:
        """Raises ParseError for dates that cannot be read, as the reference does: it reads those of ranges here."""
        search = _shard_search(index, body, ctx)
        for shard in range(index.shards):
            if await self._reader.can_match(index.uuid, shard, search):
                if _RANGE in body.raw:
                    await self._judge(index, shard, search, ctx)
                return True
        return False

    async def _judge(
        self, index: ResolvedIndex, shard: int, search: ShardSearch, ctx: Context
    ) -> None:
        """What is wrong with the query beyond its dates is no matter here: nothing is searched."""
        try:
            await self._reader.search(index.uuid, shard, search, ctx)
        except (ParseError, TaskCancelled):
            raise
        except ApiError:
            pass  # only a search would tell

    async def _present(
        self, index: ResolvedIndex, names: Sequence[str], ctx: Context
    ) -> Collection[str]:
        """Those of the fields that hold a value in a document, and of those that every index has."""
        if not (await self._reader.stats(index.uuid)).docs:
            return CONSTANT
        found = set(IN_EVERY_DOCUMENT)
        mapping = index.metadata.mapping
        asked = [*names, "_ignored", "_routing"]
        for at in range(0, len(asked), _PRESENCE_FIELDS_MAX):
            chunk = asked[at : at + _PRESENCE_FIELDS_MAX]
            body = _presence_body(chunk, mapping)
            for shard in range(index.shards):
                search = _shard_search(index, body, ctx)
                partial = await self._reader.search(index.uuid, shard, search, ctx)
                buckets = partial.aggs[_PRESENCE] if partial.aggs else None
                assert isinstance(buckets, BucketsPartial)
                found.update(
                    name for name, each in zip(chunk, buckets.buckets, strict=True) if each.count
                )
        present = [leaf for name in names if name in found and (leaf := mapping.get(name))]
        if any(leaves_field_names(leaf) for leaf in present):
            found.add("_field_names")
        if any(mapping.nested_at(leaf.path) for leaf in present):
            found.add("_nested_path")
        return found

    async def _terms(self, shard: "_Shard", request: TermsEnumRequest, ctx: Context) -> list[str]:
        index = shard.index
        mapping = index.metadata.mapping
        leaf = mapping.get(request.field)
        if leaf is not None and leaf.target is not None:
            leaf = mapping.get(leaf.target)
        if request.field == "_index":
            return [index.name] if _follows(index.name, request) else []
        if leaf is None or leaf.type not in _ENUMERATED or not leaf.index:
            return []
        limits = None if index.limits is None else index.limits.fields
        if limits is not None and not limits.shows(leaf.path):
            return []
        if shard.body is not None:
            search = _shard_search(index, shard.body, ctx)
            if not await self._reader.can_match(index.uuid, shard.number, search):
                return []
        if leaf.type is FieldType.CONSTANT_KEYWORD:
            return [leaf.value] if leaf.value is not None and _follows(leaf.value, request) else []
        wanted = TermsWanted(
            leaf.path, request.prefix, request.after, request.size, request.case_insensitive
        )
        return await self._reader.terms(index.uuid, shard.number, wanted)


@dataclass(frozen=True, slots=True)
class _Shard:
    index: ResolvedIndex
    number: int
    body: SearchBody | None


def _follows(term: str, request: TermsEnumRequest) -> bool:
    if request.after is not None and term <= request.after:
        return False
    if request.case_insensitive:
        return term.lower().startswith(request.prefix.lower())
    return term.startswith(request.prefix)


def _filter_body(index_filter: bytes | None) -> SearchBody | None:
    if index_filter is None:
        return None
    return parse_search_body(b'{"size":0,"query":%b}' % index_filter)


def _presence_body(names: Sequence[str], mapping: Mapping) -> SearchBody:
    filters = [_has_value(name, mapping) for name in names]
    return parse_search_body(
        orjson.dumps(
            {
                "size": 0,
                "track_total_hits": False,
                "aggs": {_PRESENCE: {"filters": {"filters": filters}}},
            }
        )
    )


def _has_value(name: str, mapping: Mapping) -> dict[str, Any]:
    leaf = mapping.get(name)
    field = name if leaf is None or leaf.target is None else leaf.target
    exists = {"exists": {"field": field}}
    path = mapping.nested_at(field)
    return {"nested": {"path": path, "query": exists}} if path else exists


def _shard_search(index: ResolvedIndex, body: SearchBody, ctx: Context) -> ShardSearch:
    documents, fields = seen(index.limits, ctx)
    return ShardSearch(
        # The plain name, also for another cluster: so the reference matches `_index` here.
        index_name=index.name,
        body=body,
        size=0,
        now_ms=ctx.start_ms,
        documents=documents,
        fields=fields,
    )
