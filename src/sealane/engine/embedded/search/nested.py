"""Nested queries: asked of the index of nested objects, and carried over to the documents that hold them.

A scope is at a level: the documents, or the nested objects of one path. An inner query is compiled against the level
below, runs there at once, and becomes a set of documents with known scores.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tantivy

from sealane.engine.embedded.nested_documents import NUMBER_BITS
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    both,
    constant,
)
from sealane.engine.embedded.search.scored import (
    Docs,
    Floats,
    Keys,
    docs_of,
    every_doc_of,
    exactly,
    scores_of,
)
from sealane.engine.embedded.search.state import state_of
from sealane.engine.embedded.view import NESTED_PATH, PARENT, ROOT, SEQ_NO
from sealane.engine.mapping import Mapping
from sealane.errors import IllegalArgument, IllegalState
from sealane.model import dsl
from sealane.model.dsl.joined import Nested

CompileQuery = Callable[[dsl.Query, Scope], Compiled]


@dataclass(frozen=True, slots=True)
class InnerQuery:
    """What a nested query asked of the objects at `path`, from the level `outer`; `scope` is theirs."""

    query: Nested
    compiled: Compiled
    scope: Scope
    outer: str


def nested_scope(scope: Scope, path: str) -> Scope | None:
    """The scope of the objects at `path`; None where there can be none yet."""
    view = scope.state.view
    nested = view.nested if view.nested is not None else view
    if not scope.nested and view.nested is None:
        return None
    below = replace(
        scope,
        state=state_of(nested),
        nested=path,
        documents=scope.documents or scope.state,
        named=[],
        inner=[],
        visible=None,
    )
    if scope.visible is not None:
        below.visible = objects_of(scope.visible, path, scope, below)
    return below


def is_nested(mapping: Mapping, path: str) -> bool:
    options = mapping.object_options.get(path)
    return options is not None and options.nested


def objects_at(path: str, scope: Scope) -> tantivy.Query:
    """All nested objects of a path, in a scope of nested objects; none where there is no index of them yet."""
    if not scope.has_column(NESTED_PATH):
        return tantivy.Query.empty_query()
    return tantivy.Query.term_query(scope.schema, NESTED_PATH, path, "basic")


def compile_nested(query: Nested, scope: Scope, compile_query: CompileQuery) -> Compiled:
    """Raises QueryShardError where there is no such nested object."""
    if not is_nested(scope.state.view.mapping, query.path):
        if query.ignore_unmapped:
            return NOTHING
        raise scope.failed(
            IllegalState(f"[nested] failed to find nested object under path [{query.path}]")
        )
    below = nested_scope(scope, query.path)
    if below is None:
        return NOTHING
    inner = compile_query(query.query, below)
    inner = replace(inner, query=both(inner.query, objects_at(query.path, below)), span=None)
    if query.inner_hits is not None:
        _check_window(query, below)
        _note_inner(InnerQuery(query, inner, below, scope.nested), scope)
    docs = docs_of(inner.query, below)
    if not len(docs):
        return NOTHING
    owners = owners_of(docs, query.path, scope.nested, below)
    if query.score_mode == "none":
        return exactly(np.unique(owners), np.zeros(len(np.unique(owners)), np.float32), scope)
    if inner.constant is not None and query.score_mode != "sum":
        chosen = np.unique(owners)
        return exactly(chosen, np.full(len(chosen), inner.constant, np.float32), scope)
    return exactly(*joined(owners, scores_of(inner, docs, below), query.score_mode), scope)


def _check_window(query: Nested, scope: Scope) -> None:
    assert query.inner_hits is not None
    body, most = query.inner_hits.body, scope.state.view.max_inner_result_window
    if body.from_ + body.size > most:
        raise IllegalArgument(
            "Inner result window is too large, the inner hit definition's "
            f"[{query.inner_hits.name or 'null'}]'s from + size must be less than or equal to: [{most}] "
            f"but was [{body.from_ + body.size}]. This limit can be set by changing the "
            "[index.max_inner_result_window] index level setting."
        )


def _note_inner(inner: InnerQuery, scope: Scope) -> None:
    assert inner.query.inner_hits is not None
    name = inner.query.inner_hits.name or inner.query.path
    if any(
        name == (each.query.inner_hits.name or each.query.path)
        for each in scope.inner
        if each.query.inner_hits
    ):
        raise IllegalArgument(f"[inner_hits] already contains an entry for key [{name}]")
    scope.inner.append(inner)


def joined(owners: Keys, scores: Floats, mode: str) -> tuple[Keys, Floats]:
    """One score for each owner, of those of its objects. Both are in the order of the objects."""
    order = np.argsort(owners, kind="stable")
    keys, starts = np.unique(owners[order], return_index=True)
    found = scores[order].astype(np.float64)
    if mode in ("min", "max"):
        reduced = (np.minimum if mode == "min" else np.maximum).reduceat(found, starts)
    else:
        reduced = np.add.reduceat(found, starts)
        if mode == "avg":
            reduced = reduced / np.diff(np.append(starts, len(found)))
    return keys, reduced.astype(np.float32)


def owners_of(docs: Docs, path: str, level: str, scope: Scope) -> Keys:
    """The key of what holds each nested object: at `level`, a path above its own, or "" for the document."""
    if not level:
        roots: Keys = docs.keys >> NUMBER_BITS
        return roots
    mapping, searcher = scope.state.view.mapping, scope.state.view.searcher
    at = mapping.nested_at(path.rpartition(".")[0])
    keys = np.array(searcher.fast_field_values(PARENT, docs.addresses), np.int64)
    while at and at != level:
        known = np.unique(keys)
        chosen = every_doc_of(_with_keys(known, scope), scope)
        above = np.array(searcher.fast_field_values(PARENT, chosen.addresses), np.int64)
        keys = above[np.searchsorted(chosen.keys, keys)]
        at = mapping.nested_at(at.rpartition(".")[0])
    return keys


def _with_keys(keys: Keys, scope: Scope) -> tantivy.Query:
    return tantivy.Query.term_set_query(scope.schema, SEQ_NO, keys.tolist())


def objects_of(query: tantivy.Query, path: str, scope: Scope, below: Scope) -> tantivy.Query:
    """The nested objects at `path` of what `query` matches in `scope`, as a query of `below`."""
    all_here = objects_at(path, below)
    if query is EVERYTHING.query and not scope.nested:
        return all_here
    docs = docs_of(query, scope)
    if not len(docs):
        return tantivy.Query.empty_query()
    if not scope.nested:
        held = tantivy.Query.term_set_query(below.schema, ROOT, docs.keys.tolist())
        return both(all_here, held)
    # Objects of objects: those whose owner at this level is among them.
    candidates = docs_of(
        both(
            all_here,
            tantivy.Query.term_set_query(
                below.schema, ROOT, np.unique(docs.keys >> NUMBER_BITS).tolist()
            ),
        ),
        below,
    )
    if not len(candidates):
        return tantivy.Query.empty_query()
    owners = owners_of(candidates, path, scope.nested, below)
    kept = candidates.where(np.isin(owners, docs.keys))
    return kept.query(below) if len(kept) else tantivy.Query.empty_query()


def holders_of(query: tantivy.Query, scope: Scope, outer: Scope) -> tantivy.Query:
    """What holds the nested objects that `query` matches in `scope`, as a query of `outer`, a level above."""
    docs = docs_of(query, scope)
    if not len(docs):
        return tantivy.Query.empty_query()
    owners = np.unique(owners_of(docs, scope.nested, outer.nested, scope))
    return constant(tantivy.Query.term_set_query(outer.schema, SEQ_NO, owners.tolist())).query
