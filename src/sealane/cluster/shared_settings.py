"""Changes of the cluster's settings, on the node that is its master: durable first, then taken by every member."""

import logging
from typing import Any, Final

from sealane.cluster.membership import Membership
from sealane.cluster.settings_service import ClusterSettings

_log = logging.getLogger("sealane.cluster")

PUBLISH_WAIT_S: Final = 1.0
"""How long an acknowledgement waits for the members. One that is late takes the settings when it can."""


class SharedSettings:
    """`update` answers once the members have the change, or the wait is over."""

    def __init__(self, settings: ClusterSettings, membership: Membership) -> None:
        self._settings = settings
        self._membership = membership

    def view(self, *, flat: bool = False, include_defaults: bool = False) -> dict[str, Any]:
        """See `ClusterSettings.view`."""
        return self._settings.view(flat=flat, include_defaults=include_defaults)

    async def update(self, body: Any, *, flat: bool = False) -> dict[str, Any]:
        """See `ClusterSettings.update`. A member that does not answer holds nothing up."""
        answer = await self._settings.update(body, flat=flat)
        version = self._membership.publish()
        if not await self._membership.wait_taken(version, PUBLISH_WAIT_S):
            _log.warning(
                "not every member has taken state [%d] within %s s", version, PUBLISH_WAIT_S
            )
        return answer
