"""Documents, one by one and in bulk; each step builds on the ones before it."""

from collections.abc import Iterator

from scripts.peers.request import CITIES, SCRATCH, TRICKY, Request

_DOCUMENTS = f"{SCRATCH}-documents"
_BULK = f"{SCRATCH}-bulk"
_CREATE = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {"properties": {"n": {"type": "integer"}, "day": {"type": "date"}}},
}

_STEPS: list[tuple[str, str, str, dict[str, object] | None]] = [
    ("index", "PUT", "_doc/1", {"n": 1, "day": "2024-01-01"}),
    ("index-again", "PUT", "_doc/1", {"n": 2}),
    ("index-refresh", "PUT", "_doc/2?refresh=true", {"n": 3, "text": "hello"}),
    ("index-wait", "PUT", "_doc/2?refresh=bad", {"n": 3}),
    ("create", "PUT", "_create/3", {"n": 3}),
    ("create-conflict", "PUT", "_create/3", {"n": 4}),
    ("create-op-type", "PUT", "_doc/3?op_type=create", {"n": 4}),
    ("op-type-bad", "PUT", "_doc/3?op_type=nope", {"n": 4}),
    ("auto-id", "POST", "_doc", {"n": 5}),
    ("id-in-unicode", "PUT", "_doc/Łódź%2F1", {"n": 6}),
    ("id-too-long", "PUT", f"_doc/{'x' * 513}", {"n": 6}),
    ("wrong-type", "PUT", "_doc/4", {"n": "many"}),
    ("wrong-type-object", "PUT", "_doc/4", {"n": {"a": 1}}),
    ("wrong-date", "PUT", "_doc/4", {"day": "tomorrow"}),
    ("object-then-text", "PUT", "_doc/4", {"text": {"a": 1}}),
    ("integer-overflow", "PUT", "_doc/4", {"n": 3000000000}),
    ("empty-field-name", "PUT", "_doc/4", {"": 1}),
    ("metadata-field", "PUT", "_doc/4", {"_id": "x"}),
    ("no-body", "PUT", "_doc/4", None),
    ("get", "GET", "_doc/1", None),
    ("get-source", "GET", "_source/1", None),
    ("get-filtered", "GET", "_doc/2?_source_includes=n", None),
    ("get-no-source", "GET", "_doc/2?_source=false", None),
    ("get-missing", "GET", "_doc/none", None),
    ("get-source-missing", "GET", "_source/none", None),
    ("head", "HEAD", "_doc/1", None),
    ("head-missing", "HEAD", "_doc/none", None),
    ("get-version-conflict", "GET", "_doc/1?version=7", None),
    ("if-seq-no", "PUT", "_doc/1?if_seq_no=1&if_primary_term=1", {"n": 9}),
    ("if-seq-no-old", "PUT", "_doc/1?if_seq_no=0&if_primary_term=1", {"n": 9}),
    ("if-seq-no-alone", "PUT", "_doc/1?if_seq_no=0", {"n": 9}),
    ("version-internal", "PUT", "_doc/1?version=3", {"n": 9}),
    ("version-external", "PUT", "_doc/v?version=50&version_type=external", {"n": 9}),
    ("version-external-old", "PUT", "_doc/v?version=50&version_type=external", {"n": 9}),
    ("update", "POST", "_update/1", {"doc": {"text": "new"}}),
    ("update-noop", "POST", "_update/1", {"doc": {"text": "new"}}),
    ("update-deep", "POST", "_update/1", {"doc": {"deep": {"a": 1}}}),
    ("update-deep-merge", "POST", "_update/1?_source=true", {"doc": {"deep": {"b": 2}}}),
    ("update-missing", "POST", "_update/none", {"doc": {"n": 1}}),
    ("update-upsert", "POST", "_update/up", {"doc": {"n": 1}, "upsert": {"n": 0}}),
    ("update-doc-as-upsert", "POST", "_update/up2", {"doc": {"n": 1}, "doc_as_upsert": True}),
    ("update-empty", "POST", "_update/1", {}),
    ("update-unknown-key", "POST", "_update/1", {"dco": {"n": 1}}),
    ("update-bad-type", "POST", "_update/1", {"doc": {"n": "x"}}),
    ("delete", "DELETE", "_doc/2", None),
    ("delete-again", "DELETE", "_doc/2", None),
    ("delete-missing", "DELETE", "_doc/none", None),
    ("delete-conflict", "DELETE", "_doc/1?if_seq_no=0&if_primary_term=1", None),
    ("index-after-delete", "PUT", "_doc/2", {"n": 20}),
    ("refresh", "POST", "_refresh", None),
    ("all", "POST", "_search", {"sort": [{"n": "asc"}], "size": 30, "seq_no_primary_term": True}),
    ("mapping-grown", "GET", "_mapping", None),
]

_BULKS: list[tuple[str, str, str]] = [
    (
        "mixed",
        "",
        '{"index":{"_id":"1"}}\n{"n":1}\n{"create":{"_id":"1"}}\n{"n":2}\n'
        '{"update":{"_id":"1"}}\n{"doc":{"n":3}}\n{"delete":{"_id":"2"}}\n{"index":{}}\n{"n":4}\n',
    ),
    ("item-errors", "", '{"index":{"_id":"9"}}\n{"n":"bad"}\n{"index":{"_id":"10"}}\n{"n":1}\n'),
    ("update-missing", "", '{"update":{"_id":"none"}}\n{"doc":{"n":3}}\n'),
    ("broken-source", "", '{"index":{"_id":"11"}}\n{"n":\n{"index":{"_id":"12"}}\n{"n":1}\n'),
    ("no-newline", "", '{"index":{"_id":"13"}}\n{"n":1}'),
    ("unknown-action", "", '{"insert":{"_id":"14"}}\n{"n":1}\n'),
    ("unknown-metadata", "", '{"index":{"_id":"14","colour":1}}\n{"n":1}\n'),
    ("broken-action", "", 'index\n{"n":1}\n'),
    ("action-array", "", '["index"]\n{"n":1}\n'),
    ("action-two-keys", "", '{"index":{"_id":"1"},"x":1}\n{"n":1}\n'),
    ("missing-source", "", '{"index":{"_id":"15"}}\n'),
    ("empty", "", ""),
    ("only-newline", "", "\n"),
    ("sequence", "", '{"index":{"_id":"1","if_seq_no":0,"if_primary_term":1}}\n{"n":1}\n'),
    ("routing", "?routing=a", '{"index":{"_id":"r"}}\n{"n":1}\n'),
    ("refresh", "?refresh=true", '{"index":{"_id":"16"}}\n{"n":1}\n'),
    ("filter-path", "?filter_path=errors,items.*.status", '{"index":{"_id":"16"}}\n{"n":1}\n'),
    ("unknown-parameter", "?colour=red", '{"index":{"_id":"16"}}\n{"n":1}\n'),
    ("other-index", "", f'{{"index":{{"_index":"{_BULK}-2","_id":"1"}}}}\n{{"word":"x"}}\n'),
    ("bad-index-name", "", '{"index":{"_index":"Bad","_id":"1"}}\n{"n":1}\n'),
    ("require-alias", "?require_alias=true", '{"index":{"_id":"1"}}\n{"n":1}\n'),
]

_MGETS: list[tuple[str, str, dict[str, object]]] = [
    ("docs", "/_mget", {"docs": [{"_index": TRICKY, "_id": "1"}, {"_index": TRICKY, "_id": "99"}]}),
    ("ids", f"/{TRICKY}/_mget", {"ids": ["1", "2", "99"]}),
    ("missing-index", "/_mget", {"docs": [{"_index": "duel-unknown", "_id": "1"}]}),
    (
        "source",
        f"/{TRICKY}/_mget",
        {"docs": [{"_id": "1", "_source": ["t*"]}, {"_id": "2", "_source": False}]},
    ),
    ("no-id", f"/{TRICKY}/_mget", {"docs": [{"_index": TRICKY}]}),
    ("no-index", "/_mget", {"docs": [{"_id": "1"}]}),
    ("empty", f"/{TRICKY}/_mget", {}),
    ("no-docs", f"/{TRICKY}/_mget", {"docs": []}),
    ("unknown-key", f"/{TRICKY}/_mget", {"dcos": []}),
]


def requests() -> Iterator[Request]:
    yield Request("document/create-index", "PUT", f"/{_DOCUMENTS}", _CREATE, setup=True)
    for name, method, path, body in _STEPS:
        yield Request(f"document/{name}", method, f"/{_DOCUMENTS}/{path}", body, setup=True)
    yield Request("document/missing-index", "GET", "/duel-unknown/_doc/1")
    yield Request("document/delete-missing-index", "DELETE", "/duel-unknown/_doc/1")
    yield Request(
        "document/update-missing-index", "POST", f"/{SCRATCH}-missing/_update/1", {"doc": {}}
    )
    yield Request("document/bad-index-name", "PUT", "/Duel-Upper/_doc/1", {"n": 1})
    yield Request("document/on-remote-node", "GET", f"/{CITIES}/_count", cluster="remote")
    yield Request("bulk/create-index", "PUT", f"/{_BULK}", _CREATE, setup=True)
    for name, parameters, lines in _BULKS:
        path = f"/{_BULK}/_bulk{parameters}"
        yield Request(f"bulk/{name}", "POST", path, lines, ndjson=True, setup=True)
    yield Request("bulk/as-json", "POST", f"/{_BULK}/_bulk", '{"index":{"_id":"17"}}\n{"n":1}\n')
    yield Request(
        "bulk/no-index", "POST", "/_bulk", '{"index":{"_id":"1"}}\n{"n":1}\n', ndjson=True
    )
    for name, path, wanted in _MGETS:
        yield Request(f"mget/{name}", "POST", path, wanted)
