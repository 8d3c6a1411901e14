"""What is believed of a leader's answer: operations that fit what was asked, and can have been written at all.

A follower writes them as they come, so none may be missing, come twice, or lie beyond what the leader says it has; ids
and sources must be what a document can have. An answer that does not fit is refused as a whole, as one that was damaged
on its way is: asking again may help, and nothing of it has been applied.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from sealane.errors import TransportSerialization
from sealane.model.document import Operation, OpKind
from sealane.model.replication import (
    NO_OPERATIONS,
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
)
from sealane.remote.transport.messages_replication import (
    CHANGES,
    COPY,
    DOCUMENTS,
    OPEN_COPY,
    DocumentsAnswer,
)

ID_MAX_BYTES: Final = 512
LONG_MAX: Final = 2**63 - 1
"""The highest number that can be kept."""
_SEQ_NO_MAX: Final = 2**62
"""With room for those that come after it; so with terms and times."""
_HISTORY_MAX: Final = 255
"""Characters of the name of a history."""
_ROUTING_MAX_BYTES: Final = 2**16 - 2
"""As long as one can be kept."""
_SHORT_ID: Final = ID_MAX_BYTES // 4
"""Characters that never take more bytes."""
_read_json: Final = msgspec.json.Decoder(msgspec.Raw).decode
"""Looks at all of the bytes, and makes nothing of them."""


def check_changes(request: ChangesRequest, answer: ChangesAnswer) -> None:
    """Raises TransportSerialization for an answer that cannot be one to that request; the others too."""
    operations = answer.operations
    if len(operations) > request.max_count:
        raise _refused(CHANGES, f"[{len(operations)}] operations, not [{request.max_count}]")
    expected = request.from_seq_no
    for operation in operations:
        if operation.seq_no != expected:
            raise _refused(CHANGES, f"operation [{operation.seq_no}] in place of [{expected}]")
        expected += 1
    if operations and expected - 1 > answer.checkpoint:
        raise _refused(
            CHANGES, f"operation [{expected - 1}] is above the checkpoint [{answer.checkpoint}]"
        )
    if not NO_OPERATIONS <= answer.checkpoint <= answer.max_seq_no <= _SEQ_NO_MAX:
        raise _refused(
            CHANGES,
            f"a checkpoint [{answer.checkpoint}] with the highest number [{answer.max_seq_no}]",
        )
    if not 0 < len(answer.history_uuid) <= _HISTORY_MAX:
        raise _refused(CHANGES, "no history uuid")
    versions = (answer.mapping_version, answer.settings_version, answer.aliases_version)
    if not all(0 <= each <= LONG_MAX for each in versions):
        raise _refused(CHANGES, f"versions {list(versions)} of mapping, settings and aliases")
    if not (0 <= answer.took_ms <= LONG_MAX and abs(answer.now_ms) <= _SEQ_NO_MAX):
        raise _refused(CHANGES, f"a time [{answer.now_ms}], after [{answer.took_ms}]")
    if not operations and request.from_seq_no <= answer.checkpoint:
        raise _refused(
            CHANGES,
            f"no operation [{request.from_seq_no}] below the checkpoint [{answer.checkpoint}]",
        )
    _check_contents(CHANGES, operations)


def check_copy(request: CopyRequest, answer: CopyAnswer) -> None:
    operations = answer.operations
    if len(operations) > request.max_count:
        raise _refused(COPY, f"[{len(operations)}] documents, not [{request.max_count}]")
    last = request.from_seq_no - 1
    for operation in operations:
        if operation.seq_no <= last:
            raise _refused(COPY, f"document [{operation.seq_no}] after [{last}]")
        last = operation.seq_no
        if operation.kind is not OpKind.INDEX:
            raise _refused(COPY, f"operation [{last}] is no document")
    # A page without progress would be asked for again without end.
    if not max(last, request.from_seq_no) <= answer.up_to <= request.to_seq_no:
        raise _refused(
            COPY,
            f"documents up to [{answer.up_to}], the last being [{last}], of "
            f"[{request.from_seq_no}] to [{request.to_seq_no}]",
        )
    if not operations and answer.up_to != request.to_seq_no:
        raise _refused(COPY, f"no documents, and none up to [{answer.up_to}] alone")
    if answer.checkpoint < answer.up_to:
        raise _refused(
            COPY, f"documents up to [{answer.up_to}] above the checkpoint [{answer.checkpoint}]"
        )
    if answer.checkpoint > _SEQ_NO_MAX:
        raise _refused(COPY, f"a checkpoint [{answer.checkpoint}]")
    if answer.mark is not None and answer.mark.seq_no != answer.checkpoint:
        raise _refused(COPY, f"operation [{answer.mark.seq_no}] as the last, [{answer.checkpoint}]")
    if not (0 <= answer.total_docs <= LONG_MAX and 0 <= answer.mapping_version <= LONG_MAX):
        raise _refused(
            COPY, f"[{answer.total_docs}] documents of the mapping [{answer.mapping_version}]"
        )
    _check_contents(COPY, operations)


def check_documents(ids: Sequence[str], answer: DocumentsAnswer) -> None:
    operations = answer.operations
    if not 0 < answer.answered <= len(ids):
        raise _refused(DOCUMENTS, f"[{answer.answered}] of [{len(ids)}] ids are answered")
    found = {each.id for each in operations}
    if len(found) != len(operations) or not found.issubset(ids[: answer.answered]):
        raise _refused(DOCUMENTS, "documents that were not asked for")
    if any(each.kind is not OpKind.INDEX for each in operations):
        raise _refused(DOCUMENTS, "operations that are no documents")
    _check_contents(DOCUMENTS, operations)


def check_start(start: CopyStart) -> None:
    if (
        not NO_OPERATIONS <= start.checkpoint <= _SEQ_NO_MAX
        or not 0 < len(start.history_uuid) <= _HISTORY_MAX
    ):
        raise _refused(OPEN_COPY, f"a copy of no history up to [{start.checkpoint}]")
    if not (0 <= start.total_docs <= LONG_MAX and 0 <= start.total_bytes <= LONG_MAX):
        raise _refused(
            OPEN_COPY, f"[{start.total_docs}] documents of [{start.total_bytes}] bytes to copy"
        )
    mark = start.mark
    if mark is not None and not (
        mark.seq_no == start.checkpoint
        and 1 <= mark.term <= _SEQ_NO_MAX
        and -LONG_MAX - 1 <= mark.version <= LONG_MAX
        and abs(mark.wall_ms) <= _SEQ_NO_MAX
        and len(mark.id.encode()) <= ID_MAX_BYTES
    ):
        raise _refused(OPEN_COPY, f"[{start.checkpoint}] is no operation that there can be")


def _check_contents(action: str, operations: Sequence[Operation]) -> None:
    """Ids, and sources as the bytes that will be shown. That ids are text was seen when they were decoded."""
    seq_no = NO_OPERATIONS
    try:
        for operation in operations:
            seq_no, source = operation.seq_no, operation.source
            # Most are like this; what is unlike is looked at closer.
            if source is None or source[:1] != b"{" or operation.kind is not OpKind.INDEX:
                _check_odd(action, operation)
            if source is not None:
                _read_json(source)
                if not source.isascii():
                    source.decode()
            name = operation.id
            if len(name) > _SHORT_ID or not name:
                _check_id(action, operation)
            if not (
                1 <= operation.term <= _SEQ_NO_MAX
                and -LONG_MAX - 1 <= operation.version <= LONG_MAX  # the next one after the highest
                and 0 <= seq_no <= _SEQ_NO_MAX
                and -_SEQ_NO_MAX <= operation.wall_ms <= _SEQ_NO_MAX
            ):
                raise _refused(
                    action,
                    f"operation [{seq_no}] of term [{operation.term}], version [{operation.version}], at "
                    f"[{operation.wall_ms}]",
                )
            if operation.routing is not None:
                _check_routing(action, operation, operation.routing)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(action, f"the source of operation [{seq_no}] is no JSON: {error}") from error


def _check_odd(action: str, operation: Operation) -> None:
    """Of operations that are not plainly of an object: deletions, nothing at all, and objects with blanks before."""
    seq_no, source = operation.seq_no, operation.source
    if operation.kind is not OpKind.INDEX:
        if source is not None:
            raise _refused(action, f"operation [{seq_no}] writes no document, and has a source")
    elif source is None:
        raise _refused(action, f"operation [{seq_no}] has no source")
    elif source.lstrip(b" \t\r\n")[:1] != b"{":
        _read_json(source)
        raise _refused(action, f"the source of operation [{seq_no}] is no object")


def _check_routing(action: str, operation: Operation, routing: str) -> None:
    if len(routing) > _ROUTING_MAX_BYTES or len(routing.encode()) > _ROUTING_MAX_BYTES:
        raise _refused(
            action, f"operation [{operation.seq_no}] has a routing of [{len(routing)}] characters"
        )


def _check_id(action: str, operation: Operation) -> None:
    """Of ids that are none, or perhaps too long."""
    name = operation.id
    if operation.kind is OpKind.NO_OP and not name:
        return
    if not name or len(name.encode()) > ID_MAX_BYTES:
        raise _refused(
            action, f"operation [{operation.seq_no}] has an id that no document can have"
        )


def _refused(action: str, problem: str) -> TransportSerialization:
    return TransportSerialization(f"unbelievable answer to action [{action}]: {problem}")
