"""One connection test: dials what a remote's connections would dial, asks what they would ask, and
closes all of it again.

What is made of the outcome is decided in `verdict`.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sealane.errors import ApiError, ReceiveTimeout
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.remote.config import Mode, ProxyConfig, SniffConfig
from sealane.remote.diagnosis.advice import Role
from sealane.remote.diagnosis.report import Report
from sealane.remote.diagnosis.steps import StepRecord
from sealane.remote.diagnosis.targets import Dialling, Entry, Target, WatchedDialer
from sealane.remote.diagnosis.verdict import Findings, conclude, node_reports
from sealane.remote.dialling import Identify
from sealane.remote.identity import PinnedIdentity, check_node
from sealane.remote.sniff import ListNodes
from sealane.transport import Step, format_time
from sealane.transport.gate import LinkSecurity
from sealane.transport.tasks import run_together

AT_ONCE_MAX = 8
"""Addresses dialled at once."""
SEEDS_MAX = 32
NODES_MAX = 32
TOTAL_STEPS = 6
"""What a whole test may take, in times of one step."""
ANY_CLUSTER = ClusterIdentity(name="", uuid="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to test. `expected` is the cluster that it must be, empty where any will do."""

    alias: str | None
    reach: SniffConfig | ProxyConfig
    timeout_s: float
    gateway_attribute: str | None = None
    expected: ClusterIdentity = ANY_CLUSTER
    security: LinkSecurity | None = None
    """How the connections are secured; None as those of the node's own transport."""
    key_hint: str = ""
    """What may be wrong with the keys of this node, where it comes without one."""

    @property
    def mode(self) -> Mode:
        return Mode.SNIFF if isinstance(self.reach, SniffConfig) else Mode.PROXY


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a test works with. Without `identify` a cluster is known by what its handshake tells;
    `local` says which cluster this node is of, asked when a test ends, for a node may join its cluster
    late; None where there is no node. `now` measures steps, the loop's clock where it is None."""

    dialer: WatchedDialer
    list_nodes: ListNodes
    identify: Identify | None = None
    local: Callable[[], ClusterIdentity] | None = None
    tls: ssl.SSLContext | None = None
    now: Callable[[], float] | None = None


def _ignore(target: Target, record: StepRecord) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class _Progress:
    """What has been found so far; complete or cut short, a verdict is made of it."""

    listed: dict[str, NodeInfo] = field(default_factory=dict)
    """By ephemeral id."""
    warnings: list[str] = field(default_factory=list)


async def diagnose(
    plan: Plan, tools: Tools, on_step: Callable[[Target, StepRecord], None] = _ignore
) -> Report:
    """Runs one test. `on_step` hears of each step as it ends.

    Takes at most six times the time of a step. Cancelling it closes all that it has opened. Raises
    nothing that the network could be the reason of.
    """
    return await _Test(plan, tools, on_step).run()


class _Test:
    def __init__(
        self, plan: Plan, tools: Tools, on_step: Callable[[Target, StepRecord], None]
    ) -> None:
        self._plan = plan
        self._tools = tools
        self._found = _Progress()
        self._identity = PinnedIdentity(
            expected_name=plan.expected.name, known_uuid=plan.expected.uuid
        )
        self._dialling = Dialling(
            tools.dialer,
            alias=plan.alias or "",
            tls=tools.tls,
            timeout_s=plan.timeout_s,
            slots=asyncio.Semaphore(AT_ONCE_MAX),
            on_step=on_step,
            now=tools.now,
            security=plan.security,
            key_hint=plan.key_hint,
        )

    async def run(self) -> Report:
        now = self._tools.now or asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(TOTAL_STEPS * self._plan.timeout_s):
                await self._go()
        except TimeoutError:
            self._out_of_time()
        finally:
            for target in self._dialling.targets:
                target.close()
        return self._conclude(round((now() - began) * 1e9))

    async def _go(self) -> None:
        reach = self._plan.reach
        reached = await self._reach(self._entries())
        self._judge(reached)
        if isinstance(reach, ProxyConfig):
            return
        await run_together(
            [self._ask_nodes(target) for target in reached if target.failure is None]
        )
        await self._reach_nodes(reach)

    async def _reach(self, entries: Sequence[Entry]) -> list[Target]:
        """The targets of `entries`, with connections that know their cluster."""
        reached = await self._dialling.reach(entries)
        identify = self._tools.identify
        if identify is not None:
            opened = [each.connection for each in reached if each.connection is not None]
            await run_together([identify(each) for each in opened])
        return reached

    def _entries(self) -> list[Entry]:
        reach = self._plan.reach
        if isinstance(reach, ProxyConfig):
            return [
                Entry(
                    role=Role.PROXY,
                    text=reach.address.text,
                    address=reach.address.address,
                    server_name=reach.server_name or None,
                )
            ]
        if reach.proxy is not None:
            # Every connection goes there, whatever the seeds are.
            return [Entry(role=Role.SEED, text=reach.proxy.text, address=reach.proxy.address)]
        if len(reach.seeds) > SEEDS_MAX:
            self._found.warnings.append(
                f"only the first [{SEEDS_MAX}] of [{len(reach.seeds)}] seeds were tested"
            )
        return [
            Entry(role=Role.SEED, text=seed.text, address=seed.address)
            for seed in reach.seeds[:SEEDS_MAX]
        ]

    def _judge(self, reached: Sequence[Target]) -> None:
        """Whether each is who it should be, in the order in which a connection would pin the
        cluster, whoever answered first."""
        for target in reached:
            found = target.connection
            if found is None or target.steps.running is not Step.NAME:
                continue
            target.steps.learn(_described(found.node, found.cluster))
            try:
                if target.entry.node is not None:
                    check_node(target.entry.node, found.node)
                self._identity.check(found.cluster, found.node)
            except ApiError as error:
                target.fail(error)
            else:
                _name_and_version(target)

    # -- nodes -------------------------------------------------------------------------------------

    async def _ask_nodes(self, target: Target) -> None:
        found = target.connection
        assert found is not None
        target.steps.begin(Step.NODES)
        if not found.by_key:
            # Known without a list, and enough for a connection if it may be a gateway.
            self._found.listed.setdefault(found.node.ephemeral_id, found.node)
        timeout_s = self._plan.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                nodes = await self._tools.list_nodes(found)
        except TimeoutError:
            target.fail(
                ReceiveTimeout(
                    f"[{found.node.name}][{target.dialled}] no list of nodes within "
                    f"[{format_time(timeout_s)}]"
                )
            )
            return
        except ApiError as error:
            target.fail(error)
            return
        target.steps.learn(f"{len(nodes)} nodes" if len(nodes) != 1 else "1 node")
        target.steps.end()
        for node in nodes:
            self._found.listed.setdefault(node.ephemeral_id, node)

    async def _reach_nodes(self, reach: SniffConfig) -> None:
        """Each eligible node where it publishes itself, as a gateway would be dialled."""
        reports = node_reports(self._found.listed.values(), self._plan.gateway_attribute)
        wanted = [each.node for each in reports if each.eligible]
        if len(wanted) > NODES_MAX:
            self._found.warnings.append(
                f"only [{NODES_MAX}] of [{len(wanted)}] eligible nodes were tested"
            )
        entries = [_node_entry(node, reach) for node in wanted[:NODES_MAX]]
        self._judge(await self._reach(entries))

    # -- the end -----------------------------------------------------------------------------------

    def _out_of_time(self) -> None:
        total = TOTAL_STEPS * self._plan.timeout_s
        self._judge(self._dialling.targets)
        for target in self._dialling.targets:
            if target.failure is None and target.steps.running is not None:
                target.fail(ReceiveTimeout(f"connection test gave up after [{format_time(total)}]"))

    def _conclude(self, nanos: int) -> Report:
        plan = self._plan
        return conclude(
            Findings(
                alias=plan.alias,
                mode=plan.mode,
                targets=tuple(target.report() for target in self._dialling.targets),
                listed=tuple(self._found.listed.values()),
                gateway_attribute=plan.gateway_attribute,
                local=None if self._tools.local is None else self._tools.local(),
                warnings=tuple(self._found.warnings),
                nanos=nanos,
            )
        )


def _node_entry(node: NodeInfo, reach: SniffConfig) -> Entry:
    if reach.proxy is not None:
        return Entry(role=Role.NODE, text=reach.proxy.text, address=reach.proxy.address, node=node)
    return Entry(role=Role.NODE, text=str(node.address), address=node.address, node=node)


def _described(node: NodeInfo, cluster: ClusterIdentity) -> str:
    uuid = f" ({cluster.uuid})" if cluster.uuid else ""
    return f"node [{node.name}] of cluster [{cluster.name}]{uuid}"


def _name_and_version(target: Target) -> None:
    """The name was found right; the version has been settled by the handshake."""
    peer = target.peer
    assert peer is not None
    target.steps.begin(Step.VERSION)
    target.steps.learn(f"{peer.product} {peer.version}".rstrip())
    target.steps.end()
