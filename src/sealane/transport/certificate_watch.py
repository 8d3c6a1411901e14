"""Watches the files of all TLS groups of a node: takes up new ones, warns before certificates end.

One loop for all of them. What one group makes of its files is `tls_files`'.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.clock import Clock
from sealane.errors import SettingsError
from sealane.model.certificates import FileCertificate
from sealane.transport.certificates import time_text
from sealane.transport.tls_files import TlsFiles

_log = logging.getLogger(__name__)

WATCH_INTERVAL_S: Final = 5.0
"""How often the files are looked at, as the reference does by default."""
WARN_DAYS: Final = (30, 7, 1)
"""A certificate that ends within so many days is warned of, once for each."""
_DAY_MS: Final = 86_400_000


def stage_of(not_after_ms: int, now_ms: int) -> int | None:
    """The least of WARN_DAYS that a certificate still has; 0 for one that has ended, None for one
    that has more time than all of them.
    """
    if not_after_ms <= now_ms:
        return 0
    left = not_after_ms - now_ms
    return min((days for days in WARN_DAYS if left <= days * _DAY_MS), default=None)


class CertificateWatch:
    """Of one node. `groups` may get more while it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looking = threading.Lock()
        self.groups: list[TlsFiles] = []
        self._found: Mapping[str, Sequence[FileCertificate]] = {}
        self._warned: dict[tuple[str, FileCertificate], int] = {}
        self.last_error: str | None = None

    async def run(self, interval_s: float = WATCH_INTERVAL_S) -> None:
        """For ever, beginning now."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception as error:
                # A certificate of a kind that nobody thought of must not end the watch over all others.
                _log.exception("cannot look through the certificates")
                self.last_error = f"{type(error).__name__}: {error}"
            await asyncio.sleep(interval_s)

    def look(self) -> None:
        """Takes up changed files and warns of certificates. For a thread: it reads files."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        found: dict[str, Sequence[FileCertificate]] = {}
        error = None
        for group in list(self.groups):
            group.refresh()
            prefix = group.values.prefix
            try:
                found[prefix] = group.certificates()
            except SettingsError as unreadable:
                # What was read before is in force, and so is what is known of it.
                found[prefix] = self._found.get(prefix, ())
                error = unreadable.reason
            error = group.last_error or error
        self._found, self.last_error = found, error
        self._warn()

    def _warn(self) -> None:
        now_ms = self._clock.now_ms()
        warned: dict[tuple[str, FileCertificate], int] = {}
        for prefix, each in self._pairs():
            stage = stage_of(each.not_after_ms, now_ms)
            if stage is None:
                continue
            warned[prefix, each] = stage
            if self._warned.get((prefix, each)) != stage:
                _log.warning("%s", _warning(prefix, each, now_ms))
        self._warned = warned

    def _pairs(self) -> list[tuple[str, FileCertificate]]:
        return [(prefix, each) for prefix, found in self._found.items() for each in found]

    async def listed(self) -> list[FileCertificate]:
        """What the files of all groups hold, each certificate once, in order of the files."""
        await asyncio.to_thread(self.look)
        return sorted({each for _, each in self._pairs()})

    def known(self) -> list[tuple[str, FileCertificate]]:
        """As they were read last, each with the settings group that names it. Reads nothing."""
        return self._pairs()

    def section(self) -> dict[str, Any]:
        """For people: each certificate and how long it is valid, and whether the files could be read."""
        now_ms = self._clock.now_ms()
        return {
            "reloads": {each.values.prefix: each.reloads for each in self.groups},
            "last_error": self.last_error,
            "files": [
                {
                    "context": prefix,
                    "path": each.path,
                    "subject_dn": each.subject,
                    "expiry": time_text(each.not_after_ms),
                    "days_left": (each.not_after_ms - now_ms) // _DAY_MS,
                }
                for prefix, each in self._pairs()
            ],
        }


def _warning(prefix: str, each: FileCertificate, now_ms: int) -> str:
    left_ms = each.not_after_ms - now_ms
    if left_ms <= 0:
        when = f"has expired at [{time_text(each.not_after_ms)}]: peers that check it refuse it"
    else:
        left = f"[{left_ms // _DAY_MS}d]" if left_ms >= _DAY_MS else f"[{left_ms // 3_600_000}h]"
        when = f"expires in {left}, at [{time_text(each.not_after_ms)}]"
    return (
        f"the certificate [{each.subject}] of [{prefix}] in [{each.path}] {when}; put a new one in "
        "its place, which is taken up without a restart"
    )
