"""What both modes of reaching a cluster share: a connection for one purpose, opened, checked or
closed again.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

from sealane.errors import ApiError, ConnectTransport
from sealane.model.node import Address
from sealane.remote.config import LinkConfig
from sealane.remote.gateways import Gateways
from sealane.remote.identity import PinnedIdentity
from sealane.remote.kept_errors import without_frames
from sealane.remote.protocols import Dialer, NodeConnection
from sealane.remote.transport.messages_replication import CHANGES
from sealane.settings.node_settings import Compress
from sealane.transport import ConnectionProfile
from sealane.transport.tasks import run_together

Identify = Callable[[NodeConnection], Coroutine[None, None, None]]
"""Completes what a connection knows of its cluster, as far as it can be had."""

GATEWAY_CHANNELS = 6
"""Channels for requests to one gateway in sniff mode, as the reference opens them."""
SINGLE_CHANNEL = 1
_INDEXING_DATA = frozenset({CHANGES})
"""What is meant by it, as in the reference: what followers read, but for the copy they begin with. A search carries no
documents to index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The parts that one remote's connect rounds work with."""

    alias: str
    link: LinkConfig
    dialer: Dialer
    identify: Identify
    gateways: Gateways
    identity: PinnedIdentity

    async def dial(
        self,
        address: Address,
        *,
        channels: int,
        server_name: str | None = None,
        node_name: str = "",
        turn: int = 0,
    ) -> NodeConnection:
        """Opens one connection and has its cluster identified. `turn` spreads connections over all
        addresses behind a name. Raises what the dialer raises.
        """
        compress = self.link.compress
        profile = ConnectionProfile(
            channels=channels,
            connect_timeout_s=self.link.connect_timeout_s,
            ping_interval_s=self.link.ping_interval_s,
            compress=self.link.compression_scheme.value if compress is Compress.TRUE else None,
            compress_only=(self.link.compression_scheme.value, _INDEXING_DATA)
            if compress is Compress.INDEXING_DATA
            else None,
            first_address=turn,
        )
        connection = await self.dialer.connect(
            address, profile, server_name=server_name, node_name=node_name
        )
        try:
            await self.identify(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def keep(self, connection: NodeConnection, check: Callable[[NodeConnection], None]) -> None:
        """Makes it a gateway if `check` lets it pass, or closes it and raises what `check` raised;
        ConnectTransport where it has closed while its cluster was identified."""
        try:
            check(connection)
            if not connection.is_open:
                raise ConnectTransport(
                    f"[{connection.node.name}][{connection.node.address}] a channel closed while connecting"
                )
        except BaseException:
            connection.close()
            raise
        self.gateways.add(connection)


async def each_outcome(calls: Sequence[Callable[[], Awaitable[None]]]) -> list[ApiError]:
    """Runs all at once and returns the errors of those that failed, in order. None stops the
    others.
    """
    errors: list[ApiError | None] = [None] * len(calls)

    async def run(at: int, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        except ApiError as error:
            errors[at] = without_frames(error)

    await run_together([run(at, call) for at, call in enumerate(calls)])
    return [error for error in errors if error is not None]


def distinct(errors: Sequence[ApiError]) -> list[ApiError]:
    """One of each type and reason, in order."""
    seen: dict[tuple[str, str], ApiError] = {}
    for error in errors:
        seen.setdefault((error.es_type, error.reason), error)
    return list(seen.values())
