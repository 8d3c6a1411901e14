"""The settings of TCP sockets: `transport.tcp.*` and `remote_cluster.tcp.*`, which follows it.

Names, ranges and defaults are Elasticsearch's; `network.tcp.*` is the default of the first.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sealane.settings.parse import Parse, as_bool, as_bytes, as_int
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.text import Value
from sealane.settings.values import Settings

T = TypeVar("T")

_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpValues:
    """Times in seconds, sizes in bytes; -1 leaves a value to the system."""

    keep_alive: bool
    keep_idle: int
    keep_interval: int
    keep_count: int
    no_delay: bool
    reuse_address: bool
    send_buffer_size: int
    receive_buffer_size: int


class TcpGroup:
    """The settings `<prefix>.*`; what is not set is as in `base`."""

    def __init__(self, prefix: str, base: "TcpGroup | None" = None) -> None:
        self._prefix = prefix
        self._base = base
        seconds, size = as_int(min=-1, max=_SECONDS_MAX), as_bytes(min=-1)
        self.keep_alive: Setting[bool] = self._setting(
            "keep_alive", "true", as_bool, "Whether the system probes idle connections."
        )
        self.keep_idle: Setting[int] = self._setting(
            "keep_idle",
            "-1",
            seconds,
            "Seconds of silence before the first probe; -1: the system's value, 300 at most.",
        )
        self.keep_interval: Setting[int] = self._setting(
            "keep_interval",
            "-1",
            seconds,
            "Seconds between probes; -1: the system's value, 300 at most.",
        )
        self.keep_count: Setting[int] = self._setting(
            "keep_count",
            "-1",
            as_int(min=-1),
            "Unanswered probes after which a connection is lost; -1: the system's value.",
        )
        self.no_delay: Setting[bool] = self._setting(
            "no_delay", "true", as_bool, "Whether small frames leave at once (TCP_NODELAY)."
        )
        self.reuse_address: Setting[bool] = self._setting(
            "reuse_address",
            "true",
            as_bool,
            "Whether a port may be listened on again while old connections of it linger.",
        )
        self.send_buffer_size: Setting[int] = self._setting(
            "send_buffer_size", "-1b", size, "The socket's send buffer; -1: the system's value."
        )
        self.receive_buffer_size: Setting[int] = self._setting(
            "receive_buffer_size",
            "-1b",
            size,
            "The socket's receive buffer; -1: the system's value.",
        )

    def _setting(self, name: str, default: Value, parse: Parse[T], help: str) -> Setting[T]:
        base: Setting[Any] | None = None if self._base is None else getattr(self._base, name)
        return Setting(
            key=f"{self._prefix}.{name}",
            default=default if base is None else base.raw,
            parse=parse,
            help=help,
        )

    @property
    def settings(self) -> tuple[AnySetting, ...]:
        """All of them, for the registry."""
        return (
            self.keep_alive,
            self.keep_idle,
            self.keep_interval,
            self.keep_count,
            self.no_delay,
            self.reuse_address,
            self.send_buffer_size,
            self.receive_buffer_size,
        )

    def read(self, settings: Settings) -> TcpValues:
        """The group as `settings` have it. Raises IllegalArgument."""
        return TcpValues(
            keep_alive=self.keep_alive.get(settings),
            keep_idle=self.keep_idle.get(settings),
            keep_interval=self.keep_interval.get(settings),
            keep_count=self.keep_count.get(settings),
            no_delay=self.no_delay.get(settings),
            reuse_address=self.reuse_address.get(settings),
            send_buffer_size=self.send_buffer_size.get(settings),
            receive_buffer_size=self.receive_buffer_size.get(settings),
        )


NETWORK_TCP: Final = TcpGroup("network.tcp")
"""Of all sockets, where nothing more particular is set."""
TRANSPORT_TCP: Final = TcpGroup("transport.tcp", NETWORK_TCP)
REMOTE_CLUSTER_TCP: Final = TcpGroup("remote_cluster.tcp", TRANSPORT_TCP)
"""Of the port for callers that come with an API key."""

TCP_SETTINGS: Final[tuple[AnySetting, ...]] = (
    *NETWORK_TCP.settings,
    *TRANSPORT_TCP.settings,
    *REMOTE_CLUSTER_TCP.settings,
)
