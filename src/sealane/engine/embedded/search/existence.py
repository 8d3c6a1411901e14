"""Which documents have a value."""

import tantivy

from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    any_of,
    constant,
)
from sealane.engine.embedded.view import FIELD_NAMES, ID
from sealane.engine.mapping import FieldType
from sealane.model.patterns import pattern


def compile_exists(path: str, scope: Scope) -> Compiled:
    """Documents with a value of a field, of any field of an object, or of any that a pattern matches."""
    if path in (ID, "_index", "_seq_no", "_version"):
        return EVERYTHING
    if path == "_source":
        raise scope.shard_error("The _source field is not searchable")
    found = [each for each in _leaves(path, scope) if scope.has_column(each)]
    if any(scope.state.has_all(each) for each in found):
        return EVERYTHING
    queries = [_exists(each, scope) for each in found]
    if not queries:
        return NOTHING
    return constant(queries[0] if len(queries) == 1 else any_of(queries))


def _leaves(path: str, scope: Scope) -> list[str]:
    mapping = scope.state.view.mapping
    mapped = scope.mapped(path)
    if mapped is not None:
        return [mapped.path]
    inside = path + "."
    wanted = pattern(path) if "*" in path else None
    return [
        each
        for each in mapping.fields
        if (each.startswith(inside) or (wanted and wanted.fullmatch(each)))
        and scope.mapped(each) is not None
    ]


def _exists(path: str, scope: Scope) -> tantivy.Query:
    mapped = scope.state.view.mapping.get(path)
    if mapped is not None and mapped.type is FieldType.TEXT:
        return tantivy.Query.term_query(scope.schema, FIELD_NAMES, path, "basic")
    return tantivy.Query.exists_query(path)
