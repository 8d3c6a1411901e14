"""Who may stay on a listening port: how many sockets, and how long one may keep silent.

A socket is a stranger until its first whole frame, over TLS already while it negotiates that.
Closing it is done by whoever asked.
"""

import logging
from collections import Counter

from sealane.model.node import Address
from sealane.transport.limits import TransportLimits

_log = logging.getLogger(__name__)


class Admission:
    """Counts accepted sockets. Whoever was let in by `enter` calls `leave` when it has gone."""

    def __init__(self, limits: TransportLimits) -> None:
        self._limits = limits
        self._open = 0
        self._strangers = 0
        self._foreign: Counter[str] = Counter()
        self._refused_last = False
        self.closed = False

    def enter(self, peer: Address) -> bool:
        """Whether one more socket may stay. The first refusal of a row is logged as a warning."""
        if self.closed:
            return False
        limits, refusal = self._limits, ""
        if self._open >= limits.accepted_max:
            refusal = f"[{limits.accepted_max}] connections are open"
        elif self._strangers >= limits.strangers_max:
            refusal = f"[{limits.strangers_max}] connections have not shaken hands yet"
        if refusal:
            level = logging.DEBUG if self._refused_last else logging.WARNING
            _log.log(level, "refusing connection from [%s]: %s", peer, refusal)
            self._refused_last = True
            return False
        self._refused_last = False
        self._open += 1
        self._strangers += 1
        return True

    def introduced(self) -> None:
        """A socket that entered has said something."""
        self._strangers -= 1

    def leave(self, *, stranger: bool) -> None:
        self._open -= 1
        self._strangers -= stranger

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
