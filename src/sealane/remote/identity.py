"""Which cluster an alias belongs to: pinned by the first connection, checked at each later one."""

from collections.abc import Callable

from sealane.errors import ConnectTransport, IllegalState
from sealane.model.node import ClusterIdentity, NodeInfo


class PinnedIdentity:
    """The name, and the uuid where it is told, of the cluster that answered first under an alias.

    `expected_name` and `known_uuid` (each empty where nothing is known) are checked from the first
    connection on; `on_uuid` is told the uuid when it is pinned. A pin lives as long as the
    connection settings of the alias; a recycled address can then not lead to another cluster
    unnoticed.
    """

    def __init__(
        self,
        *,
        expected_name: str = "",
        known_uuid: str = "",
        on_uuid: Callable[[str], None] = lambda uuid: None,
    ) -> None:
        self._pinned: ClusterIdentity | None = None
        self._expected_name = expected_name
        self._known_uuid = known_uuid
        self._on_uuid = on_uuid

    @property
    def cluster(self) -> ClusterIdentity | None:
        return self._pinned

    def check(self, found: ClusterIdentity, node: NodeInfo) -> None:
        """Pins `found` if nothing is pinned. Raises IllegalState where it is another cluster."""
        if not self.is_expected_name(found.name):
            raise IllegalState(
                f"handshake with [{describe(node)}] failed: remote cluster name [{found.name}] "
                f"does not match expected remote cluster name [{self.expected_name}]"
            )
        known = self._known_uuid
        if known and found.uuid and found.uuid != known:
            raise IllegalState(
                f"handshake with [{describe(node)}] failed: remote cluster uuid [{found.uuid}] "
                f"does not match expected remote cluster uuid [{known}]; to accept the new cluster, "
                "remove the remote and add it again, or change its addresses"
            )
        if self._pinned is None or (found.uuid and not self._pinned.uuid):
            self._pinned = found
        if found.uuid and not known:
            self._known_uuid = found.uuid
            self._on_uuid(found.uuid)

    @property
    def expected_name(self) -> str:
        """The name that a cluster must have, empty while any will do."""
        return self._pinned.name if self._pinned else self._expected_name

    @property
    def expected(self) -> ClusterIdentity:
        """What a cluster is checked against; empty where anything will do."""
        return ClusterIdentity(name=self.expected_name, uuid=self._known_uuid)

    def is_expected_name(self, name: str) -> bool:
        return self.expected_name in ("", name)


def check_node(expected: NodeInfo, found: NodeInfo) -> None:
    """Raises ConnectTransport where another node answers at the address that `expected` publishes."""
    if found.ephemeral_id != expected.ephemeral_id:
        raise ConnectTransport(
            f"[{expected.name}][{expected.address}] unexpected remote node: expected "
            f"[{describe(expected)}] but found [{describe(found)}]; check that each node of the remote "
            "cluster publishes an address that leads to it"
        )


def describe(node: NodeInfo) -> str:
    """A node in error texts: `{name}{id}{ephemeral id}{host}{address}`."""
    return f"{{{node.name}}}{{{node.id}}}{{{node.ephemeral_id}}}{{{node.address.host}}}{{{node.address}}}"
