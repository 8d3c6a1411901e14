"""What a search sees of a shard: the seam between the part that writes shards and the part that searches them.

How a mapped field is laid out in tantivy, under which names:

| mapping | tantivy field |
|---|---|
| text | `path`: text, tokenizer `standard` (analysis.py), positions; length norms only when known at creation |
| keyword | `path`: text, tokenizer `raw`, basic, fast, no norms |
| long, integer, short, byte, date (epoch milliseconds) | `path`: i64, indexed, fast |
| double, float | `path`: f64, indexed, fast (a float is rounded to 32 bits before) |
| half_float, scaled_float | `path`: f64, indexed, fast (the value that is left after rounding or scaling) |
| date_nanos | `path`: i64, indexed, fast: epoch milliseconds; `path#nanos`: i64, indexed, fast: nanoseconds |
| boolean | `path`: i64 0/1, indexed, fast |
| geo_point | `path`: i64, fast: both coordinates packed (model/geo.py: `unpack`), one value a point |
| | `path#lat`, `path#lon`: f64, indexed, fast: degrees, rounded to the packed ones' 32 bits |
| dense_vector | `path`: i64, indexed, fast: its dimensions; `path#vector`: bytes, stored only: float32, little-endian |
| completion | `path`: text raw, basic, fast: what is looked up, the weight, the text (completions.py) |
| binary | nothing: it is in the source |
| wildcard | as keyword; constant_keyword, alias: nothing, they are in the mapping |
| ip | `path`: text raw, basic, fast: 32 hex digits of the IPv6 form (IPv4 as ::ffff:a.b.c.d), which sorts |
| every document | `_id`: text raw, basic; `_seq_no`: i64, indexed, fast; `_doc`: bytes, stored only (stored.py) |
| every document | `_field_names`: text raw, basic: paths of its text fields that have a value (exists on text) |

The fields of nested objects are not in these columns but in those of a second index, `ShardView.nested`, whose
documents are the objects. There `_seq_no` is the object's key (nested_documents.py), and beside it:

| every object | `_id`: its document's; `_root`: i64, the document's `_seq_no`; `_nested_path`: text raw, fast |
| | `_parent`: i64, key of the nested object around it, or -1; `_offset`: i64, its place in its array |
"""

from dataclasses import dataclass

import tantivy

from sealane.engine.mapping import Mapping
from sealane.model.security import FieldLimits

ID = "_id"
SEQ_NO = "_seq_no"
STORED = "_doc"
FIELD_NAMES = "_field_names"
NESTED_PATH = "_nested_path"
ROOT, PARENT, OFFSET = "_root", "_parent", "_offset"
LAT, LON, VECTOR, NANOS = "#lat", "#lon", "#vector", "#nanos"
"""What is put behind a field's name for its further columns."""


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
    max_inner_result_window: int = 100
    nested: "ShardView | None" = None
    """The nested objects, each a document of a view of its own; see nested_documents.py."""
    max_rescore_window: int = 10_000
    max_slices: int = 1_024
    limits: FieldLimits | None = None
    """Which fields may be seen: the others are missing from `columns`, and `whole` is the view that has all of them."""
    whole: "ShardView | None" = None
