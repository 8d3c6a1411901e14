"""Queries of the reference that are refused here, each with what does the same or nearly so."""

_NEAR_WORDS = 'use [match_phrase] with a [slop], or [query_string] with "..."~n'
_NO_SCRIPTS = "scripts do not run here: use [function_score] with functions that are no scripts, or [range] and [bool]"
_NO_JOIN = "documents are not joined here: keep the children as [nested] objects of their parent"
_NO_MODEL = "models do not run here: embed the text yourself and use [knn]"
_NO_SHAPES = (
    "shapes are not indexed here: use [geo_bounding_box], [geo_distance] or [geo_polygon] on points"
)
_BY_FIELD = "use [function_score] with a decay function or [field_value_factor] on the field"

INSTEAD = {
    "combined_fields": "use [multi_match] of the type [cross_fields]",
    "field_masking_span": _NEAR_WORDS,
    "geo_shape": _NO_SHAPES,
    "has_child": _NO_JOIN,
    "has_parent": _NO_JOIN,
    "intervals": _NEAR_WORDS,
    "parent_id": _NO_JOIN,
    "percolate": "queries are not stored here: search with them when documents come",
    "pinned": "use [bool] with a boosted [ids] among its [should] clauses",
    "rank_feature": _BY_FIELD,
    "rule": "rules are not kept here: use [bool] with a boosted [ids] among its [should] clauses",
    "script": _NO_SCRIPTS,
    "script_score": _NO_SCRIPTS,
    "semantic": _NO_MODEL,
    "shape": _NO_SHAPES,
    "span_containing": _NEAR_WORDS,
    "span_first": _NEAR_WORDS,
    "span_gap": _NEAR_WORDS,
    "span_multi": "use [match_phrase_prefix], or [query_string] with wildcards",
    "span_near": _NEAR_WORDS,
    "span_not": _NEAR_WORDS,
    "span_or": _NEAR_WORDS,
    "span_term": "use [term] or [match]",
    "span_within": _NEAR_WORDS,
    "sparse_vector": _NO_MODEL,
    "text_expansion": _NO_MODEL,
    "weighted_tokens": _NO_MODEL,
}
"""By the name of the query: the end of a sentence that says why, or what to use."""


def refusal(name: str) -> str:
    """Why the query of this name is refused."""
    advice = INSTEAD.get(name)
    refused = f"[{name}] query is not supported by this version"
    return refused if advice is None else f"{refused}: {advice}"
