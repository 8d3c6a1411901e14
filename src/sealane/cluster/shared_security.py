"""Changes of users, roles and keys, on the node that keeps them: taken by every member before they are answered."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from sealane.cluster.membership import Membership

_log = logging.getLogger("sealane.cluster")

PUBLISH_WAIT_S: Final = 1.0
"""How long an answer waits for the members. One that is late takes the change when it can."""


class Changing(Protocol):
    """Whatever keeps users, roles and keys."""

    def settle_by(
        self, tell: Callable[[], None], settle: Callable[[], Awaitable[None]]
    ) -> None: ...

    def on_file_change(self, callback: Callable[[], None]) -> None: ...


def share_security(security: Changing, membership: Membership) -> None:
    """Has members forget what they were told as soon as it may not be so any more."""

    version = 0
    """Of the state that was published last."""

    def publish() -> None:
        nonlocal version
        version = membership.publish()

    async def settle() -> None:
        if not await membership.wait_taken(version, PUBLISH_WAIT_S):
            _log.warning(
                "not every member has taken state [%d] within %s s", version, PUBLISH_WAIT_S
            )

    security.settle_by(publish, settle)
    security.on_file_change(publish)
