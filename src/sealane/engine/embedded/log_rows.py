"""Rows of the operation log, thousands as one.

SQLite's binding lets go of the interpreter lock at each row, which beside a busy thread costs up to five milliseconds a
row. So a range of operations is fetched as one row: numbers joined by commas, texts and sources behind each other with
their lengths.
"""

from typing import Any, Final

import msgspec

from sealane.errors import Internal
from sealane.model.document import Operation, OpKind

Row = tuple[int, int, int, int, str, str | None, bytes | None, int]
"""seq_no, term, version, kind, id, routing, source, wall_ms"""

ENTRY_BYTES: Final = 50
"""What an operation takes beside its id and its source."""
LENGTHS: Final = (
    "SELECT group_concat(ifnull(length(source), 0) + length(CAST(id AS BLOB))) FROM {part}"
)
GATHERED: Final = """
SELECT group_concat(seq_no), group_concat(term), group_concat(version), group_concat(kind),
    group_concat(length(CAST(id AS BLOB))), CAST(group_concat(id, '') AS BLOB),
    group_concat(ifnull(length(CAST(routing AS BLOB)), -1)), CAST(group_concat(routing, '') AS BLOB),
    group_concat(ifnull(length(source), -1)), CAST(group_concat(source, '') AS BLOB),
    group_concat(wall_ms)
FROM {part}
"""
KINDS: Final = (OpKind.INDEX, OpKind.DELETE, OpKind.NO_OP)
"""By their numbers in a row."""
_NUMBERS = msgspec.json.Decoder(list[int])
_TEXTS = msgspec.json.Decoder(list[str])


def whole_numbers(joined: str | int) -> list[int]:
    """Those of a `group_concat`."""
    return _NUMBERS.decode(f"[{joined}]")


def texts(json_array: str) -> list[str]:
    """Those of a `json_group_array`."""
    return _TEXTS.decode(json_array)


def gathered_operations(row: tuple[Any, ...]) -> list[Operation]:
    """The operations of a row that GATHERED selects, in their order. Raises Internal where they are in none."""
    if row[0] is None:
        return []
    seq_nos, terms, versions, kinds, id_lengths = map(whole_numbers, row[:5])
    routing_lengths, source_lengths, walls = map(whole_numbers, (row[6], row[8], row[10]))
    ids, routings, sources = row[5] or b"", row[7] or b"", row[9] or b""
    found: list[Operation] = []
    id_at = routing_at = source_at = 0
    last = -1
    for n, seq_no in enumerate(seq_nos):
        if seq_no <= last:
            raise Internal("the operation log failed: operations came in no order")
        last = seq_no
        id_end = id_at + id_lengths[n]
        doc_id = ids[id_at:id_end].decode()
        id_at = id_end
        routing = source = None
        length = routing_lengths[n]
        if length >= 0:
            routing = routings[routing_at : routing_at + length].decode()
            routing_at += length
        length = source_lengths[n]
        if length >= 0:
            source = sources[source_at : source_at + length]
            source_at += length
        found.append(
            Operation(
                seq_no, terms[n], versions[n], KINDS[kinds[n]], doc_id, routing, source, walls[n]
            )
        )
    return found
