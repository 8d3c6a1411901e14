"""Which cluster each alias led to when it was last connected, kept across starts of the node.

An alias whose addresses suddenly lead to a cluster with another uuid is refused (`identity` says so) until somebody
changes its addresses or removes it: a recycled address must not send searches to a stranger.
"""

import logging
from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from sealane.cluster.store import StateStore
from sealane.errors import ApiError
from sealane.transport.tasks import TaskScope

_KEY: Final = "remote/pins"
_log = logging.getLogger("sealane.remote")


class _Pin(msgspec.Struct, frozen=True):
    addresses: str
    uuid: str


class Pins(Protocol):
    """`addresses` is a text of where an alias is reached: a pin holds for these only."""

    def uuid(self, alias: str, addresses: str) -> str:
        """The uuid that was pinned, empty where none is."""

    def pin(self, alias: str, addresses: str, uuid: str) -> None:
        """Takes the place of the alias's earlier pin. Never blocks."""

    def keep_only(self, aliases: Collection[str]) -> None:
        """The others were removed: under their names any cluster may be registered again."""


class MemoryPins:
    """Pins that live as long as the process."""

    def __init__(self) -> None:
        self._pins: dict[str, _Pin] = {}

    def uuid(self, alias: str, addresses: str) -> str:
        pin = self._pins.get(alias)
        return pin.uuid if pin is not None and pin.addresses == addresses else ""

    def pin(self, alias: str, addresses: str, uuid: str) -> None:
        pin = _Pin(addresses, uuid)
        if self._pins.get(alias) != pin:
            self._pins[alias] = pin
            self._changed()

    def keep_only(self, aliases: Collection[str]) -> None:
        kept = {alias: pin for alias, pin in self._pins.items() if alias in aliases}
        if len(kept) < len(self._pins):
            self._pins = kept
            self._changed()

    def _changed(self) -> None:
        """Nothing to do: nothing is kept elsewhere."""


class StoredPins(MemoryPins):
    """Pins that are written to the node's state store in the background, one write after the other.

    A write that fails is logged; the next change writes all of them again.
    """

    def __init__(self, store: StateStore, scope: TaskScope) -> None:
        super().__init__()
        self._store = store
        self._scope = scope
        self._is_stale = False
        self._is_writing = False

    async def load(self) -> None:
        """Reads what earlier starts have pinned. Raises IOFailure."""
        entry = await self._store.get(_KEY)
        if entry is not None:
            self._pins = msgspec.json.decode(entry.value, type=dict[str, _Pin])

    def _changed(self) -> None:
        self._is_stale = True
        if not self._is_writing:
            self._is_writing = True
            self._scope.start(self._write(), name="pins of remote clusters")

    async def _write(self) -> None:
        try:
            while self._is_stale:
                self._is_stale = False
                await self._store.compare_and_set({_KEY: msgspec.json.encode(self._pins)}, {})
        except ApiError as error:
            _log.warning("pins of remote clusters are not written: %s", error.reason)
        finally:
            self._is_writing = False
