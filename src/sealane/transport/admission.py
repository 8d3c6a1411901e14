"""Who may stay on a listening port: how many sockets, and how long one may keep silent.

A socket is a stranger until its first whole frame, over TLS already while it negotiates that.
Closing it is done by whoever asked.
"""

import logging
from collections import Counter
from collections.abc import Callable

from sealane.model.node import Address
from sealane.transport.limits import TransportLimits

_log = logging.getLogger(__name__)

Drop = Callable[[], None]
"""Closes one accepted socket at once, and stands for it here."""


class Admission:
    """Counts accepted sockets. Whoever was let in by `enter` calls `leave` when it has gone."""

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._open = 0
        self._strangers: dict[Drop, Address] = {}
        """The one that has been silent for longest is the first."""
        self._foreign: Counter[str] = Counter()
        self._refused_last = False
        self.closed = False

    def enter(self, peer: Address, drop: Drop) -> bool:
        """Whether one more socket may stay. The first refusal of a row is logged as a warning.

        Above the limit of strangers the oldest has to go: a node says something at once, and a
        thousand silent sockets must not keep others out.
        """
        if self.closed:
            return False
        limits, refusal = self._limits, ""
        if self._open >= limits.accepted_max:
            refusal = f"[{limits.accepted_max}] connections are open"
        elif len(self._strangers) >= limits.strangers_max and not self._drop_a_stranger():
            refusal = f"[{limits.strangers_max}] connections have not shaken hands yet"
        if refusal:
            level = logging.DEBUG if self._refused_last else logging.WARNING
            _log.log(level, "refusing connection from [%s]: %s", peer, refusal)
            self._refused_last = True
            return False
        self._refused_last = False
        self._open += 1
        self._strangers[drop] = peer
        return True

    def _drop_a_stranger(self) -> bool:
        """False where all of them may be a real node's."""
        found = next(
            (drop for drop, peer in self._strangers.items() if not self.may_be_silent(peer)), None
        )
        if found is None:
            return False
        peer = self._strangers.pop(found)
        _log.warning(
            "closing connection [%s]: silent, and [%d] others have not shaken hands yet",
            peer,
            len(self._strangers),
        )
        found()
        return True

    def introduced(self, drop: Drop) -> None:
        """A socket that entered has said something."""
        self._strangers.pop(drop, None)

    def leave(self, drop: Drop) -> None:
        self._open -= 1
        self._strangers.pop(drop, None)

    # Nodes of other products shake hands on one socket of several; the others are silent for long.

    def foreign_arrived(self, peer: Address) -> None:
        """A node of another product has shaken hands on a socket from there."""
        self._foreign[peer.host] += 1

    def foreign_left(self, peer: Address) -> None:
        self._foreign[peer.host] -= 1
        if not self._foreign[peer.host]:
            del self._foreign[peer.host]

    def may_be_silent(self, peer: Address) -> bool:
        """Whether a socket from there may belong to a node that has shaken hands on another."""
        return peer.host in self._foreign
