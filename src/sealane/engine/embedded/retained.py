"""How far back a shard's operation log reaches, and for whom: retention leases and trimming.

The floor is the lowest number that can be read. It follows the last commit at a distance, never passes a lease that has
not expired, and never moves back. The trimming reads the leases in the transaction that removes operations, so one
that was added before is always seen. Leases are written beside the shard's lock: they need not wait for a refresh.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealane.clock import Clock
from sealane.engine.embedded.oplog import OperationLogFile, encode_mark, put_facts, select_mark
from sealane.errors import LeaseAlreadyExists, LeaseInvalid, LeaseNotFound, Rejected
from sealane.model.replication import NO_OPERATIONS, Lease
from sealane.settings.index_settings import RETAINED_OPERATIONS, RETENTION_LEASE_PERIOD

_TRIM_MAX: Final = 50_000
"""Operations removed in one transaction, so that nobody waits long for it."""
LEASES_MAX: Final = 1_000
"""Of one shard: they are looked through with each trimming. A follower has one."""
_STEP_MAX: Final = 25_000
"""Fewer than these, or a quarter of what is kept, are not worth a removal."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How many operations are kept behind the last commit, and how long a lease holds after its last renewal."""

    operations: int
    lease_period_ms: int

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Retention":
        return cls(
            RETAINED_OPERATIONS.get(settings),
            int(RETENTION_LEASE_PERIOD.get(settings).seconds * 1000),
        )

    def floor(self, committed: int, lowest_lease: int | None) -> int:
        """Below which number operations may go. What is not committed to the index is needed to replay it."""
        floor = committed + 1 - self.operations
        return floor if lowest_lease is None else min(floor, lowest_lease, committed + 1)

    @property
    def step(self) -> int:
        return min(_STEP_MAX, max(1, self.operations // 4))


class RetainedLog:
    """One shard's leases and floor. Safe from any thread; see the module."""

    def __init__(self, log: OperationLogFile, clock: Clock, retention: Retention) -> None:
        self.retention = retention
        self._log = log
        self._clock = clock
        self.floor = log.number("floor")
        """The lowest number that can be read; one above the checkpoint where there is none."""
        self.is_untidy = False
        """Whether `tidy` has something to do."""
        self._is_behind = False
        """Whether there is more to remove than one transaction does."""
        self._kept_from: int | None = None
        """Nothing from there on is removed for now."""
        self._noting = threading.Lock()

    # -- trimming ------------------------------------------------------------------------------------------------

    def note_commit(self, committed: int) -> None:
        """The index holds all up to `committed` durably, also what a roll-back had left to be put back."""
        with self._log.transaction() as connection:
            put_facts(connection, {"committed": committed})
            connection.execute("DELETE FROM restored")
            trimmed = self._trim(connection)
        self._note(trimmed)

    def tidy(self) -> None:
        """Goes on removing what is retained no longer; after that, gives back the space."""
        # One that fails, on a full disk perhaps, is tried again after the next commit.
        self.is_untidy = False
        if self._is_behind:
            with self._log.transaction() as connection:
                trimmed = self._trim(connection)
            self._note(trimmed)
        else:
            self._log.shrink()

    @contextlib.contextmanager
    def keeping(self, seq_no: int) -> Iterator[int]:
        """Operations from there on are not removed meanwhile, whoever commits or ends a lease. Gives the floor."""
        try:
            with self._log.transaction() as connection:
                self._kept_from = seq_no
                floor = _fact(connection, "floor")
            yield floor
        finally:
            self._kept_from = None

    def note_floor(self, floor: int) -> None:
        """It is durable. Two threads may tell of theirs in another order than they raised it."""
        with self._noting:
            self.floor = max(self.floor, floor)

    def _note(self, trimmed: "_Trimmed") -> None:
        """What a transaction has done, once it is durable."""
        self.note_floor(trimmed.floor)
        self._is_behind = trimmed.is_behind
        if trimmed.has_removed:
            self.is_untidy = True

    def _trim(self, connection: sqlite3.Connection) -> "_Trimmed":
        self._expire(connection)
        (lease,) = connection.execute("SELECT min(retaining_seq_no) FROM leases").fetchone()
        (low,) = connection.execute("SELECT min(seq_no) FROM operations").fetchone()
        floor, committed = _fact(connection, "floor"), _fact(connection, "committed")
        if low is None:
            return _Trimmed(floor)
        # Below the floor there are documents of a copy, until the index holds them.
        copied = min(floor, committed + 1)
        wanted = self.retention.floor(committed, lease)
        if self._kept_from is not None:
            wanted = min(wanted, self._kept_from)
        if wanted - max(low, floor) < self.retention.step:
            wanted = copied
        end = min(max(copied, wanted), low + _TRIM_MAX)
        if end <= low:
            return _Trimmed(floor)
        if end > floor:
            # What is asked for next is proven to continue the last one that went.
            last = select_mark(connection, end - 1)
            put_facts(
                connection, {"floor": end} | ({"last_gone": encode_mark(last)} if last else {})
            )
            floor = end
        connection.execute("DELETE FROM operations WHERE seq_no < ?", (end,))
        return _Trimmed(floor, has_removed=True, is_behind=end == low + _TRIM_MAX)

    # -- leases --------------------------------------------------------------------------------------------------

    def add(self, lease_id: str, retaining_seq_no: int, source: str) -> Lease:
        """As OperationLog.add_lease. Raises Rejected where there are too many."""
        with self._log.transaction() as connection:
            self._expire(connection)
            if _held(connection, lease_id) is not None:
                raise LeaseAlreadyExists(lease_id)
            (count,) = connection.execute("SELECT count(*) FROM leases").fetchone()
            if count >= LEASES_MAX:
                raise Rejected(
                    f"rejected execution of adding a retention lease: the shard has [{count}], which is the limit"
                )
            return self._put(connection, lease_id, retaining_seq_no, source)

    def renew(self, lease_id: str, retaining_seq_no: int, source: str) -> Lease:
        """As OperationLog.renew_lease."""
        with self._log.transaction() as connection:
            self._expire(connection)
            held = _held(connection, lease_id)
            if held is None:
                raise LeaseNotFound(lease_id)
            if retaining_seq_no == NO_OPERATIONS:
                retaining_seq_no = max(held, _fact(connection, "floor"))
            if retaining_seq_no < held:
                raise LeaseInvalid(lease_id, source, held, retaining_seq_no)
            lease = self._put(connection, lease_id, retaining_seq_no, source)
            trimmed = self._trim(connection)
        self._note(trimmed)
        return lease

    def remove(self, lease_id: str) -> None:
        """As OperationLog.remove_lease."""
        with self._log.transaction() as connection:
            self._expire(connection)
            if _held(connection, lease_id) is None:
                raise LeaseNotFound(lease_id)
            connection.execute("DELETE FROM leases WHERE id = ?", (lease_id,))
            trimmed = self._trim(connection)
        self._note(trimmed)

    def leases(self) -> tuple[Lease, ...]:
        """Those that have not expired, by id."""
        with self._log.transaction() as connection:
            self._expire(connection)
            rows = connection.execute(
                "SELECT id, retaining_seq_no, timestamp_ms, source FROM leases ORDER BY id"
            ).fetchall()
        return tuple(
            Lease(id=row[0], retaining_seq_no=row[1], timestamp_ms=row[2], source=row[3])
            for row in rows
        )

    def _put(
        self, connection: sqlite3.Connection, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        if retaining_seq_no == NO_OPERATIONS:
            retaining_seq_no = _fact(connection, "floor")
        now_ms = self._clock.now_ms()
        connection.execute(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
            (lease_id, retaining_seq_no, now_ms, source),
        )
        return Lease(
            id=lease_id, retaining_seq_no=retaining_seq_no, timestamp_ms=now_ms, source=source
        )

    def _expire(self, connection: sqlite3.Connection) -> None:
        """Where the clock has been put back, a lease looks young, and is kept."""
        oldest = self._clock.now_ms() - self.retention.lease_period_ms
        connection.execute("DELETE FROM leases WHERE timestamp_ms < ?", (oldest,))


@dataclass(frozen=True, slots=True)
class _Trimmed:
    floor: int
    has_removed: bool = False
    is_behind: bool = False


def lease_text(lease: Lease) -> str:
    """As the reference writes one into an error."""
    return (
        f"RetentionLease{{id='{lease.id}', retainingSequenceNumber={lease.retaining_seq_no}, "
        f"timestamp={lease.timestamp_ms}, source='{lease.source}'}}"
    )


def _held(connection: sqlite3.Connection, lease_id: str) -> int | None:
    row = connection.execute(
        "SELECT retaining_seq_no FROM leases WHERE id = ?", (lease_id,)
    ).fetchone()
    return None if row is None else row[0]


def _fact(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    assert isinstance(value, int)
    return value
