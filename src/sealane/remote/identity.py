"""Which cluster an alias belongs to: pinned by the first connection, checked at each later one."""

from sealane.errors import IllegalState
from sealane.model.node import ClusterIdentity, NodeInfo


class PinnedIdentity:
    """The name, and the uuid where it is told, of the cluster that answered first under an alias.

    A pin lives as long as the connection settings of the alias; a recycled address can then not
    lead to another cluster unnoticed.
    """

    def __init__(self) -> None:
        self._pinned: ClusterIdentity | None = None

    @property
    def cluster(self) -> ClusterIdentity | None:
        return self._pinned

    def check(self, found: ClusterIdentity, node: NodeInfo) -> None:
        """Pins `found` if nothing is pinned. Raises IllegalState where it is another cluster."""
        pinned = self._pinned
        if pinned is None:
            self._pinned = found
            return
        if found.name != pinned.name:
            raise IllegalState(
                f"handshake with [{describe(node)}] failed: remote cluster name [{found.name}] "
                f"does not match expected remote cluster name [{pinned.name}]"
            )
        if not pinned.uuid:
            self._pinned = found
        elif found.uuid and found.uuid != pinned.uuid:
            raise IllegalState(
                f"handshake with [{describe(node)}] failed: remote cluster uuid [{found.uuid}] "
                f"does not match expected remote cluster uuid [{pinned.uuid}]; remove the remote cluster and add it "
                "again to accept the new one"
            )


def describe(node: NodeInfo) -> str:
    """A node in error texts: `{name}{id}{ephemeral id}{host}{address}`."""
    return f"{{{node.name}}}{{{node.id}}}{{{node.ephemeral_id}}}{{{node.address.host}}}{{{node.address}}}"
