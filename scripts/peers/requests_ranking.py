"""Groups, second scores, explanations, retrievers and suggestions."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import CITIES, TRICKY, Request, everywhere, search, there

_SAN = {"match": {"name": "san"}}
_TWO = {"match": {"name": "pedro"}}
_LARGE = {"range": {"population": {"gte": 500_000}}}
_BY_SIZE = [{"population": "desc"}, {"name.keyword": "asc"}]

_ANSWERED: list[tuple[str, dict[str, Any]]] = [
    ("collapse", {"collapse": {"field": "countrycode"}, "sort": _BY_SIZE}),
    (
        "collapse-page",
        {"collapse": {"field": "countrycode"}, "sort": _BY_SIZE, "from": 5, "size": 3},
    ),
    ("collapse-query", {"query": _LARGE, "collapse": {"field": "countrycode"}, "sort": _BY_SIZE}),
    ("collapse-number", {"query": _LARGE, "collapse": {"field": "population"}, "sort": _BY_SIZE}),
    ("collapse-nothing", {"query": {"match_none": {}}, "collapse": {"field": "countrycode"}}),
    (
        "collapse-after",
        {"collapse": {"field": "countrycode"}, "sort": ["countrycode"], "search_after": ["DE"]},
    ),
    (
        "collapse-inner-hits",
        {
            "query": _LARGE,
            "size": 4,
            "_source": False,
            "sort": _BY_SIZE,
            "collapse": {
                "field": "countrycode",
                "inner_hits": {"name": "others", "size": 2, "sort": _BY_SIZE, "_source": ["name"]},
            },
        },
    ),
    ("rescore", {"query": _SAN, "rescore": {"query": {"rescore_query": _TWO}}}),
    (
        "rescore-weights",
        {
            "query": _SAN,
            "rescore": {
                "window_size": 50,
                "query": {"rescore_query": _TWO, "query_weight": 0.5, "rescore_query_weight": 3},
            },
        },
    ),
    (
        "rescore-max",
        {
            "query": _SAN,
            "rescore": {
                "window_size": 50,
                "query": {"rescore_query": _TWO, "score_mode": "max"},
            },
        },
    ),
    ("explain-constant", {"query": {"term": {"population": 1000000}}, "explain": True, "size": 1}),
    (
        "retriever-standard",
        {"retriever": {"standard": {"query": _SAN, "filter": {"term": {"countrycode": "PH"}}}}},
    ),
    (
        "retriever-rescorer",
        {
            "size": 5,
            "retriever": {
                "rescorer": {
                    "retriever": {"standard": {"query": _SAN}},
                    "rescore": {"window_size": 30, "query": {"rescore_query": _TWO}},
                }
            },
        },
    ),
    ("knn-none", {"knn": {"field": "no_such_field", "query_vector": [1, 2], "k": 1}}),
    ("suggest-term", {"suggest": {"s": {"text": "santigo porta", "term": {"field": "name"}}}}),
    (
        "suggest-term-options",
        {
            "suggest": {
                "s": {
                    "text": "sn pedo",
                    "term": {
                        "field": "name",
                        "suggest_mode": "always",
                        "sort": "frequency",
                        "min_word_length": 2,
                        "size": 3,
                    },
                }
            }
        },
    ),
    (
        "suggest-phrase",
        {"suggest": {"s": {"text": "san perdo", "phrase": {"field": "name", "confidence": 0}}}},
    ),
]

_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("collapse-text", {"collapse": {"field": "name"}}),
    ("collapse-unmapped", {"collapse": {"field": "no_such_field"}}),
    ("collapse-date", {"collapse": {"field": "observed"}}),
    ("collapse-unknown", {"collapse": {"field": "countrycode", "bla": 1}}),
    ("collapse-inner-hits-unnamed", {"collapse": {"field": "countrycode", "inner_hits": {}}}),
    ("rescore-sort", {"sort": ["population"], "rescore": {"query": {"rescore_query": _TWO}}}),
    ("rescore-empty", {"rescore": {}}),
    ("rescore-no-query", {"rescore": {"query": {}}}),
    (
        "rescore-window",
        {"rescore": {"window_size": 10_001, "query": {"rescore_query": _TWO}}},
    ),
    ("retriever-unknown", {"retriever": {"bla": {}}}),
    ("retriever-and-query", {"retriever": {"standard": {}}, "query": _SAN}),
    ("knn-text", {"knn": {"field": "name", "query_vector": [1, 2], "k": 1}}),
    ("knn-k", {"knn": {"field": "name", "query_vector": [1, 2], "k": 0}}),
    ("suggest-no-field", {"suggest": {"s": {"text": "x", "term": {}}}}),
    ("suggest-no-text", {"suggest": {"s": {"term": {"field": "name"}}}}),
    ("suggest-unmapped", {"suggest": {"s": {"text": "x", "term": {"field": "no_such_field"}}}}),
    ("suggest-no-completion", {"suggest": {"s": {"prefix": "x", "completion": {"field": "name"}}}}),
]


def requests() -> Iterator[Request]:
    for name, body in _ANSWERED:
        yield from everywhere(f"ranking/{name}", CITIES, body)
    for name, body in _REFUSED:
        # Shards that fail are in the order of their uuids in the other mode: not the same twice.
        yield search(f"ranking/{name}/local", CITIES, body)
        yield search(f"ranking/{name}/remote", there(CITIES), body)
    both = f"{TRICKY},{there(TRICKY)}"
    for field in ("tag", "count", "price", "ratio", "flag", "address"):
        body = {"collapse": {"field": field}, "query": {"term": {"_id": "0"}}, "_source": False}
        yield search(f"ranking/collapse-{field}", both, body)
    parameters = "?suggest_field=name&suggest_text=santigo&suggest_mode=always"
    yield Request("ranking/suggest-parameters", "GET", f"/{CITIES}/_search{parameters}&size=0")
