"""What followers and leaders say to each other, as bytes, and what of it is believed."""

import zlib
from typing import Any

import msgspec
import pytest

from sealane.errors import IllegalArgument, TransportSerialization
from sealane.model.document import Operation, OpKind
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    HistoryMark,
    ShardRef,
)
from sealane.remote.transport import messages_replication as messages
from sealane.remote.transport.believed_operations import (
    check_changes,
    check_copy,
    check_documents,
    check_start,
)
from sealane.remote.transport.messages_replication import (
    DocumentsAnswer,
    DocumentsRequest,
    LeaseRequest,
    OpenCopyRequest,
    StateRequest,
    decode_changes_answer,
    decode_copy_answer,
    decode_documents_answer,
    encode_changes_answer,
    encode_copy_answer,
    encode_documents_answer,
)
from sealane.wire import Frame, FrameDecoder
from tests.wire_vectors import VECTORS

SHARD = ShardRef(index="logs", index_uuid="u", shard=0)
OPERATIONS = [
    Operation(5, 1, 1, OpKind.INDEX, "a", None, b'{"n":1}', 1000),
    Operation(6, 1, 2, OpKind.DELETE, "a", "r", None, 1001),
    Operation(7, 2, 0, OpKind.NO_OP, "", None, None, 1002),
]


def changes(operations: Any = OPERATIONS, **other: Any) -> ChangesAnswer:
    said: dict[str, Any] = {
        "checkpoint": 9,
        "max_seq_no": 9,
        "mapping_version": 2,
        "settings_version": 1,
        "aliases_version": 1,
        "history_uuid": "h",
        "now_ms": 2000,
        "took_ms": 3,
    }
    return ChangesAnswer(operations=operations, **{**said, **other})


def asked(**other: Any) -> ChangesRequest:
    said: dict[str, Any] = {
        "shard": SHARD,
        "from_seq_no": 5,
        "max_count": 3,
        "max_bytes": 100,
        "poll_timeout_ms": 0,
        "history_uuid": "h",
    }
    return ChangesRequest(**{**said, **other})


def op(seq_no: int = 5, **other: Any) -> Operation:
    return msgspec.structs.replace(OPERATIONS[0], seq_no=seq_no, **other)


def test_answers_with_operations_cross_unchanged() -> None:
    assert decode_changes_answer(encode_changes_answer(changes())) == changes()
    copied = CopyAnswer(
        operations=OPERATIONS[:1], up_to=7, checkpoint=9, mapping_version=1, total_docs=4
    )
    assert decode_copy_answer(encode_copy_answer(copied)) == copied
    found = DocumentsAnswer(OPERATIONS[:1], 2)
    assert decode_documents_answer(encode_documents_answer(found)) == found


def test_an_answer_is_a_checksum_and_an_array() -> None:
    """As docs/wire-protocol.md shows it."""
    answer = changes(OPERATIONS[:1], checkpoint=5, max_seq_no=5)
    (frame,) = FrameDecoder().receive_data(VECTORS["replication-changes-answer"])
    assert isinstance(frame, Frame)
    assert encode_changes_answer(answer) == bytes(frame.body)
    assert decode_changes_answer(bytes(frame.body)) == answer


@pytest.mark.parametrize("bit", range(0, 8 * 60, 7))
def test_no_flipped_bit_is_taken_for_an_operation(bit: int) -> None:
    """R-106: it is as if no answer had come, also where the bytes would make another document."""
    payload = bytearray(encode_changes_answer(changes()))
    payload[bit // 8 % len(payload)] ^= 1 << bit % 8
    with pytest.raises(TransportSerialization, match="was damaged on its way"):
        decode_changes_answer(bytes(payload))


@pytest.mark.parametrize("cut", [0, 3, 4, 20])
def test_an_answer_that_was_cut_is_none(cut: int) -> None:
    """R-99."""
    with pytest.raises(TransportSerialization):
        decode_changes_answer(encode_changes_answer(changes())[:cut])


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x90", msgspec.msgpack.encode({"a": 1})])
def test_what_is_no_answer_is_refused_whatever_its_checksum(body: bytes) -> None:
    payload = zlib.crc32(body).to_bytes(4, "big") + body
    for decode in (decode_changes_answer, decode_copy_answer, decode_documents_answer):
        with pytest.raises(TransportSerialization, match="malformed answer"):
            decode(payload)


def test_requests_cross_unchanged() -> None:
    previous = HistoryMark(4, 1, 1, "z", 900)
    for message, request in (
        (messages.CHANGES_MESSAGE, asked(previous=previous)),
        (
            messages.COPY_MESSAGE,
            CopyRequest(
                shard=SHARD,
                from_seq_no=0,
                to_seq_no=4,
                max_count=1,
                max_bytes=1,
                history_uuid="h",
                mark=previous,
            ),
        ),
        (messages.STATE_MESSAGE, StateRequest(newer_than=3, timeout_ms=5)),
        (messages.ADD_LEASE_MESSAGE, LeaseRequest(shard=SHARD, lease_id="l", retaining_seq_no=-1)),
        (messages.OPEN_COPY_MESSAGE, OpenCopyRequest(shard=SHARD, lease_id="l")),
    ):
        assert message.read_request(message.encode(request)) == request


def test_a_request_may_have_members_that_are_not_known_yet() -> None:
    told = msgspec.msgpack.decode(messages.CHANGES_MESSAGE.encode(asked()))
    later = msgspec.msgpack.encode({**told, "invented": [1]})
    assert messages.CHANGES_MESSAGE.read_request(later) == asked()


SENSELESS = [
    (messages.CHANGES_MESSAGE, asked(from_seq_no=-1), "[from_seq_no] must not be negative"),
    (messages.CHANGES_MESSAGE, asked(max_count=0), "[max_count] must be larger than 0"),
    (messages.CHANGES_MESSAGE, asked(max_bytes=0), "[max_bytes] must be larger than 0"),
    (messages.CHANGES_MESSAGE, asked(poll_timeout_ms=-1), "[poll_timeout_ms] must not be"),
    (
        messages.CHANGES_MESSAGE,
        asked(previous=HistoryMark(3, 1, 1, "z", 9)),
        "[previous] must be the operation before [5], found [3]",
    ),
    (
        messages.CHANGES_MESSAGE,
        asked(shard=ShardRef(index="", index_uuid="u", shard=0)),
        "an index is named by 1 to 255 bytes",
    ),
    (
        messages.CHANGES_MESSAGE,
        asked(shard=ShardRef(index="x" * 256, index_uuid="u", shard=0)),
        "an index is named by 1 to 255 bytes",
    ),
    (
        messages.CHANGES_MESSAGE,
        asked(shard=ShardRef(index="i", index_uuid="u", shard=-1)),
        "[shard] must not be negative",
    ),
    (
        messages.COPY_MESSAGE,
        CopyRequest(
            shard=SHARD, from_seq_no=5, to_seq_no=4, max_count=1, max_bytes=1, history_uuid="h"
        ),
        "[to_seq_no] must not be before [5], found [4]",
    ),
    (
        messages.DOCUMENTS_MESSAGE,
        DocumentsRequest(shard=SHARD, ids=(), history_uuid="h"),
        "[1] to [10000] documents",
    ),
    (
        messages.DOCUMENTS_MESSAGE,
        DocumentsRequest(shard=SHARD, ids=("x",) * 10_001, history_uuid="h"),
        "[1] to [10000] documents",
    ),
    (
        messages.ADD_LEASE_MESSAGE,
        LeaseRequest(shard=SHARD, lease_id=""),
        "a retention lease's ID has 1 to 4096 characters",
    ),
    (
        messages.ADD_LEASE_MESSAGE,
        LeaseRequest(shard=SHARD, lease_id="l", retaining_seq_no=-2),
        "retaining sequence number [-2] out of range",
    ),
    (messages.STATE_MESSAGE, StateRequest(timeout_ms=-1), "[timeout_ms] must not be negative"),
    (messages.HISTORIES_MESSAGE, messages.HistoriesRequest(index=""), "an index is named by"),
]


@pytest.mark.parametrize(("message", "request_", "text"), SENSELESS)
def test_a_request_that_cannot_be_meant_is_refused(
    message: messages.Message[Any, Any], request_: Any, text: str
) -> None:
    with pytest.raises(IllegalArgument) as raised:
        message.read_request(message.encode(request_))
    assert text in raised.value.reason


DISBELIEVED = [
    (changes([op(6)]), "operation [6] in place of [5]"),
    (changes([op(5), op(7)]), "operation [7] in place of [6]"),
    (changes([op(5), op(5)]), "operation [5] in place of [6]"),
    (changes([op(5), op(6), op(7), op(8)]), "[4] operations, not [3]"),
    (changes(checkpoint=6), "operation [7] is above the checkpoint [6]"),
    (changes([], checkpoint=9, max_seq_no=8), "a checkpoint [9] with the highest number [8]"),
    (changes([], checkpoint=-2, max_seq_no=-2), "a checkpoint [-2]"),
    (changes([], history_uuid=""), "no history uuid"),
    (changes([op(id="")]), "has an id that no document can have"),
    (changes([op(id="x" * 513)]), "has an id that no document can have"),
    (changes([op(id="\u20ac" * 171)]), "has an id that no document can have"),
    (changes([op(source=None)]), "operation [5] has no source"),
    (changes([op(source=b"{")]), "the source of operation [5] is no JSON"),
    (changes([op(source=b'{"a":"\xff"}')]), "the source of operation [5] is no JSON"),
    (changes([op(source=b"[1]")]), "the source of operation [5] is no object"),
    (changes([op(kind=OpKind.DELETE)]), "operation [5] writes no document, and has a source"),
    (changes([op(term=0)]), "of term [0]"),
]


@pytest.mark.parametrize(("answer", "text"), DISBELIEVED)
def test_operations_that_no_leader_can_have_are_not_believed(
    answer: ChangesAnswer, text: str
) -> None:
    with pytest.raises(TransportSerialization) as raised:
        check_changes(asked(), answer)
    assert text in raised.value.reason


def test_what_a_leader_can_have_is_believed() -> None:
    check_changes(asked(), changes())
    check_changes(asked(), changes([], checkpoint=-1, max_seq_no=-1))
    check_changes(asked(), changes([op(id="\u20ac" * 170, source=b' \n{"a":"\xc3\xa4"}')]))


def copied(operations: Any, up_to: int = 9, checkpoint: int = 9) -> CopyAnswer:
    return CopyAnswer(
        operations=operations, up_to=up_to, checkpoint=checkpoint, mapping_version=1, total_docs=1
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (copied([op(4)]), "document [4] after [4]"),
        (copied([op(6), op(6)]), "document [6] after [6]"),
        (copied([op(10)]), "documents up to [9], the last being [10]"),
        (copied([], up_to=10), "documents up to [10]"),
        (copied([], up_to=4), "documents up to [4]"),
        (copied([op(5), op(6), op(7)]), "[3] documents, not [2]"),
        (copied([op(7)], up_to=6), "documents up to [6], the last being [7]"),
        (copied([op(5)], checkpoint=8), "documents up to [9] above the checkpoint [8]"),
        (copied([op(kind=OpKind.DELETE, source=None)]), "operation [5] is no document"),
        (copied([op(source=b"1")]), "is no object"),
    ],
)
def test_pages_that_no_leader_can_have_are_not_believed(answer: CopyAnswer, text: str) -> None:
    request = CopyRequest(
        shard=SHARD, from_seq_no=5, to_seq_no=9, max_count=2, max_bytes=1, history_uuid="h"
    )
    check_copy(request, copied([op(5), op(8)]))
    check_copy(request, copied([]))
    with pytest.raises(TransportSerialization) as raised:
        check_copy(request, answer)
    assert text in raised.value.reason


@pytest.mark.parametrize(
    "answer",
    [
        DocumentsAnswer([op(id="c")], 2),
        DocumentsAnswer([op(id="b")], 1),
        DocumentsAnswer([op(id="a"), op(id="a")], 2),
        DocumentsAnswer([], 0),
        DocumentsAnswer([], 3),
        DocumentsAnswer([op(id="a", kind=OpKind.NO_OP)], 1),
    ],
)
def test_documents_that_were_not_asked_for_are_not_believed(answer: DocumentsAnswer) -> None:
    check_documents(["a", "b"], DocumentsAnswer([op(id="b")], 2))
    with pytest.raises(TransportSerialization):
        check_documents(["a", "b"], answer)


def test_a_copy_begins_somewhere() -> None:
    check_start(CopyStart(checkpoint=-1, history_uuid="h", total_docs=0, total_bytes=0))
    for checkpoint, history in ((-2, "h"), (1, "")):
        with pytest.raises(TransportSerialization):
            check_start(
                CopyStart(checkpoint=checkpoint, history_uuid=history, total_docs=0, total_bytes=0)
            )
