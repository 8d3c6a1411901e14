"""Queries, sorts, pages and what comes back with a hit."""

from collections.abc import Iterator
from typing import Any

from scripts.peers.request import (
    CITIES,
    DYNAMIC,
    REMOTE,
    SHARDED,
    TRICKY,
    Request,
    everywhere,
    search,
    there,
)

_BOTH = f"{CITIES},{REMOTE}:{CITIES}"
_TRICKY_BOTH = f"{TRICKY},{there(TRICKY)}"

# (name, query) over the cities.
_CITY_QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("match_all", {"match_all": {}}),
    ("match_all-boost", {"match_all": {"boost": 2.5}}),
    ("match_none", {"match_none": {}}),
    ("match", {"match": {"name": "san"}}),
    ("match-two-words", {"match": {"name": "san pedro"}}),
    ("match-and", {"match": {"name": {"query": "santa cruz", "operator": "and"}}}),
    ("match-msm", {"match": {"name": {"query": "la paz san", "minimum_should_match": 2}}}),
    ("match-boost", {"match": {"name": {"query": "porto", "boost": 3}}}),
    ("match-number", {"match": {"population": 100000}}),
    ("match-keyword", {"match": {"countrycode": "PT"}}),
    ("match-unmapped", {"match": {"no_such_field": "x"}}),
    ("multi_match", {"multi_match": {"query": "santiago", "fields": ["name", "country"]}}),
    ("multi_match-boosted", {"multi_match": {"query": "Chile", "fields": ["name^2", "country"]}}),
    (
        "multi_match-most",
        {
            "multi_match": {
                "query": "york",
                "fields": ["name", "name.keyword"],
                "type": "most_fields",
            }
        },
    ),
    ("match_phrase", {"match_phrase": {"name": "new york"}}),
    ("match_phrase-slop", {"match_phrase": {"name": {"query": "city new", "slop": 3}}}),
    ("term", {"term": {"countrycode": "US"}}),
    ("term-long-form", {"term": {"countrycode": {"value": "DE", "boost": 2}}}),
    ("term-case", {"term": {"countrycode": {"value": "de", "case_insensitive": True}}}),
    ("term-number", {"term": {"population": 1000000}}),
    ("terms", {"terms": {"countrycode": ["FR", "BR", "XX"]}}),
    ("terms-empty", {"terms": {"countrycode": []}}),
    ("range", {"range": {"population": {"gte": 500000, "lt": 1000000}}}),
    ("range-double", {"range": {"lat": {"gt": 60.0}}}),
    ("range-date", {"range": {"observed": {"gte": "2020-01-01", "lte": "2020-06-30"}}}),
    (
        "range-date-math",
        {"range": {"observed": {"gte": "2020-01-01||+1M/M", "lt": "2020-12-31||/M"}}},
    ),
    ("range-date-zone", {"range": {"observed": {"gte": "2020-01-01", "time_zone": "+05:00"}}}),
    ("range-keyword", {"range": {"countrycode": {"gte": "A", "lt": "C"}}}),
    ("exists", {"exists": {"field": "population"}}),
    ("exists-unmapped", {"exists": {"field": "no_such_field"}}),
    ("ids", {"ids": {"values": ["2643743", "5128581", "3448439", "no"]}}),
    ("prefix", {"prefix": {"name.keyword": "San "}}),
    ("prefix-text", {"prefix": {"name": {"value": "port"}}}),
    (
        "constant_score",
        {"constant_score": {"filter": {"term": {"countrycode": "ES"}}, "boost": 1.5}},
    ),
    (
        "bool",
        {
            "bool": {
                "must": [{"match": {"name": "san"}}],
                "filter": [{"range": {"population": {"gte": 100000}}}],
                "must_not": [{"term": {"countrycode": "US"}}],
                "should": [{"term": {"countrycode": "ES"}}, {"match": {"name": "sebastian"}}],
            }
        },
    ),
    (
        "bool-should",
        {
            "bool": {
                "should": [{"match": {"name": "york"}}, {"match": {"name": "new"}}],
                "minimum_should_match": 2,
            }
        },
    ),
    ("bool-filter-only", {"bool": {"filter": {"term": {"countrycode": "NO"}}}}),
    ("bool-must-not-only", {"bool": {"must_not": {"range": {"population": {"lt": 2000000}}}}}),
    ("bool-empty", {"bool": {}}),
    (
        "bool-nested",
        {
            "bool": {
                "should": [
                    {
                        "bool": {
                            "must": [{"match": {"name": "rio"}}, {"term": {"countrycode": "BR"}}]
                        }
                    },
                    {"bool": {"filter": [{"term": {"name.keyword": "Paris"}}]}},
                ]
            }
        },
    ),
]

# (name, query) over the awkward documents.
_TRICKY_QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("array-value", {"term": {"tag": "quick"}}),
    ("empty-keyword", {"term": {"tag": ""}}),
    ("unicode-term", {"term": {"tag": "東京"}}),
    ("unicode-match", {"match": {"title": "ŁÓDŹ 東"}}),
    ("emoji", {"match": {"title": "🚀"}}),
    ("boolean", {"term": {"flag": True}}),
    ("boolean-text", {"term": {"flag": "false"}}),
    ("number-as-text", {"term": {"count": "42"}}),
    ("number-fraction", {"term": {"count": 1.5}}),
    ("big-long", {"term": {"big": 9007199254740993}}),
    ("float", {"term": {"ratio": 0.1}}),
    ("range-negative", {"range": {"count": {"lte": 0}}}),
    ("range-array", {"range": {"count": {"gt": 2}}}),
    ("date-millis", {"range": {"when": {"gte": 1582934400000}}}),
    ("date-format", {"range": {"when": {"gte": "01/03/2020", "format": "dd/MM/yyyy"}}}),
    ("date-second", {"term": {"day": "2020-03-02"}}),
    ("ip", {"term": {"address": "10.0.0.7"}}),
    ("ip-block", {"term": {"address": "192.168.0.0/16"}}),
    ("ip-range", {"range": {"address": {"gte": "10.0.0.0", "lt": "11.0.0.0"}}}),
    ("ip-v6", {"term": {"address": "2001:db8::1"}}),
    ("exists-title", {"exists": {"field": "title"}}),
    ("exists-object", {"exists": {"field": "place"}}),
    ("exists-tag", {"exists": {"field": "tag"}}),
    ("object-field", {"term": {"place.town": "Ghent"}}),
    ("ignored-above", {"term": {"title.raw": "a" * 30}}),
    ("phrase-punctuation", {"match_phrase": {"title": "quick quick"}}),
    ("phrase-across-values", {"match_phrase": {"title": "value second"}}),
    ("prefix-unicode", {"prefix": {"tag": "Ł"}}),
]

_SORTS: list[tuple[str, list[Any]]] = [
    ("number", [{"population": "desc"}]),
    ("number-asc", [{"population": {"order": "asc"}}]),
    ("keyword", ["name.keyword"]),
    ("double", [{"lat": "desc"}]),
    ("date", [{"observed": "asc"}]),
    ("two-keys", [{"countrycode": "asc"}, {"population": "desc"}]),
    ("three-keys", [{"continent": "desc"}, {"countrycode": "desc"}, {"name.keyword": "asc"}]),
    ("score", ["_score", {"population": "asc"}]),
    ("score-asc", [{"_score": "asc"}, {"name.keyword": "asc"}]),
]

_TRICKY_SORTS: list[tuple[str, list[Any]]] = [
    ("missing-default", [{"count": "asc"}, {"tag": "asc"}]),
    ("missing-first", [{"count": {"order": "desc", "missing": "_first"}}, {"tag": "asc"}]),
    ("missing-value", [{"count": {"order": "asc", "missing": 2}}, {"tag": "desc"}]),
    ("mode-max", [{"count": {"order": "asc", "mode": "max"}}, {"tag": "asc"}]),
    ("mode-avg", [{"price": {"order": "desc", "mode": "avg"}}, {"tag": "asc"}, {"count": "asc"}]),
    ("boolean", [{"flag": "desc"}, {"count": "asc"}, {"tag": "asc"}]),
    ("ip", [{"address": "asc"}, {"count": "asc"}, {"tag": "asc"}]),
    ("unmapped", [{"no_such": {"unmapped_type": "long"}}, {"count": "asc"}, {"tag": "asc"}]),
    (
        "date-format",
        [{"when": {"order": "asc", "format": "yyyy-MM-dd"}}, {"count": "asc"}, {"tag": "asc"}],
    ),
]

_FIRST_CITIES: dict[str, Any] = {"sort": [{"population": "desc"}], "size": 3}

_FETCHES: list[tuple[str, dict[str, Any]]] = [
    ("source-off", {"_source": False}),
    ("source-one", {"_source": "name"}),
    ("source-many", {"_source": ["name", "pop*"]}),
    ("source-exclude", {"_source": {"includes": ["*"], "excludes": ["lat", "lon", "c*"]}}),
    ("track-true", {"track_total_hits": True}),
    ("track-false", {"track_total_hits": False}),
    ("track-number", {"track_total_hits": 500}),
    ("size-zero", {"size": 0}),
    ("version", {"version": True, "seq_no_primary_term": True}),
    ("fields", {"fields": ["name", "observed"], "_source": False}),
    ("docvalue-fields", {"docvalue_fields": ["population", "observed"], "_source": False}),
    ("track-scores", {"track_scores": True, "query": {"match": {"name": "san"}}}),
    (
        "min-score",
        {"min_score": 4.0, "query": {"match": {"name": "san"}}, "sort": ["_score", "population"]},
    ),
    ("post-filter", {"post_filter": {"term": {"countrycode": "BR"}}}),
    ("from", {"from": 5}),
    ("deep", {"from": 900, "size": 20}),
    ("terminate-after", {"terminate_after": 100000}),
    ("timeout", {"timeout": "10s"}),
]


def requests() -> Iterator[Request]:
    for name, query in _CITY_QUERIES:
        # By score and then by a unique key: ties of scores are no matter of the query.
        body = {
            "query": query,
            "sort": ["_score", {"name.keyword": "asc"}, {"lat": "asc"}],
            "size": 5,
        }
        yield search(f"query/{name}/local", CITIES, body)
        yield search(f"query/{name}/both", _BOTH, body)
    for name, query in _TRICKY_QUERIES:
        yield search(f"query/tricky-{name}", TRICKY, {"query": query, "size": 20})
        yield search(f"query/tricky-{name}/both", _TRICKY_BOTH, {"query": query, "size": 4})
    for name in ("match", "bool", "match_phrase"):
        query = dict(_CITY_QUERIES)[name]
        yield from everywhere(f"query/{name}-by-score", CITIES, {"query": query, "size": 7})
    for name, sort in _SORTS:
        body = {"query": {"match": {"name": "san la new"}}, "sort": sort, "size": 8}
        yield search(f"sort/{name}/local", CITIES, body)
        yield search(f"sort/{name}/both", _BOTH, body)
    for name, sort in _TRICKY_SORTS:
        body = {"sort": sort, "size": 20}
        yield search(f"sort/tricky-{name}/local", TRICKY, body)
        yield search(f"sort/tricky-{name}/both", _TRICKY_BOTH, {**body, "size": 40})
    for name, extra in _FETCHES:
        yield from everywhere(f"fetch/{name}", CITIES, {**_FIRST_CITIES, **extra})
    yield from everywhere("fetch/sharded", SHARDED, {**_FIRST_CITIES, "from": 2})
    yield from _pages()
    yield from _url_parameters()
    for index in (TRICKY, DYNAMIC):
        yield from everywhere(f"fetch/whole-{index}", index, {"size": 50})


def _pages() -> Iterator[Request]:
    by_country = [{"countrycode": "asc"}, {"population": "desc"}, {"name.keyword": "asc"}]
    for name, after in (
        ("middle", ["DE", 500000, "M"]),
        ("before-all", ["", 0, ""]),
        ("after-all", ["ZZ", 0, "zz"]),
        ("null", ["DE", None, "M"]),
    ):
        body = {"sort": by_country, "search_after": after, "size": 4}
        yield search(f"page/search_after-{name}/local", CITIES, body)
        yield search(f"page/search_after-{name}/both", _BOTH, body)
    by_date = {
        "sort": [{"observed": "desc"}],
        "search_after": ["2020-01-01T00:00:00.000Z"],
        "size": 3,
    }
    yield search("page/search_after-date/both", _BOTH, by_date)


def _url_parameters() -> Iterator[Request]:
    for name, parameters in (
        ("q", "q=name:york&size=3&sort=population:desc"),
        ("sort", "sort=population:desc,name.keyword&size=2"),
        ("source", "_source=name&size=2&sort=population"),
        ("source-includes", "_source_includes=n*,lat&size=2&sort=population"),
        ("total-as-int", "rest_total_hits_as_int=true&size=1&sort=population"),
        ("filter-path", "filter_path=hits.hits._id,hits.total&size=3&sort=population"),
        ("filter-path-out", "filter_path=-hits,-took&size=1"),
        ("track", "track_total_hits=100&size=1&sort=population"),
        ("batched", "batched_reduce_size=2&size=1&sort=population"),
        ("preference", "preference=_local&size=1&sort=population"),
        ("typed-keys", "typed_keys=true&size=1&sort=population"),
    ):
        for where, target in (("local", CITIES), ("both", _BOTH)):
            yield Request(f"url/{name}/{where}", "GET", f"/{target}/_search?{parameters}")
    counted = {"query": {"match": {"name": "san"}}}
    for where, target in (("local", CITIES), ("both", _BOTH)):
        yield Request(f"count/plain/{where}", "GET", f"/{target}/_count")
        yield Request(f"count/query/{where}", "POST", f"/{target}/_count", counted)
        lines = (
            f'{{"index":"{target}"}}\n{{"size":1,"sort":"population"}}\n{{"index":"no"}}\n{{}}\n'
        )
        yield Request(f"msearch/{where}", "POST", "/_msearch", lines, ndjson=True)
        yield Request(f"field_caps/{where}", "GET", f"/{target}/_field_caps?fields=name*,pop*,no")
