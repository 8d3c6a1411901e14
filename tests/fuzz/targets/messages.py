"""The msgpack messages between Sealane nodes and clusters, requests and answers."""

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from sealane.cluster import forwarded, node_reports, published, relay, task_lists
from sealane.errors import ApiError
from sealane.model.about_indices import FieldCapsPart, ResolvedNames, TermsEnumPart
from sealane.model.clusters import ClusterMatch, ClusterStats
from sealane.model.opaque import NotAnId, make_id
from sealane.reduce.partial import Partial
from sealane.remote.transport import messages, messages_clusters, messages_indices
from sealane.remote.transport import messages_phases as phases
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


def _run(data: bytes) -> None:
    READERS[data[0] % len(READERS) if data else 0][0](data[1:])


TARGETS = (Target(name="messages", run=_run, seeds=_seeds, refusals=(ApiError, NotAnId), share=8),)
