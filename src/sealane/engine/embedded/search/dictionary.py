"""The terms of a text or keyword field in one view, in their order: by code point, as the reference's by bytes."""

from sealane.engine.embedded.search.scope import Scope

# Larger dictionaries are read anew each time instead of being kept.
MAX_KEPT_TERMS = 200_000


def terms_of_field(path: str, prefix: str, scope: Scope) -> list[str]:
    """All terms that begin with `prefix`, sorted. Deleted documents may have left some that no document has."""
    if not scope.has_column(path):
        return []
    state = scope.state
    key = ("terms of", path, prefix)
    known: list[str] | None = state.plans.get(key)
    if known is None:
        found = state.view.searcher.terms_with_prefix(path, prefix)
        known = sorted(term for term, _ in found)
        if len(known) <= MAX_KEPT_TERMS:
            state.plans.put(key, known)
    return known


def doc_freq(path: str, term: str, scope: Scope) -> int:
    """In how many documents a term is; in none where the view has no such field."""
    if not scope.has_column(path):
        return 0
    return int(scope.state.view.searcher.doc_freq(path, term))
