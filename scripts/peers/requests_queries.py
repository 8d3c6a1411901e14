"""Queries on terms and text that have many ways to be written, on one cluster and on both."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import TRICKY, Request, search, there

_BOTH = f"{TRICKY},{there(TRICKY)}"

_QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("wildcard", {"wildcard": {"tag": "*i*"}}),
    ("wildcard-case", {"wildcard": {"tag": {"value": "QU*", "case_insensitive": True}}}),
    ("wildcard-number", {"wildcard": {"count": "1*"}}),
    ("regexp", {"regexp": {"tag": "(an|qu).*"}}),
    ("regexp-complement", {"regexp": {"tag": "~(qu.*)"}}),
    ("regexp-broken", {"regexp": {"tag": "(an"}}),
    ("fuzzy", {"fuzzy": {"title": "quik"}}),
    ("fuzzy-too-far", {"fuzzy": {"title": {"value": "quik", "fuzziness": 3}}}),
    ("match-fuzzy", {"match": {"title": {"query": "brwon fxo", "fuzziness": "AUTO"}}}),
    ("match-analyzer", {"match": {"title": {"query": "the fox", "analyzer": "stop"}}}),
    ("match-no-analyzer", {"match": {"title": {"query": "fox", "analyzer": "english"}}}),
    ("phrase-prefix", {"match_phrase_prefix": {"title": "quick br"}}),
    ("phrase-prefix-keyword", {"match_phrase_prefix": {"tag": "qu"}}),
    ("bool-prefix", {"match_bool_prefix": {"title": "brown qu"}}),
    (
        "cross-fields",
        {"multi_match": {"query": "quick fox", "fields": ["title", "tag"], "type": "cross_fields"}},
    ),
    ("query-string", {"query_string": {"query": "title:(quick OR lazy) AND -tag:animal"}}),
    ("query-string-all", {"query_string": {"query": "quick"}}),
    ("query-string-range", {"query_string": {"query": "count:[1 TO 5} OR count:>100"}}),
    ("query-string-broken", {"query_string": {"query": "title:(quick OR"}}),
    ("query-string-regexp", {"query_string": {"query": 'title:/qu.*/ AND title:"quick fox"~2'}}),
    (
        "simple",
        {"simple_query_string": {"query": "quick + (fox | dog) -lazy*", "fields": ["title"]}},
    ),
    ("simple-nothing", {"simple_query_string": {"query": "+ | -", "fields": ["title"]}}),
    (
        "boosting",
        {
            "boosting": {
                "positive": {"match": {"title": "quick fox"}},
                "negative": {"term": {"tag": "animal"}},
                "negative_boost": 0.5,
            }
        },
    ),
    (
        "like-text",
        {
            "more_like_this": {
                "fields": ["title"],
                "like": "quick brown fox",
                "min_term_freq": 1,
                "min_doc_freq": 1,
            }
        },
    ),
    (
        "terms-set",
        {"terms_set": {"title": {"terms": ["quick", "fox"], "minimum_should_match": 2}}},
    ),
    ("wrapper", {"wrapper": {"query": "eyJtYXRjaF9hbGwiOnt9fQ=="}}),
    ("terms-lookup-missing", {"terms": {"tag": {"index": TRICKY, "id": "none", "path": "tag"}}}),
    ("terms-lookup-far", {"terms": {"tag": {"index": there(TRICKY), "id": "1", "path": "tag"}}}),
    ("index-pattern", {"wildcard": {"_index": "*:*"}}),
]


def requests() -> Iterator[Request]:
    for name, query in _QUERIES:
        body = {"query": query, "size": 20}
        yield search(f"query-{name}", TRICKY, body)
        yield search(f"query-{name}-both", _BOTH, body)
    for name, text in (("words", "quick+fox"), ("broken", "("), ("nothing", "")):
        for place, target in (("here", TRICKY), ("both", _BOTH)):
            path = f"/{target}/_search?q={text}&df=title&size=5"
            yield Request(f"query-url-{name}-{place}", "GET", path)
    yield Request("query-url-lost", "GET", f"/{TRICKY}/_search?df=title")
    yield Request("validate", "GET", f"/{TRICKY}/_validate/query?q=title:quick")
    yield Request("validate-far", "GET", f"/{there(TRICKY)}/_validate/query")
    yield Request("analyze", "POST", "/_analyze", {"analyzer": "stop", "text": "the Quick fox"})
