"""The `knn` query on one shard, and documents that an earlier phase of the search has found."""

from collections.abc import Callable

import numpy as np
import tantivy

from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope
from sealane.engine.embedded.search.scored import Flags, Floats, exactly, matches_of
from sealane.engine.embedded.search.vectors import matrix_of, of_measure, scores
from sealane.engine.embedded.view import ID, SEQ_NO
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl

_SHOWN_DIMS = 5
_UNIT_SLACK = 1e-3

Compile = Callable[[dsl.Query, Scope], Compiled]


def compile_knn(query: dsl.Knn, scope: Scope, inner: Compile) -> Compiled:
    """The nearest documents with their scores. Raises QueryShardError."""
    mapped = scope.mapped(query.field)
    if mapped is None:
        return NOTHING
    vector = np.array(query.vector, np.float32)
    _check(mapped, query, vector, scope)
    if not scope.has_column(mapped.path):
        return NOTHING
    matrix = matrix_of(mapped, scope)
    docs = matrix.docs
    if len(docs):
        _check_dims(matrix.rows.shape[1], vector, scope)
    chosen: Flags | None = None
    for filtering in _filters(query, scope, inner):
        found = matches_of(filtering.query, docs, scope)
        chosen = found if chosen is None else chosen & found
    near = scores(matrix.rows, chosen, vector, mapped)
    if chosen is not None:
        docs = docs.where(chosen)
    if not len(docs):
        return NOTHING
    if query.similarity is not None:
        enough = near >= _least(query.similarity, mapped)
        docs, near = docs.where(enough), near[enough]
    best = np.argsort(-near, kind="stable")[: _wanted(query, scope)]
    return exactly(docs.keys[best], near[best], scope)


def _filters(query: dsl.Knn, scope: Scope, inner: Compile) -> list[Compiled]:
    """What limits the choice before it is made: the filters of an alias too, and what may be seen."""
    found = [inner(each, scope) for each in query.filters]
    if scope.restriction is not None:
        unnamed = Scope(scope.state, scope.index_name, scope.now_ms, visible=scope.visible)
        found.append(inner(scope.restriction, unnamed))
    if scope.visible is not None:
        found.append(Compiled(scope.visible))
    return found


def _wanted(query: dsl.Knn, scope: Scope) -> int:
    k = query.k if query.k is not None else scope.size
    return k if query.num_candidates is None else min(k, query.num_candidates)


def _least(similarity: float, mapped: Field) -> np.float32:
    measure = mapped.similarity or "cosine"
    found: Floats = of_measure(np.array([similarity], np.float64), mapped, measure)
    return np.float32(found[0])


def _check(mapped: Field, query: dsl.Knn, vector: Floats, scope: Scope) -> None:
    if mapped.type is not FieldType.DENSE_VECTOR:
        reason = "[knn] queries are only supported on [dense_vector] fields"
        raise scope.failed(IllegalArgument(reason))
    if not mapped.index:
        raise scope.failed(
            IllegalArgument(
                f"to perform knn search on field [{mapped.path}], its mapping must have [index] set to [true]"
            )
        )
    if mapped.dims is not None:
        _check_dims(mapped.dims // (8 if mapped.element_type == "bit" else 1), vector, scope)
    if mapped.element_type == "float":
        _check_magnitude(mapped, query, vector, scope)


def _check_dims(dims: int, vector: Floats, scope: Scope) -> None:
    if len(vector) != dims:
        raise scope.failed(
            IllegalArgument(
                f"The query vector has a different number of dimensions [{len(vector)}] than the "
                f"document vectors [{dims}]."
            )
        )


def _check_magnitude(mapped: Field, query: dsl.Knn, vector: Floats, scope: Scope) -> None:
    square = float((vector.astype(np.float64) ** 2).sum())
    if mapped.similarity == "dot_product" and abs(square - 1.0) > _UNIT_SLACK:
        reason = "The [dot_product] similarity can only be used with unit-length vectors."
    elif mapped.similarity == "cosine" and square == 0:
        reason = "The [cosine] similarity does not support vectors with zero magnitude."
    else:
        return
    shown = ", ".join(str(each) for each in query.vector[:_SHOWN_DIMS])
    more = ", ..." if len(query.vector) > _SHOWN_DIMS else ""
    raise scope.failed(IllegalArgument(f"{reason} Preview of invalid vector: [{shown}{more}]"))


def compile_scored_docs(query: dsl.ScoredDocs, scope: Scope) -> Compiled:
    """Those of the documents that are on this shard, and still there."""
    view = scope.state.view
    keys: list[int] = []
    found: list[float] = []
    for doc in query.docs:
        if doc.index != scope.index_name or doc.shard != view.shard:
            continue
        by_id = tantivy.Query.term_query(scope.schema, ID, doc.id, "basic")
        for key, _ in view.searcher.search(by_id, 1, False, SEQ_NO, 0, tantivy.Order.Desc).hits:
            keys.append(int(key or 0))
            found.append(doc.score)
    return exactly(keys, found, scope)
