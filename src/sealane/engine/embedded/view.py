"""What a search sees of a shard: the seam between the part that writes shards and the part that searches them.

How a mapped field is laid out in tantivy, under which names:

| mapping | tantivy field |
|---|---|
| text | `path`: text, tokenizer `standard` (analysis.py), positions; length norms only when known at creation |
| keyword | `path`: text, tokenizer `raw`, basic, fast, no norms |
| long, integer, short, byte, date (epoch milliseconds) | `path`: i64, indexed, fast |
| double, float | `path`: f64, indexed, fast (a float is rounded to 32 bits before) |
| boolean | `path`: i64 0/1, indexed, fast |
| ip | `path`: text raw, basic, fast: 32 hex digits of the IPv6 form (IPv4 as ::ffff:a.b.c.d), which sorts |
| every document | `_id`: text raw, basic; `_seq_no`: i64, indexed, fast; `_doc`: bytes, stored only (stored.py) |
| every document | `_field_names`: text raw, basic: paths of its text fields that have a value (exists on text) |
"""

from dataclasses import dataclass

import tantivy

from sealane.engine.mapping import Mapping

ID = "_id"
SEQ_NO = "_seq_no"
STORED = "_doc"
FIELD_NAMES = "_field_names"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardView:
    """A fixed point in a shard's time. `columns` names the tantivy fields that exist in this view's schema.

    A field mapped after the view was opened is missing from `columns`: it has no values here.
    `generation` is new at each refresh that changed anything, and unique in the process for this shard.
    """

    shard: int
    index_uuid: str
    index: tantivy.Index
    searcher: tantivy.Searcher
    schema: tantivy.Schema
    mapping: Mapping
    columns: frozenset[str]
    generation: int
    max_result_window: int = 10_000
