"""The security of a node without data: it asks the node that keeps users, roles and keys."""

from sealane.cluster.authentication import AskedSecurity
from sealane.cluster.fellow_nodes import FellowNodes
from sealane.cluster.joined import Joined
from sealane.cluster.published import PublishedState
from sealane.node.audited import AuditedSecurity
from sealane.node.base import Base
from sealane.node.security import secure_node
from sealane.remote.protocols import SettingsSource
from sealane.settings.authentication_settings import ANONYMOUS_AUTHZ_EXCEPTION
from sealane.transport import TaskScope


class FollowedSecurity:
    """`take` hears of each state that the cluster's master publishes."""

    def __init__(
        self,
        base: Base,
        settings: SettingsSource,
        *,
        joined: Joined,
        fellows: FellowNodes,
        background: TaskScope,
    ) -> None:
        """Puts itself where requests come in."""
        self._master: str | None = None
        self._asked = AskedSecurity(
            fellows=lambda: fellows,
            master=lambda: joined.master if joined.has_master else None,
            tasks=base.tasks,
            clock=base.clock,
            start=lambda work: background.start(work, name="roles"),
            denies_anonymous_as_403=ANONYMOUS_AUTHZ_EXCEPTION.get(base.settings),
        )
        audited = AuditedSecurity(self._asked, base.audit)
        base.gate = audited
        base.authorize = audited.access
        self.signing = secure_node(base, self._asked, settings, on_refused=audited.refused)
        """Whoever starts the node runs its `watch`."""

    def take(self, state: PublishedState) -> None:
        master = state.members[0].node.ephemeral_id if state.members else None
        if master != self._master:
            self._master = master
            self._asked.forget()
        self._asked.take_version(state.security_version)
