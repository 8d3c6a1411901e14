"""The network of a simulated world: hosts with addresses, names, listeners and descriptors, and the
paths between them.

Each host is a `Network` for the programs on it (`sealane.transport.network`). Everything is drawn
from one seed; nothing depends on wall time or the machine.
"""

import asyncio
import errno
import os
import random
import socket
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from sealane.model.node import Address
from sealane.testing.simulation.link import Link
from sealane.testing.simulation.loop import SimulatedLoop, family
from sealane.testing.simulation.path import Path, State
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.way import Station, Way
from sealane.transport.network import ReceiverFactory

R = TypeVar("R", bound=asyncio.BufferedProtocol)

_SYN_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Between attempts to open a connection, as Linux makes them; after the last it has timed out."""
_UNREACHABLE_AFTER_S = 3.0
"""How long a host on the same wire is looked for."""
_ACCEPT_AGAIN_S = 1.0
"""asyncio's own pause when there is no descriptor for a connection that waits."""
_BACKLOG = 64
_FIRST_FREE_PORT = 30_000
_SHREDDED = 0.15
"""Share of connections whose bytes arrive in small pieces."""


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class SimulatedNetwork:
    """`links` are all ends that have not been lost, by serial."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random, trace: Trace) -> None:
        self.loop = loop
        self.chance = chance
        self.trace = trace
        self.hosts: dict[str, Host] = {}
        self.names: dict[str, Name] = {}
        self.links: dict[str, Link] = {}
        self.changed = True
        """Set at each connection that opens or ends; whoever looks at them clears it."""
        self._paths: dict[tuple[str, str], Path] = {}
        self._connections = 0

    def host(self, ip: str) -> "Host":
        """The host at an address, made at first."""
        if ip not in self.hosts:
            self.hosts[ip] = Host(self, ip)
        return self.hosts[ip]

    def path(self, source: str, target: str) -> Path:
        """The direction from one host to another."""
        key = (source, target)
        if key not in self._paths:
            self._paths[key] = Path(self.chance)
        return self._paths[key]

    def turn(self, source: str, target: str, state: State) -> None:
        self.path(source, target).turn(state, self.loop.time())

    def paths_to(self, target: str) -> list[Path]:
        return [path for (_, end), path in self._paths.items() if end == target]

    def passes(self, source: str, target: str) -> bool:
        """Whether both directions are up."""
        return all(
            self.path(*way).state is State.UP for way in ((source, target), (target, source))
        )

    def connect(self, near: "Host", far: "Host", port: int) -> tuple[Link, Link]:
        """The two ends of a new connection, which no program has yet."""
        self._connections += 1
        number = self._connections
        own, there = Address(near.ip, near.free_port()), Address(far.ip, port)
        dialling = Link(near, f"{number}d", own, there, near.link_gone)
        accepting = Link(far, f"{number}a", there, own, far.link_gone)
        to, back = self.path(near.ip, far.ip), self.path(far.ip, near.ip)
        dialling.out = Way(dialling, accepting, to, back, self.trace.note)
        accepting.out = Way(accepting, dialling, back, to, self.trace.note)
        dialling.out.other, accepting.out.other = accepting.out, dialling.out
        dialling.shredded = accepting.shredded = self.chance.random() < _SHREDDED
        for link, host in ((dialling, near), (accepting, far)):
            self.links[link.serial] = link
            host.links[link.serial] = link
        return dialling, accepting

    def gone(self, link: Link) -> None:
        self.links.pop(link.serial, None)
        self.changed = True


class Name:
    """What a name server says of one name. `fails` and `hangs` come before its addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.fails = False
        self.hangs = False


class _Listener:
    """A listening socket: connections that the kernel has accepted wait for the program."""

    def __init__(self, host: "Host", address: Address, receiver: ReceiverFactory) -> None:
        self._host = host
        self._address = address
        self._receiver = receiver
        self.backlog: deque[Link] = deque()

    @property
    def address(self) -> Address:
        return self._address

    def close(self) -> None:
        self._host.listeners.pop(self._address.port, None)
        while self.backlog:
            self.backlog.popleft().reset_unaccepted()

    def accept(self) -> None:
        """The program takes what waits, as far as it has descriptors."""
        host = self._host
        while self.backlog:
            link = self.backlog[0]
            if host.is_frozen:
                return
            if link.is_lost:
                self.backlog.popleft()
                continue
            if not host.has_descriptor():
                host.network.trace.note("emfile", host.ip)
                host.loop.call_later(_ACCEPT_AGAIN_S, self.accept)
                return
            self.backlog.popleft()
            host.descriptors += 1
            link.has_descriptor = True
            link.begin(self._receiver())


class Host(Station):
    """One machine with one address. Implements `Network` for the programs on it.

    `descriptors_max` is what its one program may have open.
    """

    def __init__(self, network: SimulatedNetwork, ip: str) -> None:
        self.network = network
        self.loop = network.loop
        self.ip = ip
        self.links: dict[str, Link] = {}
        self.listeners: dict[int, _Listener] = {}
        self.descriptors = 0
        self.descriptors_max = 1 << 20
        self.answers_when_dead = False
        """Whether the others learn soon that there is no such host."""
        self._next_port = _FIRST_FREE_PORT

    def free_port(self) -> int:
        self._next_port += 1
        return self._next_port

    def has_descriptor(self) -> bool:
        return self.descriptors < self.descriptors_max

    # -- the protocol Network ----------------------------------------------------------------------

    async def resolve(self, host: str, port: int) -> list[Address]:
        if host.replace(".", "").isdigit():
            return [Address(host, port)]
        name = self.network.names.get(host)
        self.network.trace.note("resolve", host)
        await asyncio.sleep(self.network.chance.uniform(0, 0.02))
        if name is not None and name.hangs:
            await self.loop.create_future()
        if name is None or name.fails or not name.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [Address(each, port) for each in name.addresses]

    async def dial(self, address: Address, receiver: Callable[[], R]) -> R:
        self.network.trace.note("dial", self.ip, str(address))
        if not self.has_descriptor():
            self.network.trace.note("emfile", self.ip)
            raise _error(errno.EMFILE)
        self.descriptors += 1
        try:
            link = await self._open(address)
        except BaseException:
            self.descriptors -= 1
            raise
        link.has_descriptor = True
        link.owner = family()
        made = receiver()
        self.network.changed = True
        begun: asyncio.Future[None] = self.loop.create_future()
        self.loop.call_soon(self._begin, link, made, begun)
        try:
            await begun
        except BaseException:
            link.close()
            raise
        return made

    async def listen(self, host: str, port: int, receiver: ReceiverFactory) -> _Listener:
        bound = port or self.free_port()
        if bound in self.listeners:
            raise _error(errno.EADDRINUSE)
        self.listeners[bound] = _Listener(self, Address(self.ip, bound), receiver)
        return self.listeners[bound]

    # -- opening -----------------------------------------------------------------------------------

    def _begin(
        self, link: Link, receiver: asyncio.BufferedProtocol, begun: "asyncio.Future[None]"
    ) -> None:
        link.begin(receiver)
        if not begun.done():
            begun.set_result(None)

    async def _open(self, address: Address) -> Link:
        """SYN, SYN and ACK, until somebody answers. Raises OSError."""
        network = self.network
        there, back = network.path(self.ip, address.host), network.path(address.host, self.ip)
        for pause_s in _SYN_PAUSES_S:
            way_s = there.draw_delay_s(0)
            await asyncio.sleep(way_s)
            far = network.hosts.get(address.host)
            if far is None or (far.is_dead and far.answers_when_dead):
                await asyncio.sleep(_UNREACHABLE_AFTER_S)
                raise _error(errno.EHOSTUNREACH)
            if self.is_dead:
                await self.loop.create_future()
            dark = State.DARK in (there.state, back.state) or far.is_dead
            listener = far.listeners.get(address.port)
            if not dark and (listener is None or State.DOWN in (there.state, back.state)):
                await asyncio.sleep(back.draw_delay_s(0))
                raise _error(errno.ECONNREFUSED)
            if not dark and listener is not None and len(listener.backlog) < _BACKLOG:
                return await self._opened(far, listener, address.port, back)
            network.trace.note("syn_lost", self.ip, str(address))
            await asyncio.sleep(max(0.0, pause_s - way_s))
        raise _error(errno.ETIMEDOUT)

    async def _opened(self, far: "Host", listener: _Listener, port: int, back: Path) -> Link:
        dialling, accepting = self.network.connect(self, far, port)
        self.network.trace.note("open", dialling.serial, self.ip, far.ip)
        listener.backlog.append(accepting)
        self.loop.call_soon(listener.accept)
        try:
            await asyncio.sleep(back.draw_delay_s(0))
        except BaseException:
            dialling.abort()
            raise
        if dialling.is_lost:
            raise _error(errno.ECONNRESET)
        return dialling

    # -- what may happen to it ---------------------------------------------------------------------

    def link_gone(self, link: Link) -> None:
        if link.has_descriptor:
            link.has_descriptor = False
            self.descriptors -= 1
        self.links.pop(link.serial, None)
        self.network.trace.note("gone", link.serial)
        self.network.gone(link)

    def freeze(self) -> None:
        """Its programs stop; the kernel goes on."""
        self.is_frozen = True
        self.frozen_since = self.loop.time()

    def thaw(self) -> None:
        self.is_frozen = False
        for link in list(self.links.values()):
            link.take_received()
        for listener in list(self.listeners.values()):
            self.loop.call_soon(listener.accept)

    def kill(self) -> None:
        """Its program is killed: the kernel closes what it had, and answers for it from now on."""
        for listener in list(self.listeners.values()):
            listener.close()
        for link in list(self.links.values()):
            link.abort()

    def lose_power(self, *, answers: bool) -> None:
        """Nothing leaves it any more; what it had is lost without a word."""
        self.answers_when_dead = answers
        self.is_dead = True
        for link in list(self.links.values()):
            link.vanish()
        for listener in list(self.listeners.values()):
            listener.close()

    def return_power(self) -> None:
        """It is up, with nothing on it."""
        self.is_dead = False
        for path in self.network.paths_to(self.ip):
            waiting, path.stalled = path.stalled, {}
            for each in waiting:
                each.path_cleared(self.network.chance.uniform(0, 5))
