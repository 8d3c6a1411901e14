"""Counters of bytes and messages."""

from dataclasses import dataclass


class Counters:
    """Counts of one channel, or of many: `add` sums. A message is a frame or a ping."""

    __slots__ = ("rx_bytes", "rx_count", "tx_bytes", "tx_count")

    def __init__(self) -> None:
        self.rx_bytes = self.rx_count = self.tx_bytes = self.tx_count = 0

    def add(self, other: "Counters") -> None:
        self.rx_bytes += other.rx_bytes
        self.rx_count += other.rx_count
        self.tx_bytes += other.tx_bytes
        self.tx_count += other.tx_count


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportStatistics:
    """Totals of a node since its start, except for the open channels, which are those of the
    moment."""

    channels_in: int
    channels_out: int
    rx_bytes: int
    rx_count: int
    tx_bytes: int
    tx_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatistics:
    """Of one connection since it was opened. `pending` counts requests without an answer yet."""

    channels_open: int
    pending: int
    rx_bytes: int
    rx_count: int
    tx_bytes: int
    tx_count: int
