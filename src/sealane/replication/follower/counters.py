"""What a shard's tail has done since its task began: sums that only rise, and where the time went lately."""

from typing import Final

_HALF_LIFE_S: Final = 10.0
_BUSY_MIN_S: Final = 0.02
"""Less than this lately is idle."""


class Busy:
    """Seconds spent lately on each of a few things: what was spent counts half after ten seconds."""

    __slots__ = ("_at", "_spent")

    def __init__(self) -> None:
        self._at = 0.0
        self._spent: dict[str, float] = {}

    def spent(self, on: str, seconds: float, now: float) -> None:
        self._fade(now)
        self._spent[on] = self._spent.get(on, 0.0) + seconds

    def most(self, now: float) -> str | None:
        """What most of it was spent on; None while there is hardly any."""
        self._fade(now)
        on = max(self._spent, key=lambda each: self._spent[each], default=None)
        return on if on is not None and self._spent[on] >= _BUSY_MIN_S else None

    def _fade(self, now: float) -> None:
        if now > self._at:
            factor = 0.5 ** ((now - self._at) / _HALF_LIFE_S)
            for on in self._spent:
                self._spent[on] *= factor
            self._at = now


class Counters:
    """The reference's sums. A long poll without operations counts in none of them."""

    __slots__ = (
        "_busy",
        "bytes_read",
        "failed_reads",
        "failed_writes",
        "operations_read",
        "operations_written",
        "read_s",
        "remote_ms",
        "successful_reads",
        "successful_writes",
        "write_s",
    )

    def __init__(self) -> None:
        self.read_s = 0.0
        self.remote_ms = 0
        self.successful_reads = 0
        self.failed_reads = 0
        self.operations_read = 0
        self.bytes_read = 0
        self.write_s = 0.0
        self.successful_writes = 0
        self.failed_writes = 0
        self.operations_written = 0
        self._busy = Busy()

    def read(self, *, took_s: float, remote_ms: int, operations: int, size_bytes: int) -> None:
        self.successful_reads += 1
        self.read_s += took_s
        self.remote_ms += remote_ms
        self.operations_read += operations
        self.bytes_read += size_bytes

    def waited_for(self, *, took_s: float, remote_ms: int, parallel: int, now: float) -> None:
        """A read of what was there already, so its time was work; one of `parallel` at a time."""
        remote_s = min(took_s, remote_ms / 1000)
        self._busy.spent("read", remote_s / parallel, now)
        self._busy.spent("network", (took_s - remote_s) / parallel, now)

    def read_failed(self) -> None:
        self.failed_reads += 1

    def written(self, *, took_s: float, operations: int, now: float) -> None:
        self.successful_writes += 1
        self.write_s += took_s
        self.operations_written += operations
        self._busy.spent("write", took_s, now)

    def write_failed(self, *, took_s: float) -> None:
        self.failed_writes += 1
        self.write_s += took_s

    def slowest(self, now: float) -> str | None:
        """`read`, `network` or `write`; None while idle."""
        return self._busy.most(now)
