"""What the fields of one index can do, from its mapping alone. Pure.

Which of them hold a value in a document is not known here: `local_indices` asks the engine where that matters.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from sealane.engine.mapping import Field, FieldType, Mapping
from sealane.errors import IllegalArgument
from sealane.model.about_indices import FieldCap, FieldCapsRequest
from sealane.model.patterns import matcher
from sealane.model.security import FieldLimits

METADATA: Final = tuple(
    FieldCap(name, kind, searchable, aggregatable, metadata=True)
    for name, kind, searchable, aggregatable in (
        ("_data_stream_timestamp", "_data_stream_timestamp", False, False),
        ("_doc_count", "integer", False, False),
        ("_field_names", "_field_names", True, False),
        ("_id", "_id", True, False),
        ("_ignored", "_ignored", True, True),
        ("_ignored_source", "_ignored_source", False, False),
        ("_index", "_index", True, True),
        ("_index_mode", "_index_mode", True, True),
        ("_nested_path", "_nested_path", True, False),
        ("_routing", "_routing", True, False),
        ("_seq_no", "_seq_no", True, True),
        ("_source", "_source", False, False),
        ("_tier", "keyword", True, True),
        ("_version", "_version", False, True),
    )
)
"""The fields that every index with a mapping has, as 8.19 lists them."""

CONSTANT: Final = frozenset({"_index", "_index_mode", "_tier"})
"""Those with a value in an index without documents."""

IN_EVERY_DOCUMENT: Final = CONSTANT | {"_id", "_seq_no", "_source", "_version"}

_FAMILIES: Final = {"constant_keyword": "keyword", "wildcard": "keyword"}
"""Types that pass for another one."""

_NEVER_AGGREGATED: Final = frozenset({"text", "dense_vector"})
_NEVER_SEARCHED: Final = frozenset({"binary"})


def index_fields(
    mapping: Mapping,
    request: FieldCapsRequest,
    present: Callable[[str], bool] | None = None,
    limits: FieldLimits | None = None,
) -> tuple[FieldCap, ...]:
    """The fields that the request asks for, with the objects they are in, by name.

    `present` tells which fields hold a value, where the request leaves the others out, `limits` which may be seen: an
    alias where the field may that it stands for.
    Raises IllegalArgument for a filter that does not exist.
    """
    check_filters(request.filters)
    if mapping == NO_MAPPING:
        return ()
    wanted, nested = _any_of(request.fields), mapping.nested
    found: dict[str, FieldCap] = {}
    for cap in METADATA:
        if wanted(cap.name) and _passes(cap, None, request, nested):
            found[cap.name] = cap
    for leaf in mapping.fields.values():
        if wanted(leaf.path) and (limits is None or limits.shows(leaf.target or leaf.path)):
            cap = _cap(leaf, mapping)
            if _passes(cap, leaf, request, nested):
                found[cap.name] = cap
    if present is not None:
        found = {name: cap for name, cap in found.items() if present(name)}
    if "-parent" not in request.filters:
        for parent in _parents(tuple(found), mapping, nested):
            found.setdefault(parent.name, parent)
    return tuple(found[name] for name in sorted(found))


NO_MAPPING: Final = Mapping()
"""Of an index that nothing has been written to: it has no fields at all, not even those of every index."""


def check_filters(filters: Iterable[str]) -> None:
    """Raises IllegalArgument for a filter that does not exist."""
    for each in filters:
        if each not in ("parent", "-parent", "+metadata", "-metadata", "-nested", "-multifield"):
            raise IllegalArgument(f"Unknown field caps filter [{each}]")


def _any_of(patterns: Collection[str]) -> Callable[[str], bool]:
    names = {each for each in patterns if "*" not in each}
    fits = [matcher(each) for each in patterns if "*" in each]
    return lambda name: name in names or any(fit(name) for fit in fits)


def _cap(leaf: Field, mapping: Mapping) -> FieldCap:
    """A field by its own name; an alias can do what the field can that it stands for."""
    field = mapping.get(leaf.target) if leaf.target is not None else leaf
    field = leaf if field is None else field
    kind = field.type.value
    searched = field.index if field.type is FieldType.DENSE_VECTOR else field.is_indexed
    aggregated = kind not in _NEVER_AGGREGATED and field.doc_values
    return FieldCap(
        leaf.path,
        _FAMILIES.get(kind, kind),
        searched and kind not in _NEVER_SEARCHED,
        aggregated,
        meta=tuple(field.meta.items()),
    )


def leaves_field_names(leaf: Field) -> bool:
    """Whether documents with a value of the field say so in `_field_names`: nothing else of it would tell."""
    if leaf.type is FieldType.TEXT:
        return leaf.index and not leaf.norms
    return leaf.is_indexed and not leaf.doc_values


def _passes(
    cap: FieldCap, leaf: Field | None, request: FieldCapsRequest, nested: frozenset[str]
) -> bool:
    if request.types and cap.type not in request.types:
        return False
    for each in request.filters:
        if each == "+metadata" and not cap.metadata:
            return False
        if each == "-metadata" and cap.metadata:
            return False
        if each == "-multifield" and leaf is not None and leaf.is_multi_field:
            return False
        if each == "-nested" and not nested.isdisjoint(_paths_above(cap.name)):
            return False
    return True


def _parents(found: Iterable[str], mapping: Mapping, nested: frozenset[str]) -> Iterable[FieldCap]:
    """The objects around fields; a field with fields of its own below it is none."""
    seen: set[str] = set()
    for name in found:
        for path in _paths_above(name):
            if path not in seen and path not in mapping.fields:
                seen.add(path)
                kind = "nested" if path in nested else "object"
                yield FieldCap(path, kind, False, False)


def _paths_above(name: str) -> Iterable[str]:
    path = name.rpartition(".")[0]
    while path:
        yield path
        path = path.rpartition(".")[0]
