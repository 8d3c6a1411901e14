"""What one cluster is asked about its indices beside being searched: fields, names, terms. Both directions.

Answers are msgpack arrays, so a field may only be appended, with a default. Names carry no alias: the asking cluster
knows this one by its own.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from sealane.model.search import IndicesOptions

DEFAULT_OPTIONS = IndicesOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCapsRequest:
    """The fields of indices. `fields` are names and patterns; `filters` and `types` restrict them further.

    `index_filter` is the JSON of a query: indices in which nothing can match it are left out.
    """

    indices: tuple[str, ...]
    fields: tuple[str, ...]
    options: IndicesOptions = DEFAULT_OPTIONS
    filters: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    index_filter: bytes | None = None
    include_empty: bool = True


class FieldCap(msgspec.Struct, frozen=True, array_like=True):
    """What one field can do in one index. `type` is the family's name, or `object` and `nested` for parents."""

    name: str
    type: str
    searchable: bool
    aggregatable: bool
    metadata: bool = False
    meta: tuple[tuple[str, str], ...] = ()


class FieldCapsGroup(msgspec.Struct, frozen=True, array_like=True):
    """Indices whose fields are the same, which those of a daily series mostly are."""

    indices: tuple[str, ...]
    fields: tuple[FieldCap, ...]


class IndexFailure(msgspec.Struct, frozen=True, array_like=True):
    """An index that could not answer; `error` is in its wire form."""

    index: str
    error: dict[str, Any]


class FieldCapsPart(msgspec.Struct, frozen=True, array_like=True):
    """One cluster's answer, unmerged: conflicts are found where all clusters' answers come together."""

    groups: tuple[FieldCapsGroup, ...]
    failures: tuple[IndexFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIndexRequest:
    """Which indices and aliases expressions lead to. `now` of date math is the context's."""

    expressions: tuple[str, ...]
    options: IndicesOptions = DEFAULT_OPTIONS


class NamedIndex(msgspec.Struct, frozen=True, array_like=True):
    """An index as `_resolve/index` shows it."""

    name: str
    aliases: tuple[str, ...]
    attributes: tuple[str, ...]
    data_stream: str | None = None


class NamedAlias(msgspec.Struct, frozen=True, array_like=True):
    name: str
    indices: tuple[str, ...]


class NamedStream(msgspec.Struct, frozen=True, array_like=True):
    """A data stream with its backing indices, the oldest first."""

    name: str
    backing: tuple[str, ...]
    timestamp_field: str


class ResolvedNames(msgspec.Struct, frozen=True, array_like=True):
    """One cluster's answer, each list by name."""

    indices: tuple[NamedIndex, ...]
    aliases: tuple[NamedAlias, ...]
    data_streams: tuple[NamedStream, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsEnumRequest:
    """Terms of a field that begin with `prefix`, by their order, those behind `after` only.

    `timeout_ms` is how long the shards may take; what was found until then is the answer.
    """

    indices: tuple[str, ...]
    field: str
    options: IndicesOptions = DEFAULT_OPTIONS
    prefix: str = ""
    after: str | None = None
    size: int = 10
    case_insensitive: bool = False
    index_filter: bytes | None = None
    timeout_ms: int = 1000


class TermsEnumPart(msgspec.Struct, frozen=True, array_like=True):
    """One cluster's terms, ascending. `complete` is false where a shard had no time or failed."""

    terms: tuple[str, ...]
    complete: bool
    total: int
    successful: int
    failed: int
    failures: tuple[IndexFailure, ...] = ()
