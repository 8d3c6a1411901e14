"""One address on its way through the steps: dialled as the connection itself is dialled, and kept
open until the test has asked what it wants to know.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealane.errors import ApiError
from sealane.model.node import Address, NodeInfo
from sealane.remote.address import is_ip
from sealane.remote.diagnosis.advice import Circumstances, Role, advice
from sealane.remote.diagnosis.causes import Cause
from sealane.remote.diagnosis.report import Failure, Peer, TargetReport
from sealane.remote.diagnosis.steps import StepRecord, Steps
from sealane.remote.dialling import SINGLE_CHANNEL
from sealane.remote.protocols import NodeConnection
from sealane.transport import ConnectionProfile, Step, Watch
from sealane.transport.gate import LinkSecurity
from sealane.transport.tasks import run_together


class WatchedDialer(Protocol):
    """What a test needs of the transport: the same as a connection does, and word of each step."""

    async def resolve(self, address: Address, *, timeout_s: float) -> list[Address]:
        """The IP addresses that `connect` tries. Raises IllegalArgument for an unknown host."""

    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        node_name: str = "",
        watch: Watch = ...,
        security: LinkSecurity | None = None,
    ) -> NodeConnection:
        """See `Dialer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An address as it is configured or published."""

    role: Role
    text: str
    address: Address
    server_name: str | None = None
    node: NodeInfo | None = None
    """Who should answer there, for a publish address."""


class Target:
    """One IP address behind an entry, or the entry itself while nothing else is known."""

    def __init__(
        self,
        entry: Entry,
        *,
        alias: str,
        timeout_s: float,
        key_hint: str,
        by_key: bool,
        on_step: "OnStep",
        now: Callable[[], float] | None,
    ) -> None:
        self._key_hint = key_hint
        self._by_key = by_key
        self.entry = entry
        self.addresses: Sequence[Address] = ()
        self.dialled: Address | None = None
        self.connection: NodeConnection | None = None
        self.failure: Failure | None = None
        self.steps = Steps(lambda record: on_step(self, record), now)
        self._alias = alias
        self._timeout_s = timeout_s

    @property
    def shown(self) -> str:
        """The address for texts, with the IP address where a name has several."""
        if self.dialled is None or len(self.addresses) < 2:
            return self.entry.text
        return f"{self.entry.text}={self.dialled}"

    @property
    def peer(self) -> Peer | None:
        found = self.connection
        if found is None:
            return None
        return Peer(
            node=found.node,
            cluster=found.cluster,
            family=found.family,
            version=found.node.version,
        )

    def fail(self, error: ApiError) -> None:
        """Ends the step that runs, and with it the way of this address."""
        step = self.steps.running
        around = Circumstances(
            address=self.shown,
            role=self.entry.role,
            timeout_s=self._timeout_s,
            alias=self._alias,
            key_hint=self._key_hint,
            by_key=self._by_key,
        )
        self.failure = Failure(error=error, advice=advice(error, step, around))
        if self.failure.advice.cause is Cause.VERSION_INCOMPATIBLE:
            # The handshake has done what it is for: both versions are known.
            self.steps.begin(Step.VERSION)
        self.steps.end(ok=False)

    def report(self) -> TargetReport:
        return TargetReport(
            role=self.entry.role,
            address=self.entry.text,
            addresses=tuple(self.addresses),
            dialled=self.dialled,
            steps=tuple(self.steps.records),
            peer=self.peer,
            failure=self.failure,
            node=self.entry.node,
        )

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


OnStep = Callable[[Target, StepRecord], None]


class Dialling:
    """Takes entries up to the step `name`. `slots` bounds how many are under way at once."""

    def __init__(
        self,
        dialer: WatchedDialer,
        *,
        alias: str,
        tls: ssl.SSLContext | None,
        timeout_s: float,
        slots: asyncio.Semaphore,
        on_step: OnStep,
        now: Callable[[], float] | None = None,
        security: LinkSecurity | None = None,
        key_hint: str = "",
    ) -> None:
        self._security = security
        self._key_hint = key_hint
        self._dialer = dialer
        self._now = now
        self._alias = alias
        self._tls = tls
        self._timeout_s = timeout_s
        self._slots = slots
        self._on_step = on_step
        self.targets: list[Target] = []
        """All that were begun; whoever owns this closes them."""

    async def reach(self, entries: Sequence[Entry]) -> list[Target]:
        """One target for each IP address behind each entry, in their order. Raises nothing for one
        that fails: its `failure` says why."""
        found: list[list[Target]] = [[] for _ in entries]
        works = [self._reach_entry(entry, into) for entry, into in zip(entries, found, strict=True)]
        if works:
            await run_together(works)
        return [target for each in found for target in each]

    async def _reach_entry(self, entry: Entry, into: list[Target]) -> None:
        first = self._target(entry)
        into.append(first)
        first.steps.begin(Step.RESOLVE)
        try:
            addresses = await self._dialer.resolve(entry.address, timeout_s=self._timeout_s)
        except ApiError as error:
            first.fail(error)
            return
        first.steps.learn(", ".join(map(str, addresses)))
        first.steps.end()
        for _ in addresses[1:]:
            other = self._target(entry)
            other.steps.repeat(first.steps.records)
            into.append(other)
        for target, address in zip(into, addresses, strict=True):
            target.addresses, target.dialled = addresses, address
        await run_together([self._connect(target) for target in into])

    def _target(self, entry: Entry) -> Target:
        target = Target(
            entry,
            alias=self._alias,
            timeout_s=self._timeout_s,
            key_hint=self._key_hint,
            by_key=self._security is not None and self._security.by_key,
            on_step=self._on_step,
            now=self._now,
        )
        self.targets.append(target)
        return target

    async def _connect(self, target: Target) -> None:
        entry = target.entry
        assert target.dialled is not None
        name = entry.server_name or (None if is_ip(entry.address.host) else entry.address.host)
        profile = ConnectionProfile(SINGLE_CHANNEL, connect_timeout_s=self._timeout_s)
        async with self._slots:
            try:
                target.connection = await self._dialer.connect(
                    target.dialled,
                    profile,
                    tls=self._tls,
                    server_name=name,
                    node_name=entry.node.name if entry.node else "",
                    watch=target.steps,
                    security=self._security,
                )
            except ApiError as error:
                target.fail(error)
            else:
                target.steps.pause()
