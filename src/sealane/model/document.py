"""Operations on documents, on their way to a shard and as its operation log keeps them.

They hold scalars only, so the garbage collector need not visit them (`gc=False`).
"""

from enum import IntEnum, StrEnum

import msgspec


class OpType(StrEnum):
    INDEX = "index"
    CREATE = "create"
    DELETE = "delete"


class VersionType(StrEnum):
    INTERNAL = "internal"
    EXTERNAL = "external"
    EXTERNAL_GTE = "external_gte"


class WriteOp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One write as the client asked for it; the primary turns it into an Operation.

    `id` None asks for a generated one. `source` is the JSON object's bytes, None for a delete. A conditional write
    names `if_seq_no` and `if_primary_term`; a versioned one `version` with a `version_type`.
    """

    op: OpType
    id: str | None = None
    routing: str | None = None
    source: bytes | None = None
    if_seq_no: int | None = None
    if_primary_term: int | None = None
    version: int | None = None
    version_type: VersionType = VersionType.INTERNAL


class WriteResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one WriteOp. `result` is `created`, `updated`, `deleted`, `not_found`."""

    id: str
    result: str
    version: int
    seq_no: int
    primary_term: int
    shard: int = 0


class OpKind(IntEnum):
    INDEX = 0
    DELETE = 1
    NO_OP = 2


class Operation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of a shard's history: disk format 1 and what replication carries."""

    seq_no: int
    term: int
    version: int
    kind: OpKind
    id: str
    routing: str | None
    source: bytes | None
    wall_ms: int


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A live document as a get returns it."""

    id: str
    version: int
    seq_no: int
    primary_term: int
    source: bytes
    routing: str | None = None
