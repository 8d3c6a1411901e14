"""Slices of a search: parts of its documents that do not overlap, and make up the whole, over all shards.

With no more slices than shards each shard is of one slice. With more, a shard is cut up itself: by a hash of each
document's `_id` or of a field's value, or, where no field is named, into runs of documents in their order. The hashes
are the reference's, so that the parts are too.
"""

import base64
import math
import re
import struct
from typing import TYPE_CHECKING

import tantivy
from tantivy import Order

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.late import all_values
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, constant
from sealane.engine.embedded.view import ID, SEQ_NO
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model.dsl.point_in_time import Slice
from sealane.reduce.key_hashing import murmur3_32

if TYPE_CHECKING:
    import numpy as np

_SEED = 7919
_NOT_NUMERIC = (FieldType.TEXT, FieldType.KEYWORD, FieldType.IP, FieldType.OBJECT)


def slice_query(wanted: Slice, request: ShardSearch, scope: Scope) -> Compiled:
    """The documents of this shard that are in the slice. Raises IllegalArgument with the reference's texts."""
    limit = scope.state.view.max_slices
    if wanted.max > limit:
        raise IllegalArgument(
            f"The number of slices [{wanted.max}] is too large. It must be less than [{limit}]. "
            "This limit can be set by changing the [index.max_slices_per_scroll] index level setting."
        )
    shard, shards = request.shard_index, request.shard_count
    if wanted.max < shards:
        # As the reference's language divides: the sign is the dividend's.
        return EVERYTHING if math.fmod(shard, wanted.max) == wanted.id else NOTHING
    if math.fmod(wanted.id, shards) != shard:
        return NOTHING
    parts = wanted.max // shards + (wanted.max % shards > shard)
    if parts == 1:
        return EVERYTHING
    if wanted.field == ID and not request.scroll:
        raise IllegalArgument("cannot slice on [_id] when using [point-in-time]")
    part = wanted.id // shards
    key = ("slice", wanted.field, part, parts)
    return scope.state.remember(key, lambda: _cut(wanted.field, part, parts, scope))


def _cut(field: str | None, part: int, parts: int, scope: Scope) -> Compiled:
    if field is None:
        return _run(part, parts, scope)
    if field == ID:
        return _by_id(part, parts, scope)
    mapped = scope.mapped(field)
    if mapped is None:
        raise IllegalArgument(f"field {field} not found")
    if mapped.type in _NOT_NUMERIC:
        raise IllegalArgument(f"cannot load numeric doc values on {field}")
    return _by_value(mapped, part, parts, scope)


def _run(part: int, parts: int, scope: Scope) -> Compiled:
    numbers = scope.state.column(SEQ_NO)
    if numbers.min is None or numbers.max is None:
        return NOTHING
    first = int(numbers.min)
    documents = int(numbers.max) - first + 1
    length, longer = divmod(documents, parts)
    begin = first + part * length + min(part, longer)
    end = begin + length + (part < longer)
    if begin >= end:
        return NOTHING
    kind = tantivy.FieldType.Integer
    return constant(
        tantivy.Query.range_query(scope.schema, SEQ_NO, kind, begin, end, True, False, False)
    )


def _by_id(part: int, parts: int, scope: Scope) -> Compiled:
    found = [
        doc_id
        for doc_id, _ in scope.state.view.searcher.terms_with_prefix(ID, "")
        if id_hash(doc_id) % parts == part
    ]
    return constant(tantivy.Query.term_set_query(scope.schema, ID, found)) if found else NOTHING


def _by_value(mapped: Field, part: int, parts: int, scope: Scope) -> Compiled:
    state = scope.state
    if state.num_docs == 0:
        return NOTHING
    searcher = state.view.searcher
    everything = EVERYTHING.query
    hits = searcher.search(everything, state.num_docs, False, SEQ_NO, 0, Order.Asc).hits
    path = mapped.path
    if not scope.has_column(path):
        values: list[float | None] = [None] * len(hits)
    elif state.column(path).single_valued:
        values = searcher.fast_field_values(path, [address for _, address in hits])
    else:
        values = [
            min((n for n in each if isinstance(n, int | float)), default=None)
            for each in all_values(state, everything, path, len(hits))
        ]
    hashes = value_hashes([column_bits(value, mapped.type) for value in values])
    chosen = (hashes % parts == part).nonzero()[0]
    numbers = [int(hits[at][0] or 0) for at in chosen]
    if not numbers:
        return NOTHING
    return constant(tantivy.Query.term_set_query(scope.schema, SEQ_NO, numbers))


def column_bits(value: float | None, type_: FieldType) -> int:
    """What the reference's column holds: numbers with fractions as bits that sort like them."""
    if value is None:
        return 0
    if not type_.is_floating:
        return int(value)
    if type_ is FieldType.FLOAT:
        (bits,) = struct.unpack("<i", struct.pack("<f", value))
        return int(bits ^ (bits >> 31 & 0x7FFFFFFF))
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits ^ (bits >> 63 & 0x7FFFFFFFFFFFFFFF))


def value_hashes(values: list[int]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """The reference's mix of 64 bits, of which the lower half counts. 0, and so no value, is 0."""
    import numpy as np

    mixed = np.array(values, np.int64).view(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x4CD6944C5CC20B6D)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xFC12C5B19D3259E9)
    mixed ^= mixed >> np.uint64(32)
    return mixed.astype(np.uint32).view(np.int32)


# -- ids ---------------------------------------------------------------------------------------------------------------

_DIGITS = re.compile(r"[0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9_-]+")
_LAST_OF_TWO = frozenset("AQgw")
_LAST_OF_THREE = frozenset("AEIMQUYcgkosw048")
_NUMERIC, _UTF8, _ESCAPE = b"\xfe", b"\xff", 0xFD


def id_hash(doc_id: str) -> int:
    """Of the bytes under which the reference indexes a document's id, as a signed number."""
    return murmur3_32(encoded_id(doc_id), _SEED)


def encoded_id(doc_id: str) -> bytes:
    """Digits in halves of bytes, base64 decoded, anything else as it is; told apart by the first byte."""
    if _DIGITS.fullmatch(doc_id):
        padded = doc_id if len(doc_id) % 2 == 0 else doc_id + "f"
        return _NUMERIC + bytes.fromhex(padded)
    if _is_base64(doc_id):
        data = base64.urlsafe_b64decode(doc_id + "=" * (-len(doc_id) % 4))
        return data if data[0] < _ESCAPE else bytes((_ESCAPE,)) + data
    return _UTF8 + doc_id.encode()


def _is_base64(text: str) -> bool:
    if not _BASE64.fullmatch(text):
        return False
    match len(text) % 4:
        case 1:
            return False
        case 2:
            return text[-1] in _LAST_OF_TWO
        case 3:
            return text[-1] in _LAST_OF_THREE
    return True
