"""What a follower asks of its leader's cluster: which indices there are, their operations, copies of them, leases.

Requests and small answers are the structs of `model.replication` as msgpack maps; members that are not known are passed
over, and what is new has a default. What carries operations is one msgpack array behind the CRC-32 (IEEE, big-endian)
of its bytes: a flipped bit in a document would be a document too. The actions are the reference's, the messages ours.
"""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from sealane.errors import IllegalArgument, TransportSerialization
from sealane.model.document import Operation
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    HistoryMark,
    LeaderCluster,
    LeaderIndex,
    ShardHistory,
    ShardRef,
)
from sealane.remote.transport.messages import decode

HISTORIES: Final = "indices:monitor/stats"
STATE: Final = "cluster:monitor/state"
CHANGES: Final = "indices:data/read/xpack/ccr/shard_changes"
OPEN_COPY: Final = "indices:internal/admin/ccr/restore/session/put"
COPY: Final = "indices:internal/admin/ccr/restore/file_chunk/get"
DOCUMENTS: Final = "indices:internal/admin/ccr/restore/file_chunk/get[documents]"
ADD_LEASE: Final = "indices:admin/seq_no/add_retention_lease"
RENEW_LEASE: Final = "indices:admin/seq_no/renew_retention_lease"
REMOVE_LEASE: Final = "indices:admin/seq_no/remove_retention_lease"

IDS_MAX: Final = 10_000
"""Documents that are asked for by their ids at once."""
NAME_MAX_BYTES: Final = 255
LEASE_ID_MAX: Final = 4_096
"""Characters: several names and uuids are in it."""


class HistoriesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Where the shards of an index stand. Whoever may ask this may follow the index."""

    index: str


class HistoriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`uuid` is empty, and there are no shards, where the name is no open index's."""

    uuid: str
    shards: tuple[ShardHistory, ...] = ()


class StateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to follow: one index, or without a name all of them.

    With `newer_than` the answer comes as soon as the metadata has another version than that, after `timeout_ms`
    without any.
    """

    index: str | None = None
    newer_than: int | None = None
    timeout_ms: int = 0


class StateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Both None where nothing has changed in time. `index` is without its histories."""

    index: LeaderIndex | None = None
    cluster: LeaderCluster | None = None


class OpenCopyRequest(msgspec.Struct, frozen=True, kw_only=True):
    shard: ShardRef
    lease_id: str


class DocumentsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The live documents of these ids."""

    shard: ShardRef
    ids: tuple[str, ...]
    history_uuid: str


class DocumentsAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The documents there are of the first `answered` ids, at least of one."""

    operations: list[Operation]
    answered: int


class LeaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`retaining_seq_no` says nothing where a lease is removed."""

    shard: ShardRef
    lease_id: str
    retaining_seq_no: int = -1


class _Changes(msgspec.Struct, frozen=True, array_like=True):
    operations: list[Operation]
    checkpoint: int
    max_seq_no: int
    mapping_version: int
    settings_version: int
    aliases_version: int
    history_uuid: str
    now_ms: int
    took_ms: int


class _Copied(msgspec.Struct, frozen=True, array_like=True):
    operations: list[Operation]
    up_to: int
    checkpoint: int
    mapping_version: int
    total_docs: int
    mark: HistoryMark | None


M = TypeVar("M")
Q = TypeVar("Q")
A = TypeVar("A")

_CHECKSUM: Final = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_changes_decoder = msgspec.msgpack.Decoder(_Changes)
_copied_decoder = msgspec.msgpack.Decoder(_Copied)
_documents_decoder = msgspec.msgpack.Decoder(DocumentsAnswer)


class Message(Generic[Q, A]):
    """One action whose request and answer are structs: how both are written and read.

    `check` raises IllegalArgument for a request that cannot be meant; `index` tells the name that a request leads to.
    """

    def __init__(
        self,
        action: str,
        request: type[Q],
        answer: type[A],
        check: Callable[[Q], None],
        index: Callable[[Q], str | None],
    ) -> None:
        self.action = action
        self._index = index
        self._check = check
        self._requests: msgspec.msgpack.Decoder[Q] = msgspec.msgpack.Decoder(request)
        self._answers: msgspec.msgpack.Decoder[A] = msgspec.msgpack.Decoder(answer)

    def encode(self, message: Q | A) -> bytes:
        return _encoder.encode(message)

    def read_request(self, payload: bytes) -> Q:
        """Raises IllegalArgument."""
        request = decode(self._requests, payload, self.action)
        self._check(request)
        return request

    def read_answer(self, payload: bytes) -> A:
        """Raises TransportSerialization."""
        return read_answer(self._answers, payload, self.action)

    def indices(self, request: Q) -> Sequence[str]:
        """The names that a request leads to, for whoever authorizes it."""
        name = self._index(request)
        return () if name is None else (name,)


def read_answer(decoder: msgspec.msgpack.Decoder[M], payload: bytes, action: str) -> M:
    """Raises TransportSerialization for bytes that are not what the decoder reads: asking again may help."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TransportSerialization(f"malformed answer to action [{action}]: {error}") from error


# -- answers with operations ---------------------------------------------------------------------------------------


def encode_changes_answer(answer: ChangesAnswer) -> bytes:
    return _checked(
        _Changes(
            _as_list(answer.operations),
            answer.checkpoint,
            answer.max_seq_no,
            answer.mapping_version,
            answer.settings_version,
            answer.aliases_version,
            answer.history_uuid,
            answer.now_ms,
            answer.took_ms,
        )
    )


def decode_changes_answer(payload: bytes) -> ChangesAnswer:
    """Raises TransportSerialization for bytes that are none, or not those that were sent; the others too."""
    found = read_answer(_changes_decoder, _proven(payload, CHANGES), CHANGES)
    return ChangesAnswer(
        operations=found.operations,
        checkpoint=found.checkpoint,
        max_seq_no=found.max_seq_no,
        mapping_version=found.mapping_version,
        settings_version=found.settings_version,
        aliases_version=found.aliases_version,
        history_uuid=found.history_uuid,
        now_ms=found.now_ms,
        took_ms=found.took_ms,
    )


def encode_copy_answer(answer: CopyAnswer) -> bytes:
    return _checked(
        _Copied(
            _as_list(answer.operations),
            answer.up_to,
            answer.checkpoint,
            answer.mapping_version,
            answer.total_docs,
            answer.mark,
        )
    )


def decode_copy_answer(payload: bytes) -> CopyAnswer:
    found = read_answer(_copied_decoder, _proven(payload, COPY), COPY)
    return CopyAnswer(
        operations=found.operations,
        up_to=found.up_to,
        checkpoint=found.checkpoint,
        mapping_version=found.mapping_version,
        total_docs=found.total_docs,
        mark=found.mark,
    )


def encode_documents_answer(answer: DocumentsAnswer) -> bytes:
    return _checked(answer)


def decode_documents_answer(payload: bytes) -> DocumentsAnswer:
    return read_answer(_documents_decoder, _proven(payload, DOCUMENTS), DOCUMENTS)


def _as_list(operations: Sequence[Operation]) -> list[Operation]:
    return operations if isinstance(operations, list) else list(operations)


def _checked(message: Any) -> bytes:
    body = _encoder.encode(message)
    return _CHECKSUM.pack(zlib.crc32(body)) + body


def _proven(payload: bytes, action: str) -> bytes:
    """What stands behind the checksum. Raises TransportSerialization."""
    if len(payload) >= _CHECKSUM.size:
        (wanted,) = _CHECKSUM.unpack_from(payload)
        body = payload[_CHECKSUM.size :]
        if zlib.crc32(body) == wanted:
            return body
    raise TransportSerialization(
        f"the answer to action [{action}] was damaged on its way: its [{len(payload)}] bytes do not fit its checksum"
    )


# -- requests that make sense --------------------------------------------------------------------------------------


def _check_name(name: str) -> None:
    if not name or len(name.encode("utf-8", "surrogatepass")) > NAME_MAX_BYTES:
        raise IllegalArgument("an index is named by 1 to 255 bytes")


def _check_shard(shard: ShardRef) -> None:
    _check_name(shard.index)
    if shard.shard < 0:
        raise IllegalArgument(f"[shard] must not be negative, found [{shard.shard}]")


def _check_positive(name: str, value: int) -> None:
    if value <= 0:
        raise IllegalArgument(f"[{name}] must be larger than 0, found [{value}]")


def _check_not_negative(name: str, value: int) -> None:
    if value < 0:
        raise IllegalArgument(f"[{name}] must not be negative, found [{value}]")


def _check_state(request: StateRequest) -> None:
    if request.index is not None:
        _check_name(request.index)
    _check_not_negative("timeout_ms", request.timeout_ms)


def _check_changes(request: ChangesRequest) -> None:
    _check_shard(request.shard)
    _check_not_negative("from_seq_no", request.from_seq_no)
    _check_positive("max_count", request.max_count)
    _check_positive("max_bytes", request.max_bytes)
    _check_not_negative("poll_timeout_ms", request.poll_timeout_ms)
    previous = request.previous
    if previous is not None and previous.seq_no != request.from_seq_no - 1:
        raise IllegalArgument(
            f"[previous] must be the operation before [{request.from_seq_no}], found [{previous.seq_no}]"
        )


def _check_copy(request: CopyRequest) -> None:
    _check_shard(request.shard)
    _check_not_negative("from_seq_no", request.from_seq_no)
    _check_positive("max_count", request.max_count)
    _check_positive("max_bytes", request.max_bytes)
    if request.to_seq_no < request.from_seq_no:
        raise IllegalArgument(
            f"[to_seq_no] must not be before [{request.from_seq_no}], found [{request.to_seq_no}]"
        )


def _check_documents(request: DocumentsRequest) -> None:
    _check_shard(request.shard)
    if not 0 < len(request.ids) <= IDS_MAX:
        raise IllegalArgument(
            f"[1] to [{IDS_MAX}] documents can be asked for at once, found [{len(request.ids)}]"
        )


def _check_lease_id(shard: ShardRef, lease_id: str) -> None:
    _check_shard(shard)
    if not 0 < len(lease_id) <= LEASE_ID_MAX:
        raise IllegalArgument(f"a retention lease's ID has 1 to {LEASE_ID_MAX} characters")


def _check_lease(request: LeaseRequest) -> None:
    _check_lease_id(request.shard, request.lease_id)
    if not -1 <= request.retaining_seq_no < 2**63:
        raise IllegalArgument(
            f"retention lease retaining sequence number [{request.retaining_seq_no}] out of range"
        )


HISTORIES_MESSAGE: Final = Message(
    HISTORIES,
    HistoriesRequest,
    HistoriesAnswer,
    lambda asked: _check_name(asked.index),
    lambda asked: asked.index,
)
STATE_MESSAGE: Final = Message(
    STATE, StateRequest, StateAnswer, _check_state, lambda asked: asked.index
)
CHANGES_MESSAGE: Final = Message(
    CHANGES, ChangesRequest, bytes, _check_changes, lambda asked: asked.shard.index
)
"""Its answer is written by `encode_changes_answer`; those of the next two by functions of their own as well."""
COPY_MESSAGE: Final = Message(
    COPY, CopyRequest, bytes, _check_copy, lambda asked: asked.shard.index
)
DOCUMENTS_MESSAGE: Final = Message(
    DOCUMENTS, DocumentsRequest, bytes, _check_documents, lambda asked: asked.shard.index
)
OPEN_COPY_MESSAGE: Final = Message(
    OPEN_COPY,
    OpenCopyRequest,
    CopyStart,
    lambda asked: _check_lease_id(asked.shard, asked.lease_id),
    lambda asked: asked.shard.index,
)


def _lease_message(action: str) -> Message[LeaseRequest, bytes]:
    """Its answer is empty."""
    return Message(action, LeaseRequest, bytes, _check_lease, lambda asked: asked.shard.index)


ADD_LEASE_MESSAGE: Final = _lease_message(ADD_LEASE)
RENEW_LEASE_MESSAGE: Final = _lease_message(RENEW_LEASE)
REMOVE_LEASE_MESSAGE: Final = _lease_message(REMOVE_LEASE)

MESSAGES: Final[tuple[Message[Any, Any], ...]] = (
    HISTORIES_MESSAGE,
    STATE_MESSAGE,
    CHANGES_MESSAGE,
    COPY_MESSAGE,
    DOCUMENTS_MESSAGE,
    OPEN_COPY_MESSAGE,
    ADD_LEASE_MESSAGE,
    RENEW_LEASE_MESSAGE,
    REMOVE_LEASE_MESSAGE,
)


def _names_of(message: Message[Any, Any]) -> Callable[[bytes], Sequence[str]]:
    return lambda payload: message.indices(message.read_request(payload))


REPLICATION: Final[Mapping[str, Callable[[bytes], Sequence[str]]]] = {
    message.action: _names_of(message) for message in MESSAGES
}
"""The actions here, each with how the names of an encoded request are found."""
WAITING: Final = frozenset({CHANGES, STATE})
"""Those whose answer may be waited for, as long as the request says."""
