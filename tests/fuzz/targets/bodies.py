"""Bodies of REST requests, as JSON, YAML and lines."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from sealane.errors import ApiError
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_count_body, parse_search_body
from sealane.query.analyze import parse_analyze
from sealane.query.any_json import dumps
from sealane.query.by_query_body import read_by_query, read_reindex
from sealane.query.index_requests import read_field_caps, read_terms_enum
from sealane.query.open_body import parse_open_body
from sealane.query.template_body import read_script, read_template
from sealane.query.template_requests import (
    read_component_template,
    read_index_template,
    read_rollover,
    read_stream_changes,
)
from sealane.rest.alias_body import read_alias, read_alias_actions
from sealane.rest.bodies import clean_source, read_exact_json, read_json, to_utf8, yaml_to_json
from sealane.rest.bulk_body import BulkDefaults, read_bulk
from sealane.rest.ccr_body import (
    read_auto_follow,
    read_failback,
    read_follow,
    read_forget,
    read_resume,
)
from sealane.rest.handlers.rollover import READERS
from sealane.rest.mget_body import read_mget
from sealane.rest.msearch_items import read_items
from sealane.rest.request import Request
from sealane.rest.update_body import read_update
from sealane.settings.follow_parameters import limits_of
from tests.fuzz.target import Target

_PLAIN: Final = (
    b"{}",
    b"[]",
    b"null",
    b'"text"',
    b"1e400",
    b"-0.0",
    b'{"a":{"b":[1,2.5,true,null,"\\u00e9\\ud83d\\ude00"]}}',
    b'{"a":1,"a":2}',
    b'/* c */ {"a" /**/ : // d\n 1}',
    b'{"\\u0061":1,"a":2}',
    b'{"n":123456789012345678901234567890}',
)

QUERIES: Final = (
    {"match_all": {}},
    {"term": {"f": {"value": "x", "boost": 2, "case_insensitive": True}}},
    {"terms": {"f": ["a", 1, True]}},
    {"range": {"d": {"gte": "now-1d/d", "lt": "2024-01-01", "format": "yyyy-MM-dd"}}},
    {"bool": {"must": [{"match": {"t": "a b"}}], "filter": {"exists": {"field": "f"}}}},
    {"query_string": {"query": "a AND (b OR c~2) -d:[1 TO 5}", "fields": ["t^2"]}},
    {"simple_query_string": {"query": '"a b" + c | -d*', "flags": "AND|NOT"}},
    {"multi_match": {"query": "x", "fields": ["a", "b*"], "type": "cross_fields"}},
    {"nested": {"path": "n", "query": {"match_phrase": {"n.a": "x"}}, "inner_hits": {}}},
    {"function_score": {"functions": [{"random_score": {}}, {"weight": 2}]}},
    {"regexp": {"f": "a.*[b-d]&~(x)"}},
    {"wildcard": {"f": {"value": "*a?b"}}},
    {"fuzzy": {"f": {"value": "ab", "fuzziness": "AUTO:3,6"}}},
    {"ids": {"values": ["1"]}},
    {"geo_distance": {"distance": "5km", "p": "1,2"}},
    {"geo_bounding_box": {"p": {"wkt": "BBOX (-74.1, -71.12, 40.73, 40.01)"}}},
    {"more_like_this": {"fields": ["t"], "like": ["x", {"_id": "1"}]}},
    {"script_score": {"query": {"match_all": {}}, "script": "_score * 2"}},
    {"dis_max": {"queries": [{"prefix": {"f": "a"}}], "tie_breaker": 0.5}},
    {"wrapper": {"query": "eyJtYXRjaF9hbGwiOnt9fQ=="}},
)
AGGS: Final = (
    {"terms": {"field": "f", "order": [{"_count": "asc"}], "include": "a.*"}},
    {"date_histogram": {"field": "d", "calendar_interval": "1M", "time_zone": "+01:00"}},
    {"histogram": {"field": "n", "interval": 5, "extended_bounds": {"min": 0, "max": 9}}},
    {"range": {"field": "n", "ranges": [{"to": 5}, {"from": 5, "key": "k"}]}},
    {"filters": {"filters": {"a": {"term": {"f": 1}}}}},
    {"composite": {"size": 2, "sources": [{"s": {"terms": {"field": "f"}}}]}},
    {"percentiles": {"field": "n", "percents": [1, 99], "hdr": {}}},
    {"top_hits": {"size": 1, "sort": ["d"], "_source": ["a*"]}},
    {"cardinality": {"field": "f", "precision_threshold": 100}},
    {"significant_terms": {"field": "f", "gnd": {}}},
)


def _search_seeds() -> Iterator[bytes]:
    yield from _PLAIN
    for query in QUERIES:
        yield orjson.dumps({"query": query})
    for agg in AGGS:
        yield orjson.dumps({"size": 0, "aggs": {"a": agg}})
    yield orjson.dumps(
        {
            "from": 1,
            "size": 2,
            "sort": [{"d": {"order": "desc", "missing": "_last", "mode": "max"}}, "_score"],
            "_source": {"includes": ["a"], "excludes": ["b"]},
            "fields": ["a", {"field": "d", "format": "epoch_millis"}],
            "highlight": {"fields": {"t": {"type": "plain", "fragment_size": 5}}},
            "suggest": {"s": {"text": "x", "term": {"field": "t"}}},
            "collapse": {"field": "f", "inner_hits": {"name": "i", "size": 1}},
            "rescore": {"window_size": 5, "query": {"rescore_query": {"match_all": {}}}},
            "search_after": [1, "x", None],
            "track_total_hits": 10,
            "min_score": 0.5,
            "knn": {"field": "v", "query_vector": [1, 2], "k": 1, "num_candidates": 5},
            "pit": {"id": "abc", "keep_alive": "1m"},
            "slice": {"id": 0, "max": 2},
            "runtime_mappings": {},
            "timeout": "1s",
        }
    )
    yield b'{"aggs":{"a":{"terms":{"field":"f"},"aggs":{"b":{"max_bucket":{"buckets_path":"a>c"}}}}}}'
    yield b'{"query":' + b'{"bool":{"must":' * 40 + b'{"match_all":{}}' + b"}}" * 40 + b"}"


def _run_json(data: bytes) -> None:
    """What is accepted is what orjson makes of it, where orjson takes it at all."""
    read_exact_json(data)
    clean_source(data)
    value = read_json(to_utf8(data))
    dumps(value)


def _run_yaml(data: bytes) -> None:
    made = yaml_to_json(data)
    assert len(made) <= 64 * (len(data) + 16), len(made)


_CONTEXT = Context(task=TaskRegistry("node").start("fuzz", start_ms=1).__enter__(), start_ms=1)


def _request(body: bytes) -> Request:
    return Request("POST", "/i/_msearch", "/i/_msearch", {"index": "i"}, {}, body, _CONTEXT)


_SMALL: Final[tuple[Callable[[bytes], Any], ...]] = (
    parse_count_body,
    lambda body: parse_analyze(body, has_index=False),
    read_reindex,
    lambda body: read_by_query(body, {}, needs_query=True),
    read_field_caps,
    read_terms_enum,
    parse_open_body,
    lambda body: read_template(body, "stored"),
    read_script,
    read_alias_actions,
    lambda body: read_alias(body, ("i",), "a"),
    lambda body: read_bulk(body, BulkDefaults()),
    lambda body: read_mget(body, "i", {}),
    lambda body: list(read_items(_request(body))),
    lambda body: read_update(body, "1"),
    read_index_template,
    read_component_template,
    lambda body: read_rollover(body, READERS),
    read_stream_changes,
    lambda body: read_follow(_request(body)),
    lambda body: limits_of(read_resume(body)),
    lambda body: read_auto_follow("rule", body),
    lambda body: read_forget(_request(body)),
    lambda body: read_failback(_request(body)),
)
"""The first byte of an input says which of them reads the rest."""


def _small_seeds() -> Iterator[bytes]:
    valid: tuple[bytes, ...] = (
        b'{"query":{"term":{"f":1}}}',
        b'{"text":["a b"],"analyzer":"standard","explain":true}',
        b'{"source":{"index":"a","query":{"match_all":{}}},"dest":{"index":"b","op_type":"create"}}',
        b'{"query":{"match_all":{}},"max_docs":5,"conflicts":"proceed"}',
        b'{"fields":["a"],"index_filter":{"range":{"d":{"gte":"now"}}},"runtime_mappings":{}}',
        b'{"field":"f","string":"a","size":3,"case_insensitive":true,"search_after":"b"}',
        b'{"index_filter":{"term":{"f":1}}}',
        b'{"source":"{\\"size\\":\\"{{s}}\\"}","params":{"s":3},"explain":true}',
        b'{"script":{"lang":"mustache","source":{"query":{"match":{"t":"{{q}}"}}}}}',
        b'{"actions":[{"add":{"index":"a","alias":"b","filter":{"term":{"f":1}},"routing":"r"}}]}',
        b'{"filter":{"term":{"f":1}},"is_write_index":true}',
        b'{"index":{"_index":"a","_id":"1","routing":"r"}}\n{"f":1}\n{"delete":{"_id":"2"}}\n',
        b'{"docs":[{"_index":"a","_id":"1","_source":["x"]},{"_id":"2"}]}',
        b'{"index":"a","preference":"_local"}\n{"query":{"match_all":{}}}\n{}\n{}\n',
        b'{"doc":{"a":1},"doc_as_upsert":true,"detect_noop":false,"_source":["a"]}',
        b'{"index_patterns":["l*"],"data_stream":{},"priority":3,"template":{"mappings":{}},"composed_of":["c"]}',
        b'{"template":{"settings":{"a":1},"aliases":{"b":{}}},"version":"3","_meta":{}}',
        b'{"conditions":{"max_docs":5,"max_age":"7d","min_size":"1gb"},"aliases":{"a":{}}}',
        b'{"actions":[{"add_backing_index":{"data_stream":"s","index":"i"}}]}',
        b'{"remote_cluster":"r","leader_index":"l","settings":{"index.a":[1]},"max_read_request_size":"0.5mb"}',
        b'{"max_retry_delay":"5m","read_poll_timeout":"-1","max_write_buffer_count":"7"}',
        b'{"remote_cluster":"r","leader_index_patterns":["l*"],"follow_index_pattern":"{{leader_index}}-c"}',
        b'{"follower_cluster":"c","follower_index":"f","follower_index_uuid":"u","leader_remote_cluster":"r"}',
        b'{"remote_cluster":"r","leader_index":"l","max_write_request_size":"9223372036854775807b"}',
    )
    for number, body in enumerate(valid):
        yield bytes((number,)) + body
    yield b'\x0b{"update":{"_id":"1","retry_on_conflict":3}}\n{"doc":{"a":1}}\n'
    yield b'\x0b{"create":{"require_alias":true,"version":3,"version_type":"external"}}\n{}\n'
    yield b'\x0c{"ids":["1","2"]}'


def _run_small(data: bytes) -> None:
    _SMALL[data[0] % len(_SMALL) if data else 0](data[1:])


_NAMES: Final = (
    "query bool must filter aggs terms field size order boost value nested path script params fields format index "
    "_id _source doc actions"
)
WORDS: Final = (
    *(f'"{word}":'.encode() for word in _NAMES.split()),
    *(b"{", b"}", b"[", b"]", b'"', b"1e999", b"\\ud800", b"/*", b"//", b"null", b"\xff\xfe"),
)

TARGETS = (
    Target(
        name="json_bodies",
        run=_run_json,
        seeds=lambda: _PLAIN,
        refusals=(ApiError,),
        words=WORDS,
        share=6,
    ),
    Target(
        name="yaml_bodies",
        run=_run_yaml,
        seeds=lambda: (
            b"a: 1\nb:\n  - x\n",
            b"a: &x [1,2]\nb: [*x, *x]\n",
            b"? [a]\n: b\n",
            b"!!x",
        ),
        refusals=(ApiError,),
        words=(b"&a ", b"*a", b"- ", b": ", b"!!python/", b"---\n", b"<<: "),
        max_len=2048,
        share=1,
    ),
    Target(
        name="search_bodies",
        run=parse_search_body,
        seeds=_search_seeds,
        refusals=(ApiError,),
        words=WORDS,
        max_len=2048,
        share=8,
    ),
    Target(
        name="other_bodies",
        run=_run_small,
        seeds=_small_seeds,
        refusals=(ApiError,),
        words=WORDS,
        max_len=2048,
        share=6,
    ),
)
