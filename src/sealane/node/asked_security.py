"""The security of a node without data: it asks the node that keeps users, roles and keys."""

from sealane.cluster.authentication import AskedSecurity
from sealane.cluster.fellow_nodes import FellowNodes
from sealane.cluster.joined import Joined
from sealane.cluster.published import PublishedState
from sealane.node.audited import AuditedSecurity
from sealane.node.base import Base
from sealane.node.security import secure_node
from sealane.remote.protocols import SettingsSource


class FollowedSecurity:
    """`take` hears of each state that the cluster's master publishes."""

    def __init__(
        self, base: Base, settings: SettingsSource, *, joined: Joined, fellows: FellowNodes
    ) -> None:
        """Puts itself where requests come in."""
        self._asked = AskedSecurity(
            fellows=lambda: fellows,
            master=lambda: joined.master if joined.has_master else None,
            tasks=base.tasks,
            clock=base.clock,
        )
        audited = AuditedSecurity(self._asked, base.audit)
        base.gate = audited
        base.authorize = audited.access
        secure_node(base, self._asked, settings, on_refused=audited.refused)

    def take(self, state: PublishedState) -> None:
        self._asked.take_version(state.security_version)
