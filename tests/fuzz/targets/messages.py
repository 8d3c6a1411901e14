"""The msgpack messages between Sealane nodes and clusters, requests and answers."""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from sealane.cluster import forwarded, node_reports, published, relay, task_lists
from sealane.errors import ApiError
from sealane.model.about_indices import FieldCapsPart, ResolvedNames, TermsEnumPart
from sealane.model.clusters import ClusterMatch, ClusterStats
from sealane.model.document import Operation, OpKind
from sealane.model.opaque import NotAnId, make_id
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    ShardRef,
)
from sealane.reduce.partial import Partial
from sealane.remote.transport import messages, messages_clusters, messages_indices
from sealane.remote.transport import messages_phases as phases
from sealane.remote.transport import messages_replication as replication
from sealane.remote.transport.believed_operations import (
    check_changes,
    check_copy,
    check_documents,
)
from sealane.search.context_ids import (
    HeldCluster,
    ScrolledCluster,
    read_pit_id,
    read_scroll_id,
)
from tests.fuzz.target import Target
from tests.fuzz.targets.examples import example

Reader = Callable[[bytes], Any]


def _published(kind: type[Any]) -> tuple[Reader, Any]:
    return lambda payload: published.decode(kind, payload, "action"), kind


_PHASES = {
    phases.SHARDS: (phases.ShardsRequest, phases.ShardsAnswer),
    phases.CAN_MATCH: (phases.CanMatchRequest, phases.CanMatchAnswer),
    phases.QUERY: (phases.QueryRequest, phases.QueryAnswer),
    phases.FETCH: (phases.FetchRequest, phases.FetchAnswer),
    phases.OPEN: (phases.OpenRequest, phases.OpenAnswer),
    phases.SCROLL: (phases.ScrollRequest, phases.ScrollAnswer),
    phases.FREE: (phases.FreeRequest, phases.FreeAnswer),
}

_REPLICATION = {
    replication.HISTORIES_MESSAGE: (replication.HistoriesRequest, replication.HistoriesAnswer),
    replication.STATE_MESSAGE: (replication.StateRequest, replication.StateAnswer),
    replication.CHANGES_MESSAGE: (ChangesRequest, bytes),
    replication.COPY_MESSAGE: (CopyRequest, bytes),
    replication.DOCUMENTS_MESSAGE: (replication.DocumentsRequest, bytes),
    replication.OPEN_COPY_MESSAGE: (replication.OpenCopyRequest, CopyStart),
    replication.ADD_LEASE_MESSAGE: (replication.LeaseRequest, bytes),
}
_SHARD = ShardRef(index="i", index_uuid="u", shard=0)
_OPERATIONS = [
    Operation(0, 1, 1, OpKind.INDEX, "a", None, b'{"a":1}', 5),
    Operation(1, 1, 2, OpKind.DELETE, "a", "r", None, 6),
]


def _proven(read: Callable[[bytes], Any], check: Callable[[Any], None]) -> Reader:
    """The bytes behind a checksum that fits them, both as they came, and judged as an answer is."""

    def run(payload: bytes) -> None:
        check(read(zlib.crc32(payload).to_bytes(4, "big") + payload))
        read(payload)

    return run


def _check_changes(answer: Any) -> None:
    asked = ChangesRequest(
        shard=_SHARD,
        from_seq_no=0,
        max_count=10,
        max_bytes=1,
        poll_timeout_ms=0,
        history_uuid="h",
    )
    check_changes(asked, answer)


def _check_copy(answer: Any) -> None:
    asked = CopyRequest(
        shard=_SHARD, from_seq_no=0, to_seq_no=9, max_count=10, max_bytes=1, history_uuid="h"
    )
    check_copy(asked, answer)


def _check_documents(answer: Any) -> None:
    check_documents(["a", "b"], answer)


def _answers() -> dict[Any, bytes]:
    """Bodies of answers with operations, without their checksums."""
    changes = ChangesAnswer(
        operations=_OPERATIONS,
        checkpoint=1,
        max_seq_no=1,
        mapping_version=1,
        settings_version=1,
        aliases_version=1,
        history_uuid="h",
        now_ms=7,
        took_ms=1,
    )
    copied = CopyAnswer(
        operations=_OPERATIONS[:1], up_to=4, checkpoint=9, mapping_version=1, total_docs=1
    )
    found = replication.DocumentsAnswer(_OPERATIONS[:1], 2)
    return {
        -3: replication.encode_changes_answer(changes)[4:],
        -2: replication.encode_copy_answer(copied)[4:],
        -1: replication.encode_documents_answer(found)[4:],
    }


READERS: Final[tuple[tuple[Reader, Any], ...]] = (
    (messages.decode_search, messages.SearchMessage),
    (messages.decode_answer, Partial),
    (messages.search_indices, messages.SearchMessage),
    (messages_clusters.decode_resolve_cluster, messages_clusters.ResolveClusterMessage),
    (messages_clusters.decode_cluster_match, ClusterMatch),
    (messages_clusters.decode_cluster_stats, ClusterStats),
    (messages_clusters.decode_cluster_stats_request, None),
    (messages_indices.decode_field_caps, messages_indices.FieldCapsMessage),
    (messages_indices.decode_field_caps_part, FieldCapsPart),
    (messages_indices.decode_resolve_index, messages_indices.ResolveIndexMessage),
    (messages_indices.decode_names, ResolvedNames),
    (messages_indices.decode_terms_enum, messages_indices.TermsEnumMessage),
    (messages_indices.decode_terms_part, TermsEnumPart),
    (forwarded.read_request, forwarded.ForwardedRequest),
    (forwarded.read_answer, forwarded.ForwardedAnswer),
    (relay.read_relayed, relay.Relayed),
    (node_reports.read_request, node_reports.ReportRequest),
    (task_lists.read_cancel, task_lists.CancelTasks),
    (task_lists.read_parents, list[str]),
    (task_lists.read_tasks, None),
    (lambda payload: read_pit_id(make_id(1, payload)), tuple[HeldCluster, ...]),
    (lambda payload: read_scroll_id(make_id(2, payload)), tuple[ScrolledCluster, ...]),
    _published(published.PublishedState),
    _published(published.JoinRequest),
    _published(published.FollowRequest),
    _published(published.LeaveRequest),
    *((phase.read_request, kinds[0]) for phase, kinds in _PHASES.items()),
    *((phase.read_answer, kinds[1]) for phase, kinds in _PHASES.items()),
    *((message.read_request, kinds[0]) for message, kinds in _REPLICATION.items()),
    *((message.read_answer, kinds[1]) for message, kinds in _REPLICATION.items()),
    (_proven(replication.decode_changes_answer, _check_changes), None),
    (_proven(replication.decode_copy_answer, _check_copy), None),
    (_proven(replication.decode_documents_answer, _check_documents), None),
)
"""The first byte of an input says which of them reads the rest. With each what it reads, where that is one message."""


def _seeds() -> Iterator[bytes]:
    for number, (reader, kind) in enumerate(READERS):
        payload = b"" if kind is None else example(kind)
        if reader is messages.decode_answer:
            payload = struct.pack(">I", 12) + payload
        if reader is task_lists.read_tasks:
            payload = b'[{"id":1,"action":"a"}]'
        yield bytes((number,)) + payload
        # Arrays in arrays and maps in maps: a member of any kind has to bear them.
        yield bytes((number,)) + payload.replace(b"\xa1b", b"\x91" * 900 + b"\x01")
        yield bytes((number,)) + b"\x81\xa1a" * 500 + b"\x01"
    for place, body in _answers().items():
        yield bytes((len(READERS) + place,)) + body


def _run(data: bytes) -> None:
    READERS[data[0] % len(READERS) if data else 0][0](data[1:])


TARGETS = (Target(name="messages", run=_run, seeds=_seeds, refusals=(ApiError, NotAnId), share=8),)
