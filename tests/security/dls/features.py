"""Every feature of a search, as a body, by name. Each is asked of whom something is hidden from."""

from typing import Any

Json = dict[str, Any]

ALL = {"size": 30, "sort": ["n"]}


def found(query: Json) -> Json:
    return {"query": query, "size": 30, "sort": ["n"]}


def agg(**aggs: Any) -> Json:
    return {"size": 0, "aggs": aggs}


def _on(field: str, **more: Any) -> Json:
    return {"field": field, **more}


QUERIES: dict[str, Json] = {
    "everything": {"match_all": {}},
    "term": {"term": {"tags": "red-0"}},
    "term on a hidden field": {"term": {"secret": "raven0l"}},
    "term on an alias of it": {"term": {"open_alias": "raven0l"}},
    "terms": {"terms": {"tags": ["red-all", "canary-all", "green-all"]}},
    "terms on a hidden field": {"terms": {"secret": ["raven0l", "raven1l"]}},
    "range": {"range": {"n": {"gte": 1}}},
    "range on a hidden field": {"range": {"secret_n": {"gte": 0}}},
    "dates": {"range": {"at": {"gte": "2024-02-01"}}},
    "hidden dates": {"range": {"secret_at": {"lt": "2021-01-01"}}},
    "exists": {"exists": {"field": "code"}},
    "exists on a hidden field": {"exists": {"field": "secret"}},
    "exists on a hidden text": {"exists": {"field": "secret_text"}},
    "exists on an object": {"exists": {"field": "obj"}},
    "exists on a hidden member": {"exists": {"field": "obj.secret"}},
    "exists on a pattern": {"exists": {"field": "secret*"}},
    "match": {"match": {"title": "red fox"}},
    "match on a hidden text": {"match": {"secret_text": "raven text"}},
    "match_phrase": {"match_phrase": {"title": "quick red"}},
    "match_phrase on a hidden text": {"match_phrase": {"secret_text": "raven text"}},
    "match_phrase_prefix": {"match_phrase_prefix": {"secret_text": "raven te"}},
    "match_bool_prefix": {"match_bool_prefix": {"secret_text": "raven te"}},
    "multi_match": {"multi_match": {"query": "canary raven", "fields": ["*"]}},
    "multi_match everywhere": {"multi_match": {"query": "red0"}},
    "cross_fields": {
        "multi_match": {
            "query": "red canary raven",
            "fields": ["title", "secret_text"],
            "type": "cross_fields",
        }
    },
    "query_string": {"query_string": {"query": "canary OR raven OR red0"}},
    "query_string on a hidden field": {"query_string": {"query": "secret:raven* OR secret_n:>0"}},
    "query_string exists": {"query_string": {"query": "_exists_:secret"}},
    "query_string pattern": {"query_string": {"query": "secr\\*:raven*"}},
    "simple_query_string": {"simple_query_string": {"query": "canary | raven | red0"}},
    "combined_fields": {
        "combined_fields": {"query": "canary raven", "fields": ["title", "secret_text"]}
    },
    "prefix": {"prefix": {"tags": "can"}},
    "prefix on a hidden field": {"prefix": {"secret": "rav"}},
    "wildcard": {"wildcard": {"secret": "*ave*"}},
    "regexp": {"regexp": {"secret": "rav.*"}},
    "fuzzy": {"fuzzy": {"secret": "raven0k"}},
    "ids": {"ids": {"values": ["l0", "l2", "e0", "e2"]}},
    "bool": {
        "bool": {"must_not": {"exists": {"field": "secret"}}, "filter": {"term": {"flag": False}}}
    },
    "not hidden": {"bool": {"must_not": {"term": {"kind": "open"}}}},
    "should": {"bool": {"should": [{"term": {"secret": "raven0l"}}, {"term": {"n": 1}}]}},
    "constant_score": {"constant_score": {"filter": {"term": {"obj.secret": "raven1l"}}}},
    "dis_max": {"dis_max": {"queries": [{"term": {"secret": "raven0l"}}, {"term": {"n": 0}}]}},
    "boosting": {
        "boosting": {
            "positive": {"match": {"title": "fox"}},
            "negative": {"term": {"secret": "raven0l"}},
            "negative_boost": 0.1,
        }
    },
    "function_score": {
        "function_score": {
            "query": {"match_all": {}},
            "field_value_factor": {"field": "secret_n", "missing": 3},
        }
    },
    "weights": {
        "function_score": {
            "functions": [{"filter": {"term": {"secret": "raven0l"}}, "weight": 5}],
            "boost_mode": "replace",
        }
    },
    "decay": {
        "function_score": {
            "gauss": {"secret_n": {"origin": 666000, "scale": 5}},
            "boost_mode": "replace",
        }
    },
    "a score that is wrong for what is hidden": {
        "function_score": {
            "query": {
                "function_score": {
                    "query": {"range": {"n": {"gte": 700000}}},
                    "field_value_factor": {"field": "n", "factor": -1},
                }
            },
            "min_score": 1,
        }
    },
    "a nested score that is wrong for what is hidden": {
        "nested": {
            "path": "items",
            "query": {
                "function_score": {
                    "query": {"range": {"items.price": {"gte": 700000}}},
                    "field_value_factor": {"field": "items.price", "factor": -1},
                }
            },
        }
    },
    "distance_feature": {
        "distance_feature": {"field": "secret_at", "origin": "2020-02-10", "pivot": "1d"}
    },
    "geo_distance": {"geo_distance": {"distance": "10000km", "place": {"lat": 0, "lon": 0}}},
    "hidden geo_distance": {
        "geo_distance": {"distance": "9000km", "secret_place": {"lat": 70, "lon": 7}}
    },
    "hidden geo_bounding_box": {
        "geo_bounding_box": {
            "secret_place": {
                "top_left": {"lat": 89, "lon": 0},
                "bottom_right": {"lat": 0, "lon": 20},
            }
        }
    },
    "address": {"term": {"addr": "10.0.0.0/8"}},
    "hidden address": {"term": {"secret_addr": "88.0.0.0/8"}},
    "nested": {"nested": {"path": "items", "query": {"range": {"items.price": {"gte": 0}}}}},
    "nested on a hidden member": {
        "nested": {"path": "items", "query": {"exists": {"field": "items.secret"}}}
    },
    "more_like_this": {
        "more_like_this": {
            "fields": ["title"],
            "like": [{"_id": "l2"}, {"_id": "e2"}],
            "min_term_freq": 1,
            "min_doc_freq": 1,
        }
    },
    "more_like_this of what is hidden": {
        "more_like_this": {
            "fields": ["secret_text"],
            "like": [{"_id": "l0"}],
            "min_term_freq": 1,
            "min_doc_freq": 1,
        }
    },
    "knn query": {"knn": {"field": "vec", "query_vector": [50, 50], "k": 3, "num_candidates": 3}},
    "terms of a document": {"terms": {"tags": {"index": "docs", "id": "l2", "path": "tags"}}},
    "terms of a hidden field": {
        "terms": {"code": {"index": "docs", "id": "l1", "path": "secret_code"}}
    },
}

AGGS: dict[str, Json] = {
    "terms": {"terms": _on("tags", size=50)},
    "terms of a hidden field": {"terms": _on("secret")},
    "terms of an alias": {"terms": _on("open_alias")},
    "terms without documents": {"terms": _on("tags", min_doc_count=0, size=50)},
    "hidden terms without documents": {"terms": _on("secret", min_doc_count=0)},
    "numbers without documents": {"terms": _on("n", min_doc_count=0, size=50)},
    "terms in place of missing ones": {"terms": _on("secret", missing="none")},
    "terms by script-like order": {
        "terms": _on("tags", order={"m": "desc"}, size=50),
        "aggs": {"m": {"max": _on("secret_n")}},
    },
    "terms within terms": {
        "terms": _on("flag"),
        "aggs": {"t": {"terms": _on("tags", min_doc_count=0, size=50)}},
    },
    "include": {"terms": _on("tags", include="can.*", min_doc_count=0)},
    "multi_terms": {"multi_terms": {"terms": [_on("kind"), _on("secret", missing="none")]}},
    "rare_terms": {"rare_terms": _on("tags")},
    "significant_terms": {"significant_terms": _on("tags", min_doc_count=1)},
    "significant_text": {"significant_text": _on("title", min_doc_count=1)},
    "hidden significant_text": {"significant_text": _on("secret_text", min_doc_count=1)},
    "sources of significant_text": {
        "significant_text": _on("title", min_doc_count=1, source_fields=["secret_text"])
    },
    "metrics": {"stats": _on("n")},
    "hidden metrics": {"extended_stats": _on("secret_n")},
    "average in place": {"avg": _on("secret_n", missing=5)},
    "value_count": {"value_count": _on("secret")},
    "cardinality": {"cardinality": _on("tags")},
    "hidden cardinality": {"cardinality": _on("secret")},
    "percentiles": {"percentiles": _on("n")},
    "hidden percentiles": {"percentile_ranks": _on("secret_n", values=[1, 9])},
    "median_absolute_deviation": {"median_absolute_deviation": _on("secret_n")},
    "boxplot": {"boxplot": _on("n")},
    "string_stats": {"string_stats": _on("secret")},
    "matrix_stats": {"matrix_stats": {"fields": ["n", "secret_n"]}},
    "weighted_avg": {"weighted_avg": {"value": _on("n"), "weight": _on("secret_n", missing=1)}},
    "top_hits": {
        "top_hits": {"size": 30, "sort": ["n"], "docvalue_fields": ["secret", "n"], "fields": ["*"]}
    },
    "top_metrics": {"top_metrics": {"metrics": _on("n"), "sort": {"n": "desc"}}},
    "hidden top_metrics": {"top_metrics": {"metrics": _on("secret_n"), "sort": {"n": "desc"}}},
    "histogram": {"histogram": _on("n", interval=2)},
    "hidden histogram": {"histogram": _on("secret_n", interval=2)},
    "variable_width_histogram": {"variable_width_histogram": _on("n", buckets=2)},
    "date_histogram": {"date_histogram": _on("at", calendar_interval="month", min_doc_count=0)},
    "auto_date_histogram": {"auto_date_histogram": _on("at", buckets=4)},
    "hidden dates": {"auto_date_histogram": _on("secret_at", buckets=4)},
    "date_range": {"date_range": _on("at", ranges=[{"from": "2024-06-01"}])},
    "range": {"range": _on("n", ranges=[{"to": 5}, {"from": 5}])},
    "hidden range": {"range": _on("secret_n", ranges=[{"to": 5}, {"from": 5}])},
    "ip_range": {"ip_range": _on("addr", ranges=[{"mask": "0.0.0.0/1"}])},
    "ip_prefix": {"ip_prefix": _on("addr", prefix_length=8)},
    "missing": {"missing": _on("secret")},
    "filter": {"filter": {"exists": {"field": "secret"}}},
    "filters": {
        "filters": {
            "filters": {"a": {"term": {"flag": True}}, "b": {"exists": {"field": "secret"}}}
        }
    },
    "adjacency_matrix": {
        "adjacency_matrix": {"filters": {"a": {"match_all": {}}, "b": {"term": {"flag": True}}}}
    },
    "global": {
        "global": {},
        "aggs": {"n": {"stats": _on("n")}, "t": {"terms": _on("tags", size=50)}},
    },
    "sampler": {"sampler": {}, "aggs": {"n": {"max": _on("n")}}},
    "composite": {"composite": {"size": 50, "sources": [{"t": {"terms": _on("tags")}}]}},
    "hidden composite": {
        "composite": {"sources": [{"t": {"terms": _on("secret", missing_bucket=True)}}]}
    },
    "geo_bounds": {"geo_bounds": _on("place")},
    "hidden geo_bounds": {"geo_bounds": _on("secret_place")},
    "geo_centroid": {"geo_centroid": _on("secret_place")},
    "geotile_grid": {"geotile_grid": _on("place", precision=3)},
    "hidden grid": {"geohash_grid": _on("secret_place")},
    "nested": {
        "nested": {"path": "items"},
        "aggs": {
            "n": {"terms": _on("items.name", min_doc_count=0, size=50)},
            "s": {"terms": _on("items.secret", min_doc_count=0)},
            "back": {
                "reverse_nested": {},
                "aggs": {"t": {"terms": _on("tags", min_doc_count=0, size=50)}},
            },
            "sig": {"significant_terms": _on("items.name", min_doc_count=1)},
        },
    },
    "rate": {
        "date_histogram": _on("at", calendar_interval="month"),
        "aggs": {"r": {"rate": {"unit": "day", "field": "secret_n"}}},
    },
    "pipelines": {
        "terms": _on("tags", size=50),
        "aggs": {
            "s": {"sum": _on("secret_n")},
            "k": {"bucket_sort": {"sort": [{"s": "desc"}], "size": 50}},
        },
    },
}

FEATURES: dict[str, Json] = {
    **{f"query: {name}": found(query) for name, query in QUERIES.items()},
    **{f"aggregation: {name}": agg(a=body) for name, body in AGGS.items()},
    "sort": {"size": 30, "sort": [{"n": "desc"}, "tags"]},
    "sort by a hidden field": {"size": 30, "sort": ["secret", "n"]},
    "sort by hidden numbers": {"size": 30, "sort": [{"secret_n": {"missing": 7}}, "n"]},
    "sort by hidden dates": {"size": 30, "sort": [{"secret_at": {"order": "desc"}}, "n"]},
    "sort by a hidden distance": {
        "size": 30,
        "sort": [{"_geo_distance": {"secret_place": {"lat": 70, "lon": 7}}}, "n"],
    },
    "sort by nested values": {
        "size": 30,
        "sort": [{"items.price": {"order": "desc", "nested": {"path": "items"}}}, "n"],
    },
    "sort by hidden nested values": {
        "size": 30,
        "sort": [{"items.secret": {"nested": {"path": "items"}}}, "n"],
    },
    "search_after": {"size": 30, "sort": ["n"], "search_after": [0]},
    "search_after a hidden value": {
        "size": 30,
        "sort": ["secret", "n"],
        "search_after": ["raven", 0],
    },
    "pages": {"size": 2, "from": 1, "sort": ["n"]},
    "some of the source": {**ALL, "_source": ["title", "secret*", "obj", "items.*"]},
    "all but some of the source": {**ALL, "_source": {"excludes": ["title", "items"]}},
    "fields": {**ALL, "fields": ["*"], "_source": False},
    "fields that nothing maps": {
        **ALL,
        "fields": [{"field": "*", "include_unmapped": True}],
        "_source": False,
    },
    "hidden fields": {
        **ALL,
        "fields": ["secret", "secret_alias", "obj.secret", "items.secret"],
        "_source": False,
    },
    "docvalue_fields": {
        **ALL,
        "docvalue_fields": [
            "secret",
            "secret_n",
            "secret_at",
            "secret_place",
            "secret_addr",
            "tags",
            "title.raw",
        ],
        "_source": False,
    },
    "stored_fields": {**ALL, "stored_fields": ["secret", "_routing"]},
    "versions": {**ALL, "version": True},
    "highlight": {
        "query": {"match": {"title": "fox"}},
        "size": 30,
        "sort": ["n"],
        "highlight": {"fields": {"*": {}}, "require_field_match": False},
    },
    "highlight of a hidden text": {
        "query": {"match_all": {}},
        "size": 30,
        "sort": ["n"],
        "highlight": {
            "fields": {"secret*": {"no_match_size": 20}},
            "highlight_query": {"match": {"secret_text": "raven"}},
        },
    },
    "collapse": {**ALL, "collapse": {"field": "kind"}},
    "collapse with inner hits": {
        **ALL,
        "collapse": {"field": "kind", "inner_hits": {"name": "more", "size": 30, "sort": ["n"]}},
    },
    "collapse by a hidden field": {
        **ALL,
        "collapse": {"field": "secret", "inner_hits": {"name": "more", "size": 30, "sort": ["n"]}},
    },
    "inner hits": {
        "query": {
            "nested": {
                "path": "items",
                "query": {"match": {"items.note": "note"}},
                "inner_hits": {
                    "size": 9,
                    "fields": ["*"],
                    "docvalue_fields": ["items.secret", "items.name"],
                    "highlight": {"fields": {"*": {}}},
                    "sort": [{"items.price": "asc"}],
                },
            }
        },
        "size": 30,
        "sort": ["n"],
    },
    "inner hits without anything visible": {
        "query": {
            "nested": {"path": "items", "query": {"match_all": {}}, "inner_hits": {"size": 9}}
        },
        "size": 30,
        "sort": ["n"],
    },
    "knn": {
        "knn": {"field": "vec", "query_vector": [50, 50], "k": 4, "num_candidates": 9},
        "size": 4,
    },
    "hidden knn": {
        "knn": {"field": "secret_vec", "query_vector": [9, 0], "k": 4, "num_candidates": 9}
    },
    "ranks of several": {
        "retriever": {
            "rrf": {
                "retrievers": [
                    {"standard": {"query": {"match": {"title": "canary red"}}}},
                    {"standard": {"query": {"exists": {"field": "secret"}}}},
                    {
                        "knn": {
                            "field": "vec",
                            "query_vector": [50, 50],
                            "k": 3,
                            "num_candidates": 9,
                        }
                    },
                ]
            }
        },
        "size": 30,
    },
    "post_filter": {**ALL, "post_filter": {"term": {"secret": "raven0l"}}},
    "rescore": {
        "query": {"match": {"title": "fox"}},
        "size": 30,
        "rescore": {
            "window_size": 30,
            "query": {
                "rescore_query": {
                    "bool": {
                        "should": [
                            {
                                "constant_score": {
                                    "filter": {"term": {"secret": "raven0l"}},
                                    "boost": 99,
                                }
                            },
                            {"function_score": {"field_value_factor": {"field": "n"}}},
                        ]
                    }
                },
                "query_weight": 0.0,
            },
        },
    },
    "min_score": {
        "query": {"constant_score": {"filter": {"match": {"title": "fox"}}, "boost": 2}},
        "min_score": 1.5,
        "size": 30,
        "sort": ["n"],
    },
    "named queries": {
        **ALL,
        "query": {
            "bool": {
                "should": [
                    {"match_all": {"_name": "all"}},
                    {"term": {"secret": {"value": "raven0l", "_name": "secret"}}},
                ]
            }
        },
    },
    "totals": {"size": 0, "track_total_hits": True},
    "bounded totals": {"size": 0, "track_total_hits": 3},
    "terminate_after": {"size": 0, "terminate_after": 1},
    "cached": {
        "size": 0,
        "query": {"match": {"title": "fox"}},
        "aggs": {"t": {"terms": _on("tags", size=50)}},
    },
    "mistakes": {"query": {"term": {"secret_n": "abc"}}},
    "mistaken sort": {"sort": ["secret_text"]},
    "no such field": {"sort": ["nothing"]},
}

SUGGESTIONS: dict[str, Json] = {
    "term": {"text": "quikc", "term": {"field": "title", "suggest_mode": "always"}},
    "hidden term": {"text": "ravem", "term": {"field": "secret_text", "suggest_mode": "always"}},
    "phrase": {
        "text": "quikc fxo",
        "phrase": {"field": "title", "direct_generator": [{"field": "secret_text"}]},
    },
    "hidden phrase": {"text": "ravem txet", "phrase": {"field": "secret_text"}},
    "completion": {"prefix": "r", "completion": {"field": "comp", "size": 9}},
    "hidden completion": {"prefix": "r", "completion": {"field": "secret_comp", "size": 9}},
}
"""Where documents are hidden nobody may ask for them."""

WAYS = {
    "here": "/docs/_search",
    "in another cluster": "/eu:docs/_search?ccs_minimize_roundtrips=true",
    "in another cluster, shard by shard": "/eu:docs/_search?ccs_minimize_roundtrips=false",
    "in both": "/docs,eu:docs/_search?ccs_minimize_roundtrips=true",
    "in both, shard by shard": "/docs,eu:docs/_search?ccs_minimize_roundtrips=false",
}
"""Where an index is, and how it is asked."""

NAMES = ("docs", "docs_too", "docs*", "docs_*", "docs,docs_too", "%3Cdocs-%7Bnow%2Fd%7D%3E")
"""What an index is reached by: its name, an alias, patterns, several of these, and what a date makes of it."""
