"""The parts of a node that holds data: state store, indices, engine, and what answers from them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealane.cluster.documents import Documents
from sealane.cluster.fellow_nodes import FellowNodes
from sealane.cluster.indices import IndexService
from sealane.cluster.look_ups import looked_up_in
from sealane.cluster.membership import Membership
from sealane.cluster.node_reports import NodeReports
from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.shared_security import share_security
from sealane.cluster.shared_settings import SharedSettings
from sealane.cluster.sqlite_store import SqliteStateStore
from sealane.engine.embedded import search as searcher
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.inbound import register_about_handlers, register_handlers, register_phase_handlers
from sealane.inbound.cluster import register_master_handlers
from sealane.inbound.indices import register_indices_handlers
from sealane.inbound.replication import register_replication_handlers
from sealane.model.access import no_access_needed, required_access
from sealane.node.base import Base
from sealane.node.config import registry, seed_hosts
from sealane.node.metrics import NodeMetrics
from sealane.node.replication import ReplicationParts, encoded, make_replication, nobody
from sealane.node.reports import report_indices, report_membership, report_node
from sealane.node.secured import has_security
from sealane.node.seeds import refuse_other_data_nodes
from sealane.query import decode, parse_query
from sealane.remote import RemoteClusters, StoredPins
from sealane.remote.transport.indices_client import RemoteIndices
from sealane.remote.transport.replication_client import RemoteFeeds
from sealane.replication.leader.service import LeaderService
from sealane.rest import msearch, search
from sealane.rest.forward import ForwardedRequests, pass_on
from sealane.rest.handlers import (
    analyze,
    async_search,
    ccr,
    certificates,
    data_streams,
    explain,
    index_templates,
    metrics,
    pit,
    remote_test,
    resolve_cluster,
    rollover,
    scroll,
    stats,
    validate,
)
from sealane.rest.handlers.search_apis import SearchApis
from sealane.rest.router import Route
from sealane.rest.routes import standard_routes
from sealane.rest.services import Services
from sealane.search.about import AboutLocalCluster
from sealane.search.cluster_stats import ClusterTotals, RemoteTotals
from sealane.search.coordinator import SearchService
from sealane.search.defaults import CcsDefaults, SettingsDefaults
from sealane.search.local import LocalCluster
from sealane.search.local_indices import LocalIndices
from sealane.search.remote_tasks import RemoteTasks
from sealane.search.resolve_cluster import ClusterResolver
from sealane.search.slow_log import CcsSlowLog, ShardSlowLog
from sealane.settings import node_settings as keys
from sealane.settings.ccr_settings import CCR_ENABLED, CCR_MAX_BYTES_PER_SEC
from sealane.settings.discovery_settings import FOLLOWER_CHECK_TIMEOUT
from sealane.transport import TaskScope

if TYPE_CHECKING:
    from sealane.security.stores.security import Security

_log = logging.getLogger("sealane.node")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is kept here, open and running."""

    store: SqliteStateStore
    settings: ClusterSettings
    indices: IndexService
    engine: EmbeddedEngine
    executor: ThreadPoolExecutor
    background: TaskScope
    security: "Security | None"

    def unopened(self) -> tuple[str, ...]:
        """Uuids of the indices that the engine could not open."""
        return tuple(self.indices.opened.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Master:
    """The cluster as this node leads it, and what the transport answers for it."""

    membership: Membership
    cluster: ClusterNodes
    fellows: FellowNodes
    local: LocalCluster
    about: AboutLocalCluster
    about_indices: LocalIndices
    totals: ClusterTotals
    forwarded: ForwardedRequests
    leader: LeaderService


async def _open(base: Base) -> _Held:
    """Reads what is kept, and opens the engine on it. Raises ApiError for state that cannot be read."""
    settings, stack = base.settings, base.stack
    executor = ThreadPoolExecutor(keys.ENGINE_THREADS.get(settings), "sealane-engine")
    stack.callback(executor.shutdown)
    store = await SqliteStateStore.open(base.folder.path / "state.sqlite", executor)
    stack.push_async_callback(store.close)
    base.identity = await base.folder.cluster(store, base.identity.name, base.ids)
    serial = Serial()
    cluster_settings = ClusterSettings(
        store=store, registry=registry(), node=settings, serial=serial
    )
    await cluster_settings.load()
    security = await _open_security(base, store, cluster_settings)
    indices = IndexService(
        store=store,
        settings=cluster_settings,
        serial=serial,
        clock=base.clock,
        ids=base.ids,
        check_filter=lambda raw: parse_query(decode(raw)),
        guard=no_access_needed if security is None else required_access,
    )
    await indices.load()
    engine = EmbeddedEngine(
        base.folder.path / "indices",
        clock=base.clock,
        ids=base.ids,
        mappings=indices,
        searcher=searcher,
        executor=executor,
    )
    stack.push_async_callback(engine.close)
    await stack.enter_async_context(serial)  # changes under way end before the engine closes
    await engine.remove_orphans(indices.known_uuids())
    background = await stack.enter_async_context(TaskScope("node"))
    background.start(engine.run(), name="refresh")
    await indices.start(engine)
    background.start(indices.opened.reopen_failed(), name="reopen")
    return _Held(
        store=store,
        settings=cluster_settings,
        indices=indices,
        engine=engine,
        executor=executor,
        background=background,
        security=security,
    )


async def _open_security(
    base: Base, store: SqliteStateStore, settings: ClusterSettings
) -> "Security | None":
    """None on a node without. Raises IOFailure."""
    if not has_security(base.settings):
        _log.info("security is off: whoever reaches the loopback addresses may do everything")
        return None
    from sealane.node.security import (
        open_security,  # what it needs takes a node without it 50 ms to import
    )

    return await open_security(base, store, settings)


def _security_routes(
    security: "Security | None", cluster: ClusterNodes, remotes: RemoteClusters
) -> list[Route]:
    """None without security: the paths are then as unknown as they are to the reference."""
    if security is None:
        return []
    from sealane.rest.handlers import security as handlers  # as above

    return handlers.routes(security, cluster, remotes)


def _lead(base: Base, held: _Held) -> _Master:
    """Makes the cluster of which this node is the master, and registers what other nodes may ask."""
    indices = held.indices
    local = LocalCluster(
        indices=indices,
        reader=held.engine,
        node_id=base.node_id,
        defaults=SettingsDefaults(held.settings),
        slow_log=ShardSlowLog(lambda: indices.metadata),
    )
    membership = Membership(
        identity=base.identity,
        local=base.member,
        settings=held.settings,
        ids=base.ids,
        lease_s=FOLLOWER_CHECK_TIMEOUT.get(base.settings).ms / 1000,
        security_version=lambda: 0 if held.security is None else held.security.version,
    )
    base.stack.callback(membership.close)
    if held.security is not None:
        share_security(held.security, membership)
        from sealane.inbound.security import register_security_handlers  # as above

        register_security_handlers(
            base.transport, security=held.security, clock=base.clock, authorize=base.authorize
        )
    cluster = ClusterNodes(
        identity=lambda: base.identity,
        local=base.member,
        state=lambda: membership.state,
    )
    fellows = base.fellows(cluster.nodes)
    membership.on_change(fellows.members_changed)
    totals = ClusterTotals(
        identity=lambda: base.identity,
        nodes=cluster.nodes,
        indices=indices,
        unopened=held.unopened,
        reports=NodeReports(lambda: fellows),
    )
    about = AboutLocalCluster(names=indices, version=base.build().product, stats=totals.stats)
    register_handlers(base.transport, local=local, nodes=cluster, authorize=base.authorize)
    register_phase_handlers(base.transport, local=local, authorize=base.authorize)
    register_about_handlers(base.transport, about=about, authorize=base.authorize)
    about_indices = LocalIndices(indices=indices, reader=held.engine)
    register_indices_handlers(base.transport, local=about_indices, authorize=base.authorize)
    base.register_membership(cluster, fellows)
    forwarded = ForwardedRequests()
    register_master_handlers(
        base.transport, master=membership, forwarded=forwarded, authorize=base.authorize
    )
    return _Master(
        membership=membership,
        cluster=cluster,
        fellows=fellows,
        local=local,
        about=about,
        about_indices=about_indices,
        totals=totals,
        forwarded=forwarded,
        leader=_lead_followers(base, held),
    )


def _lead_followers(base: Base, held: _Held) -> LeaderService:
    """Lets other clusters follow the indices of this one."""
    leader = LeaderService(
        indices=held.indices.followed,
        engine=held.engine,
        cluster=lambda: base.identity,
        clock=base.clock,
        guard=no_access_needed if held.security is None else required_access,
        unopened=held.unopened,
        copy_rate=lambda: held.settings.get(CCR_MAX_BYTES_PER_SEC),
        rights_version=lambda: 0 if held.security is None else held.security.version,
    )

    def beside(work: Callable[[], bytes]) -> Awaitable[bytes]:
        return asyncio.get_running_loop().run_in_executor(held.executor, work)

    register_replication_handlers(
        base.transport, leader=leader, authorize=base.authorize, offload=beside
    )
    return leader


def _follow(base: Base, held: _Held, remotes: RemoteClusters) -> ReplicationParts:
    """Lets the indices of this cluster follow those of others."""
    has_security = held.security is not None
    return make_replication(
        indices=held.indices,
        engine=held.engine,
        store=held.store,
        settings=held.settings,
        feeds=RemoteFeeds(remotes),
        tasks=base.tasks,
        clock=base.clock,
        identity=lambda: base.identity,
        guard=required_access if has_security else no_access_needed,
        authorize=base.authorize,
        subjects=encoded() if has_security else nobody(),
    )


def _replication_routes(
    services: Services,
    replication: ReplicationParts,
    leader: LeaderService,
    settings: ClusterSettings,
) -> list[Route]:
    """None where it is switched off: the paths are then as unknown as they are to the reference."""
    if not settings.get(CCR_ENABLED):
        return []
    return ccr.routes(services, replication.services(leader))


async def start_data_node(base: Base) -> None:
    """Brings the node up to its open ports. Raises ApiError for state that cannot be read and addresses that cannot
    be bound, StartError; what was started is then on the stack of `base`.
    """
    held = await _open(base)
    settings, indices = held.settings, held.indices
    master = _lead(base, held)
    membership, totals = master.membership, master.totals
    base.bind_http()
    await base.listen()
    await refuse_other_data_nodes(seed_hosts(base.settings), base.info, base.transport)
    membership.publish()
    pins = StoredPins(held.store, held.background)
    await pins.load()
    base.audit_by(settings)
    remotes = base.remotes(settings, pins=pins, origin=settings.origin)
    ccs = CcsDefaults(settings)
    searches = SearchService(
        local=master.local,
        remotes=remotes,
        max_buckets=SettingsDefaults(settings).max_buckets,
        fail_fast=ccs.fail_fast,
        slow_log=CcsSlowLog(lambda: settings.current),
        allow_partial=SettingsDefaults(settings).allow_partial_results,
        look_up=looked_up_in(Documents(indices, held.engine, held.engine)),
    )
    base.stack.push_async_callback(searches.close)
    async_searches = base.async_searches(searches, ccs)
    figures = NodeMetrics(
        base=base,
        remotes=remotes,
        usage=searches.usage.counts,
        async_searches=async_searches,
        open_contexts=lambda: held.engine.open_readers,
    )
    report_node(base, remotes, searches.usage.counts)
    report_indices(base.report, totals, master.local.phases.contexts)
    report_membership(base.report, membership)
    apis = SearchApis(base.tasks, base.clock)
    base.stack.push_async_callback(apis.close)
    services = Services(
        documents=Documents(indices, held.engine, held.engine),
        indices=indices,
        settings=SharedSettings(settings, membership),
        remotes=remotes,
        cluster=master.cluster,
        fellows=master.fellows,
        tasks=base.tasks,
        remote_tasks=RemoteTasks(remotes),
        task_records=apis.records,
        clock=base.clock,
        build=base.build(),
        max_content_length=base.max_content_length,
        transport_tls=base.tls.transport is not None,
        unopened=held.unopened,
    )
    replication = _follow(base, held, remotes)
    base.stack.push_async_callback(replication.close)
    if settings.get(CCR_ENABLED):
        await replication.start()
    app = await base.app(
        [
            *search.routes(searches),
            *msearch.routes(searches),
            *pit.routes(searches),
            *scroll.routes(searches),
            *async_search.routes(async_searches, pass_on(master.cluster, lambda: master.fellows)),
            *metrics.routes(figures.collect),
            *certificates.routes(base.tls.listed),
            *remote_test.routes(base.connection_tests(settings, remotes)),
            *resolve_cluster.routes(ClusterResolver(local=master.about, remotes=remotes)),
            *apis.routes(
                master.about_indices,
                RemoteIndices(remotes),
                store=held.store,
                searches=searches,
                documents=services.documents,
                indices=indices,
            ),
            *stats.routes(services, totals, RemoteTotals(remotes)),
            *validate.routes(services, searches),
            *explain.routes(services, searches),
            *analyze.routes(services),
            *data_streams.routes(services, indices.streams, searches),
            *index_templates.routes(indices.templates),
            *rollover.routes(indices.rollovers),
            *_replication_routes(services, replication, master.leader, settings),
            *standard_routes(services),
            *_security_routes(held.security, master.cluster, remotes),
        ]
    )
    master.forwarded.serve(app)
    await remotes.wait_first_rounds()
    await base.serve(app)
    base.stack.callback(membership.close)  # first of all at the end: members need not be waited for
    base.stack.callback(master.leader.close)  # nor need followers that wait for operations
