"""Small shards in memory, laid out as `engine/embedded/view.py` says, and searches of them."""

import itertools
import json
from collections.abc import Mapping as MappingABC
from collections.abc import Sequence
from typing import Any

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.analysis import prepare, register_tokenizers
from sealane.engine.embedded.search import search_shard
from sealane.engine.embedded.search.values import ip_column
from sealane.engine.embedded.stored import encode_stored
from sealane.engine.embedded.view import ShardView
from sealane.engine.mapping import Field, FieldType, Mapping
from sealane.model.dates import parse_date
from sealane.model.dsl import Query, SearchBody
from sealane.model.security import FieldLimits
from sealane.query import parse_search_body
from sealane.reduce.partial import Partial

NOW_MS = 1_718_452_800_000
"""2024-06-15T12:00:00Z"""

FIELDS: dict[str, str] = {
    "title": "text",
    "body": "text",
    "tag": "keyword",
    "n": "long",
    "small": "integer",
    "price": "double",
    "ratio": "float",
    "ok": "boolean",
    "at": "date",
    "ip": "ip",
    "host.name": "keyword",
    "host.port": "integer",
}
_generations = itertools.count(1)


def mapping_of(fields: MappingABC[str, str] = FIELDS, **options: dict[str, Any]) -> Mapping:
    """A mapping of these types; `options` are further members of a Field, by path."""
    leaves = {
        path: Field(path=path, type=FieldType(kind), source_path=path, **options.get(path, {}))
        for path, kind in fields.items()
    }
    objects = {path.rsplit(".", 1)[0] for path in fields if "." in path}
    return Mapping(fields=leaves, objects=frozenset(objects))


def shard(
    docs: Sequence[MappingABC[str, Any]],
    mapping: Mapping | None = None,
    *,
    commits: int = 1,
    columns: Sequence[str] | None = None,
) -> ShardView:
    """A view of a shard with these documents, ids "1", "2", ... unless they bring an `_id`."""
    mapping = mapping or mapping_of()
    named = frozenset(mapping.fields if columns is None else columns)
    schema = _schema(mapping, named)
    index = tantivy.Index(schema)
    register_tokenizers(index)
    writer = index.writer(15_000_000, 1)
    step = max(1, -(-len(docs) // commits))
    for seq_no, doc in enumerate(docs):
        writer.add_document(_document(seq_no, doc, mapping, named, schema))
        if seq_no % step == step - 1:
            writer.commit()
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return ShardView(
        shard=0,
        index_uuid="uuid",
        index=index,
        searcher=index.searcher(),
        schema=schema,
        mapping=mapping,
        columns=named,
        generation=next(_generations),
    )


def _schema(mapping: Mapping, columns: frozenset[str]) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("_id", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("_seq_no", indexed=True, fast=True)
    builder.add_bytes_field("_doc", stored=True)
    builder.add_text_field("_field_names", tokenizer_name="raw", index_option="basic")
    for path, leaf in mapping.fields.items():
        if path not in columns:
            continue
        if leaf.type is FieldType.TEXT:
            builder.add_text_field(path, tokenizer_name="standard")
        elif leaf.type in (FieldType.KEYWORD, FieldType.IP):
            builder.add_text_field(path, tokenizer_name="raw", index_option="basic", fast=True)
        elif leaf.type.is_floating:
            builder.add_float_field(path, indexed=True, fast=True)
        else:
            builder.add_integer_field(path, indexed=True, fast=True)
    return builder.build()


def _document(
    seq_no: int,
    doc: MappingABC[str, Any],
    mapping: Mapping,
    columns: frozenset[str],
    schema: tantivy.Schema,
) -> tantivy.Document:
    source = {name: value for name, value in doc.items() if name != "_id"}
    doc_id = str(doc.get("_id", seq_no + 1))
    found: dict[str, Any] = {
        "_id": doc_id,
        "_seq_no": seq_no,
        "_doc": encode_stored(seq_no, 1, 1, doc_id, None, [], json.dumps(source).encode()),
    }
    names = []
    for path, leaf in mapping.fields.items():
        values = [_coerced(each, leaf.type) for each in _values(source, leaf.source_path)]
        if not values or path not in columns:
            continue
        found[path] = values
        if leaf.type is FieldType.TEXT:
            names.append(path)
    if names:
        found["_field_names"] = names
    return tantivy.Document.from_dict(found, schema)


def _values(source: Any, path: str) -> list[Any]:
    if isinstance(source, list):
        return [value for each in source for value in _values(each, path)]
    if not path:
        return [] if source is None else [source]
    if not isinstance(source, dict):
        return []
    if path in source:
        return _values(source[path], "")
    head, _, rest = path.partition(".")
    return _values(source[head], rest) if rest and head in source else []


def _coerced(value: Any, kind: FieldType) -> Any:
    if kind is FieldType.TEXT:
        return prepare(str(value))
    if kind is FieldType.DATE:
        return parse_date(value)
    if kind is FieldType.IP:
        return ip_column(value)
    if kind is FieldType.KEYWORD:
        return str(value)
    if kind.is_floating:
        return float(value)
    return int(value)


def search(
    view: ShardView,
    body: MappingABC[str, Any] | None = None,
    *,
    filter: Query | None = None,
    documents: Query | None = None,
    fields: FieldLimits | None = None,
    size: int | None = None,
) -> Partial:
    """One search as the engine runs it; the body is JSON."""
    parsed: SearchBody = parse_search_body(json.dumps(body or {}).encode())
    request = ShardSearch(
        index_name="books",
        body=parsed,
        size=parsed.from_ + parsed.size if size is None else size,
        now_ms=NOW_MS,
        filter=filter,
        documents=documents,
        fields=fields,
    )
    return search_shard(view, request, lambda: None)


def ids(partial: Partial) -> list[str]:
    return [hit.id for hit in partial.hits]


def found(view: ShardView, query: MappingABC[str, Any]) -> list[str]:
    """Ids of all documents a query matches, sorted."""
    return sorted(ids(search(view, {"query": query, "size": 1000})), key=lambda i: (len(i), i))
