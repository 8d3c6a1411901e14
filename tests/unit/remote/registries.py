"""Remote clusters over a fake dialer, for tests of what is connected when."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from sealane.errors import (
    ApiError,
)
from sealane.model.task import TaskRegistry
from sealane.remote import Backoff, Pins, RemoteClusters
from sealane.remote.credentials import RemoteSecurity
from sealane.settings import Settings, Value
from tests.unit.remote.fakes import (
    FakeDialer,
    FakeSettings,
    address_text,
    context,
    node,
)


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000


A, B, C, D = (node(name, 9300 + n) for n, name in enumerate("abcd"))


def sniff(*seeds: str, alias: str = "eu", **more: Value) -> Settings:
    keys: dict[str, Value] = {"seeds": seeds or (address_text(A),), **more}
    return Settings({f"cluster.remote.{alias}.{k.replace('__', '.')}": v for k, v in keys.items()})


def proxy(address: str = "10.0.0.1:9300", **more: Value) -> Settings:
    keys: dict[str, Value] = {"mode": "proxy", "proxy_address": address, **more}
    return Settings({f"cluster.remote.eu.{k}": v for k, v in keys.items()})


@asynccontextmanager
async def remotes(
    dialer: FakeDialer,
    settings: Settings | FakeSettings,
    *,
    roles: tuple[str, ...] = ("data", "remote_cluster_client"),
    chance: Callable[[], float] = lambda: 1.0,
    pins: Pins | None = None,
    origin: Callable[[str], str | None] = lambda key: None,
    security: RemoteSecurity | None = None,
) -> AsyncIterator[RemoteClusters]:
    """Pauses are the whole of the backoff: 1, 2, 4 ... 60 seconds."""
    source = FakeSettings(settings) if isinstance(settings, Settings) else settings
    made = RemoteClusters(
        source,
        node_name="local",
        roles=roles,
        dialer=dialer,
        tasks=TaskRegistry("local"),
        clock=FixedClock(),
        chance=chance,
        backoff=Backoff(),
        pins=pins,
        origin=origin,
        security=security,
    )
    try:
        yield made
    finally:
        await made.close()
        assert not dialer.open_connections, "closing leaves nothing open"
        assert not source.subscribers


def connected(made: RemoteClusters, alias: str = "eu") -> list[str]:
    nodes = made.describe(verbose=True)[alias]["nodes"]
    assert isinstance(nodes, list)
    return sorted(each["name"] for each in nodes)


async def failure(
    made: RemoteClusters, alias: str = "eu", *, deadline: float | None = None
) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await made.cluster(alias).connection(context(deadline=deadline))
    return caught.value
