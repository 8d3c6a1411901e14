"""The cluster state with nothing but its nodes in it: what both products of real servers ask a seed
for, and how it is answered.

    request   timeout, (Elasticsearch: term), local, five parts wanted, indices, options, wait,
              optional version
    answer    cluster name, optional state, timed out
    state     cluster name, version, uuid, metadata, routing, master, nodes, blocks, customs

Reading takes every field of an answer without indices, so that one misread shows at its end; only
the nodes, and the cluster's name and uuid, are kept.
"""

from collections.abc import Callable

from sealane.errors import IllegalArgument
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.protocol import Membership
from sealane.wire.primitives import StreamInput, StreamOutput

STATE = "cluster:monitor/state"

_PARTS = ("routing table", "nodes", "metadata", "blocks", "customs")
_WANTED = (False, True, False, False, False)
_TIMEOUT, _WAIT = (30, "s"), (1, "m")
_LINKED_MAP, _MAP = 9, 10
_GRAVEYARD = "index-graveyard"
_STATE_UUID = "_na_"
_NO_UUIDS = frozenset({"_na_", "_unknown_"})
"""What stands for the uuid in the state of a node that has not joined its cluster yet."""


class StateAction:
    """`cluster:monitor/state` of one family. `later` has the fields that Elasticsearch added."""

    action = STATE

    def __init__(
        self,
        *,
        later: bool,
        options: tuple[int, ...],
        read_node: Callable[[StreamInput], NodeInfo],
        write_node: Callable[[StreamOutput, NodeInfo], object],
    ) -> None:
        self._later = later
        self._options = options
        self._read_node = read_node
        self._write_node = write_node

    # -- request -----------------------------------------------------------------------------------

    def request(self, *, by_key: bool = False) -> bytes:
        return self._request(local=False)

    def identity_request(self) -> bytes:
        return self._request(local=True)

    def _request(self, *, local: bool) -> bytes:
        """With `local` the node tells the state that it has, without its master."""
        out = StreamOutput().time_value(*_TIMEOUT)
        if self._later:
            out.vlong(0)
        out.boolean(local)
        for wanted in _WANTED:
            out.boolean(wanted)
        out.strings(()).array(self._options, out.vint).array((0,), out.vint)
        return out.time_value(*_WAIT).boolean(False).getvalue()

    def read_request(self, payload: bytes) -> bool:
        source = StreamInput(payload)
        source.time_value()
        if self._later:
            source.vlong()
        source.boolean()
        wanted = [source.boolean() for _ in _PARTS]
        source.strings()
        source.array(source.vint)
        source.array(source.vint)
        source.time_value()
        source.optional(source.int64)
        source.finish("state request")
        more = [part for part, is_wanted in zip(_PARTS, wanted, strict=True) if is_wanted]
        if "nodes" in more:
            more.remove("nodes")
        if more:
            raise IllegalArgument(
                f"action [{STATE}] answers the nodes of this Sealane cluster only, not its "
                f"[{', '.join(more)}]"
            )
        return wanted[1]

    # -- answer ------------------------------------------------------------------------------------

    def response(self, members: Membership) -> bytes:
        name, later = members.cluster.name, self._later
        out = StreamOutput().string(name).boolean(True)
        out.string(name).int64(1).string(_STATE_UUID)
        self._write_metadata(out, members.cluster.uuid)
        if not later:
            out.int64(0)
        out.vint(0)  # routing table
        out.optional(members.master_id, out.string)
        if later:
            out.vlong(0)
        out.array(members.nodes, lambda node: self._write_node(out, node))
        if later:
            out.vint(0).vint(0).vint(0)  # versions of each node, features twice
        out.vint(0).vint(0).vint(0)  # blocks twice, customs
        if not later:
            out.vint(-1)  # minimum of masters
        return out.boolean(False).getvalue()

    def _write_metadata(self, out: StreamOutput, uuid: str) -> None:
        out.int64(0).string(uuid).boolean(True).int64(1).vint(0).vint(0).vint(0)
        out.vint(0).vint(0).byte(_MAP).vint(0)  # settings twice, hashes of settings
        if self._later:
            out.vint(0)  # mappings
        out.vint(0).vint(0).vint(0)  # indices, templates, customs
        if self._later:
            out.vint(0)  # reserved

    def read_response(self, payload: bytes) -> list[NodeInfo]:
        return self._read(payload)[1]

    def read_identity(self, payload: bytes) -> ClusterIdentity:
        return self._read(payload)[0]

    def _read(self, payload: bytes) -> tuple[ClusterIdentity, list[NodeInfo]]:
        source = StreamInput(payload)
        name = source.string()
        state = self._read_state(source) if source.boolean() else None
        timed_out = source.boolean()
        source.finish("state response")
        if state is None:
            why = "it timed out" if timed_out else "it holds no state"
            raise RemoteProtocolError(f"the answer of [{STATE}] tells no nodes: {why}")
        uuid, nodes = state
        return ClusterIdentity(name=name, uuid="" if uuid in _NO_UUIDS else uuid), nodes

    def _read_state(self, source: StreamInput) -> tuple[str, list[NodeInfo]]:
        later = self._later
        source.string()
        source.int64()
        source.string()
        uuid = self._read_metadata(source)
        if not later:
            source.int64()
        _nothing(source, "routing table")
        source.optional(source.string)
        if later:
            source.vlong()
        nodes = source.array(lambda: self._read_node(source))
        if later:
            _read_versions(source)
            source.array(source.strings)
            source.mapping(source.string, source.vint)
        for part in ("blocks", "blocks of indices", "customs"):
            _nothing(source, part)
        if not later:
            source.vint()
        return uuid, nodes

    def _read_metadata(self, source: StreamInput) -> str:
        """The cluster's uuid. Whether it is committed is not told in a state of nodes only."""
        source.int64()
        uuid = source.string()
        source.boolean()
        source.int64()
        source.strings()
        source.strings()
        source.array(lambda: (source.string(), source.string()))
        _nothing(source, "transient settings")
        _nothing(source, "persistent settings")
        kind = source.byte()
        if kind not in (_LINKED_MAP, _MAP):
            raise RemoteProtocolError(f"unexpected kind of value [{kind}]", source.pos - 1)
        _nothing(source, "hashes of settings")
        if self._later:
            _nothing(source, "mappings")
        _nothing(source, "indices")
        _nothing(source, "templates")
        for _ in range(source.count()):
            name = source.string()
            if name != _GRAVEYARD:
                raise RemoteProtocolError(f"unexpected part of the metadata [{name}]", source.pos)
            _nothing(source, _GRAVEYARD)
        if self._later:
            _nothing(source, "reserved")
        return uuid


def _read_versions(source: StreamInput) -> None:
    """Of each node: its wire version, and those of system indices' mappings."""
    for _ in range(source.count()):
        source.string()
        source.vint()
        source.mapping(source.string, lambda: (source.vint(), source.int32()))


def _nothing(source: StreamInput, what: str) -> None:
    """A collection that is empty in an answer of nodes only."""
    count = source.vint()
    if count:
        raise RemoteProtocolError(f"unexpected [{what}] in a state of nodes only", source.pos)
