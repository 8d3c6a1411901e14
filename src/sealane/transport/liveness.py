"""Notices a peer that has stopped answering while somebody waits for it: a frozen process, a cable
that was pulled, a firewall that forgot the connection. The system says nothing of any of them for
minutes.

A slow request is no such thing: a live peer answers pings beside it. While nobody waits, this does
nothing; keeping idle connections alive is the ping schedule's business. What happens to the
connection is its owner's.
"""

import asyncio
from collections.abc import Callable, Sequence

from sealane.transport.channel import OutboundChannel
from sealane.wire.frame import PING

LOOK_EVERY_S = 2.0
_SILENT_LOOKS_MAX = 4
"""Each but the last sends a ping; a busy peer has six seconds to answer the first."""


class Liveness:
    """Of one connection. `on_dead` is called once, eight to ten seconds after a channel on which
    requests wait has carried its last byte."""

    __slots__ = ("_channels", "_loop", "_on_dead", "_seen", "_timer")

    def __init__(self, channels: Sequence[OutboundChannel], on_dead: Callable[[], None]) -> None:
        self._channels = channels
        self._on_dead = on_dead
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._seen: dict[OutboundChannel, tuple[tuple[int, int], int]] = {}
        """What each channel that is waited for had carried at the last look, and the silent looks
        since."""

    def watch(self) -> None:
        """Somebody waits from now on."""
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        before, self._seen = self._seen, {}
        for channel in self._channels:
            if not channel.pending:
                continue
            carried = channel.carried()
            seen, silent = before.get(channel, (None, 0))
            silent = silent + 1 if carried == seen else 0
            if silent >= _SILENT_LOOKS_MAX:
                self._on_dead()
                return
            if silent:
                channel.send(PING)
                carried = channel.carried()
            self._seen[channel] = (carried, silent)
        if self._seen:
            self.watch()
