"""The parts of a node that holds no data and joins the one that does.

It follows the cluster's state, reaches the engine over the transport, and has remote clusters and REST of its own.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sealane.cluster.fellow_nodes import FellowNodes
from sealane.cluster.followed_settings import FollowedSettings
from sealane.cluster.joined import Joined
from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import PublishedState
from sealane.cluster.sqlite_store import SqliteStateStore
from sealane.inbound.cluster import register_forward_handler
from sealane.inbound.handlers import register_nodes_handler
from sealane.inbound.passed_on import register_passed_on
from sealane.model.node import ClusterIdentity
from sealane.node.base import Base
from sealane.node.config import connection_profile, registry, seed_hosts
from sealane.node.metrics import NodeMetrics
from sealane.node.reports import report_following, report_node
from sealane.node.secured import has_security
from sealane.node.start_error import StartError
from sealane.remote import StoredPins
from sealane.remote.transport.data_node import DataNodeClient
from sealane.remote.transport.indices_client import IndicesClient, RemoteIndices
from sealane.rest import msearch, search
from sealane.rest.forward import ForwardedRequests, forwarding_route, pass_on
from sealane.rest.handlers import (
    about_indices,
    async_search,
    certificates,
    metrics,
    pit,
    remote_test,
    resolve_cluster,
    scroll,
)
from sealane.rest.routes import node_routes
from sealane.rest.services import NodeServices
from sealane.search.coordinator import SearchService
from sealane.search.defaults import CcsDefaults, SettingsDefaults
from sealane.search.remote_tasks import RemoteTasks
from sealane.search.resolve_cluster import ClusterResolver
from sealane.search.slow_log import CcsSlowLog
from sealane.security.rules import allow_all
from sealane.settings.discovery_settings import (
    INITIAL_STATE_TIMEOUT,
    LEADER_CHECK_INTERVAL,
    LEADER_CHECK_TIMEOUT,
)
from sealane.transport import TaskScope

if TYPE_CHECKING:
    from sealane.node.signing import Signing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    """The cluster that another node leads, as this one has it."""

    joined: Joined
    cluster: ClusterNodes
    fellows: FellowNodes
    takers: list[Callable[[PublishedState], None]]
    """Who hears of each state besides."""


async def start_gateway(base: Base) -> None:
    """Brings the node up to its open ports, with its cluster or, where that takes too long, without.

    Raises ApiError for addresses that cannot be bound, StartError; what was started is then on the stack of `base`.
    """
    folder, stack = base.folder, base.stack
    if (folder.path / "state.sqlite").exists():
        raise StartError(
            f"the data folder [{folder.path}] holds the data of a cluster, but node.roles makes this a node without: "
            "give it another folder, or the roles [data] and [master]"
        )
    base.identity = ClusterIdentity(name=base.identity.name, uuid=folder.cluster_uuid)
    executor = ThreadPoolExecutor(1, "sealane-state")
    stack.callback(executor.shutdown)
    store = await SqliteStateStore.open(folder.path / "joined.sqlite", executor)
    stack.push_async_callback(store.close)
    settings = FollowedSettings(base.settings, registry())
    followed = _follow(base, settings)
    joined, cluster, fellows = followed.joined, followed.cluster, followed.fellows
    signing: Signing | None = None
    if has_security(base.settings):
        # What it needs takes a node without it 50 ms to import.
        from sealane.node.asked_security import FollowedSecurity

        scope = await stack.enter_async_context(TaskScope("security"))
        security = FollowedSecurity(
            base, settings, joined=joined, fellows=fellows, background=scope
        )
        followed.takers.append(security.take)
        signing = security.signing
    local = DataNodeClient(fellows, lambda: joined.master, lambda: joined.has_master)
    # What is passed on is authorized by the node that answers it: the roles are there.
    stop_waiting = register_passed_on(base.transport, ask=local.ask, authorize=allow_all)
    register_nodes_handler(base.transport, nodes=cluster, authorize=base.authorize)
    base.register_membership(cluster, fellows)
    forwarded = ForwardedRequests()
    register_forward_handler(base.transport, forwarded=forwarded)
    await base.listen()
    background = await stack.enter_async_context(TaskScope("node"))
    if signing is not None:
        background.start(signing.watch(), name="signing")
    pins = StoredPins(store, background)
    await pins.load()
    base.audit_by(settings)
    remotes = base.remotes(settings, pins=pins, origin=settings.origin)
    ccs = CcsDefaults(settings)
    searches = SearchService(
        local=local,
        remotes=remotes,
        max_buckets=SettingsDefaults(settings).max_buckets,
        fail_fast=ccs.fail_fast,
        slow_log=CcsSlowLog(lambda: settings.current),
        allow_partial=SettingsDefaults(settings).allow_partial_results,
    )
    stack.push_async_callback(searches.close)
    async_searches = base.async_searches(searches, ccs)
    figures = NodeMetrics(
        base=base, remotes=remotes, usage=searches.usage.counts, async_searches=async_searches
    )
    report_node(base, remotes, searches.usage.counts)
    report_following(base.report, joined, settings)
    services = NodeServices(
        remotes=remotes,
        cluster=cluster,
        fellows=fellows,
        tasks=base.tasks,
        remote_tasks=RemoteTasks(remotes),
        clock=base.clock,
        build=base.build(),
        max_content_length=base.max_content_length,
        transport_tls=base.tls.transport is not None,
    )
    app = await base.app(
        [
            *search.routes(searches),
            *msearch.routes(searches),
            *pit.routes(searches),
            *scroll.routes(searches),
            *async_search.routes(async_searches, pass_on(cluster, lambda: fellows)),
            *metrics.routes(figures.collect),
            *certificates.routes(base.tls.listed),
            *remote_test.routes(base.connection_tests(settings, remotes)),
            *resolve_cluster.routes(ClusterResolver(local=local, remotes=remotes)),
            *about_indices.routes(IndicesClient(local.ask), RemoteIndices(remotes)),
            *node_routes(services),
        ],
        elsewhere=forwarding_route(joined, fellows),
    )
    forwarded.serve(app)
    base.bind_http()
    background.start(joined.run(), name="join")
    stack.push_async_callback(joined.leave)
    await joined.wait_master(INITIAL_STATE_TIMEOUT.get(base.settings).ms / 1000)
    await remotes.wait_first_rounds()
    await base.serve(app)
    stack.callback(
        stop_waiting
    )  # first of all at the end: followers elsewhere need not be waited for


def _follow(base: Base, settings: FollowedSettings) -> _Followed:
    """The parts that follow the master; nothing runs yet."""
    takers: list[Callable[[PublishedState], None]] = []

    def take(state: PublishedState) -> None:
        base.folder.keep_cluster(state.cluster_uuid)
        base.identity = ClusterIdentity(name=state.cluster_name, uuid=state.cluster_uuid)
        settings.take(state)
        fellows.members_changed()
        for each in takers:
            each(state)

    def drop_master() -> None:
        master = joined.master
        if master is not None:
            fellows.drop(master)

    joined = Joined(
        seeds=seed_hosts(base.settings),
        me=base.member,
        identity=lambda: base.identity,
        take=take,
        on_silence=drop_master,
        dialer=base.transport,
        profile=connection_profile(base.settings, channels=1),
        tasks=base.tasks,
        clock=base.clock,
        chance=random.random,
        wait_s=LEADER_CHECK_INTERVAL.get(base.settings).ms / 1000,
        patience_s=LEADER_CHECK_TIMEOUT.get(base.settings).ms / 1000,
    )
    cluster = ClusterNodes(
        identity=lambda: base.identity,
        local=base.member,
        state=lambda: joined.state,
        has_master=lambda: joined.has_master,
    )
    fellows = base.fellows(cluster.nodes)
    return _Followed(joined=joined, cluster=cluster, fellows=fellows, takers=takers)
