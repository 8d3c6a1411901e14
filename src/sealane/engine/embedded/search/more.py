"""The queries beside those that nearly every search has: what compiles each of them."""

from collections.abc import Callable

from sealane.engine.embedded.search import compound, match, multi_terms
from sealane.engine.embedded.search.more_like_this import compile_more_like_this
from sealane.engine.embedded.search.query_string import compile_query_string
from sealane.engine.embedded.search.scope import Compiled, Scope
from sealane.engine.embedded.search.simple_query_string import compile_simple_query_string
from sealane.model import dsl

Compile = Callable[[dsl.Query, Scope], Compiled]
"""`compile.compile_query`, for the queries inside others."""


def compile_other(query: dsl.Query, scope: Scope, inner: Compile) -> Compiled:
    """Raises QueryShardError; without the query's own boost."""
    simple = _SIMPLE.get(type(query))
    if simple is not None:
        return simple(query, scope)
    if isinstance(query, dsl.Boosting):
        positive, negative = inner(query.positive, scope), inner(query.negative, scope)
        return compound.boosting(positive, negative, query.negative_boost, scope)
    if isinstance(query, dsl.Knn):
        # They need numpy, which is imported when the first of them comes.
        from sealane.engine.embedded.search.knn import compile_knn

        return compile_knn(query, scope, inner)
    if isinstance(query, dsl.ScoredDocs):
        from sealane.engine.embedded.search.knn import compile_scored_docs

        return compile_scored_docs(query, scope)
    raise scope.shard_error(f"no such query [{type(query).__name__}]")


_SIMPLE: dict[type[dsl.Query], Callable[..., Compiled]] = {
    dsl.Prefix: multi_terms.compile_prefix,
    dsl.Wildcard: multi_terms.compile_wildcard,
    dsl.Regexp: multi_terms.compile_regexp,
    dsl.Fuzzy: multi_terms.compile_fuzzy,
    dsl.MatchPhrasePrefix: match.compile_phrase_prefix,
    dsl.MatchBoolPrefix: match.compile_bool_prefix,
    dsl.QueryString: compile_query_string,
    dsl.SimpleQueryString: compile_simple_query_string,
    dsl.MoreLikeThis: compile_more_like_this,
    dsl.TermsSet: compound.compile_terms_set,
}
