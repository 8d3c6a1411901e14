"""Clusters in one process, without sockets: the parts of a node, joined by the real messages.

A remote here is another cluster of the same process. A request to it is encoded, handed to the other's inbound action,
decoded, answered and encoded again, so everything but connections is what runs between two nodes. A link may be cut.
Connections, sniffing and frames are left to `process` and `network`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import orjson

from sealane.clock import Clock, RandomIds, SystemClock
from sealane.cluster.documents import Documents
from sealane.cluster.found_indices import Guard
from sealane.cluster.indices import IndexService
from sealane.cluster.look_ups import looked_up_in
from sealane.cluster.node_reports import NodeReport, NodeReports
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import MemoryStateStore, StateStore
from sealane.cluster.task_lists import TASKS, running_tasks
from sealane.engine.embedded import search as searcher
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.errors import ApiError
from sealane.inbound import (
    register_about_handlers,
    register_handlers,
    register_phase_handlers,
    register_report_handler,
    register_task_handlers,
)
from sealane.inbound.indices import register_indices_handlers
from sealane.inbound.replication import register_replication_handlers
from sealane.inbound.secure_settings import register_reload_handler
from sealane.model.access import no_access_needed
from sealane.model.node import ROLES, Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context, TaskRegistry
from sealane.node.keystore import secure_reload
from sealane.node.replication import make_replication, nobody
from sealane.query import decode, parse_query
from sealane.remote import REMOTE_ADVICE, REMOTE_RULES, REMOTE_SETTINGS
from sealane.remote.transport.indices_client import RemoteIndices
from sealane.remote.transport.replication_client import RemoteFeeds
from sealane.replication.follower.failures import Patience
from sealane.replication.leader.service import LeaderService
from sealane.rest import msearch, search
from sealane.rest.app import Limits, RestApp
from sealane.rest.handlers import (
    analyze,
    async_search,
    ccr,
    data_streams,
    explain,
    index_templates,
    pit,
    resolve_cluster,
    rollover,
    scroll,
    stats,
    validate,
)
from sealane.rest.handlers.remote import REMOTE_INFO, REMOTE_INFO_VERBOSE
from sealane.rest.handlers.search_apis import SearchApis
from sealane.rest.handlers.stats import USAGE
from sealane.rest.routes import standard_routes
from sealane.rest.services import Build, Services
from sealane.search.about import AboutLocalCluster
from sealane.search.async_search import AsyncSearches
from sealane.search.cluster_stats import ClusterTotals, RemoteTotals
from sealane.search.coordinator import SearchService
from sealane.search.defaults import CcsDefaults, SettingsDefaults
from sealane.search.local import LocalCluster
from sealane.search.local_indices import LocalIndices
from sealane.search.remote_tasks import RemoteTasks
from sealane.search.resolve_cluster import ClusterResolver
from sealane.search.slow_log import CcsSlowLog, ShardSlowLog
from sealane.security.rules import allow_all
from sealane.settings import EMPTY, Registry
from sealane.settings import node_settings as keys
from sealane.settings.secure_settings import SecureSettings
from sealane.testing.fixed_nodes import FixedNodes
from sealane.testing.in_process_links import Link, Links
from sealane.testing.one_node import OneNode, cluster_of

_MAX_CONTENT_LENGTH = 1 << 26
_BUILD = Build(number="8.19.0")
_PATIENCE = Patience(attempts=2, seconds=0.0)
"""Nothing here is briefly missing because it has just begun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the REST interface answered; `body` is parsed JSON, or text."""

    status: int
    body: Any


class InProcessCluster:
    """One cluster of one node. Made by `clusters`, which also closes it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        clock: Clock,
        executor: ThreadPoolExecutor,
        guard: Guard = no_access_needed,
        store: StateStore | None = None,
    ) -> None:
        """`folder` and `store` of a cluster that has ended make it begin again with what it had."""
        self.name = name
        self.folder = folder
        self.links = Links()
        self._ids = RandomIds()
        self._clock = clock
        self._tasks = TaskRegistry(name)
        self._serial = Serial()
        self.store = store = store or MemoryStateStore()
        self.settings = ClusterSettings(
            store=store,
            registry=Registry((*keys.NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES, REMOTE_ADVICE),
            node=EMPTY,
            serial=self._serial,
        )
        self.indices = IndexService(
            store=store,
            settings=self.settings,
            serial=self._serial,
            clock=clock,
            ids=self._ids,
            check_filter=lambda raw: parse_query(decode(raw)),
            guard=guard,
        )
        self.engine = EmbeddedEngine(
            folder / "indices",
            clock=clock,
            ids=self._ids,
            mappings=self.indices,
            searcher=searcher,
            executor=executor,
        )
        defaults = SettingsDefaults(self.settings)
        self.local = LocalCluster(
            indices=self.indices,
            reader=self.engine,
            node_id=name,
            defaults=defaults,
            slow_log=ShardSlowLog(lambda: self.indices.metadata),
        )
        self.searches = SearchService(
            local=self.local,
            remotes=self.links,
            max_buckets=defaults.max_buckets,
            fail_fast=CcsDefaults(self.settings).fail_fast,
            slow_log=CcsSlowLog(lambda: self.settings.current),
            allow_partial=defaults.allow_partial_results,
            look_up=looked_up_in(Documents(self.indices, self.engine, self.engine)),
        )
        self.async_searches = AsyncSearches(
            self.searches,
            tasks=self._tasks,
            clock=clock,
            ids=self._ids,
            limits=CcsDefaults(self.settings),
        )
        self._node = NodeInfo(
            id=name,
            ephemeral_id=name,
            name=f"{name}-1",
            address=Address("in-process", 9300),
            roles=tuple(ROLES),
            version=_BUILD.number,
        )
        self._inbound = OneNode(self._node)
        self.totals = ClusterTotals(
            identity=lambda: ClusterIdentity(name=name, uuid=name),
            nodes=lambda: (self._node,),
            indices=self.indices,
            unopened=lambda: tuple(self.indices.opened.failed),
            reports=NodeReports(lambda: self._inbound),
        )
        self.about = AboutLocalCluster(
            names=self.indices, version=_BUILD.product, stats=self.totals.stats
        )
        register_handlers(
            self._inbound,
            local=self.local,
            nodes=FixedNodes(lambda: [self._node]),
            authorize=allow_all,
        )
        register_phase_handlers(self._inbound, local=self.local, authorize=allow_all)
        register_about_handlers(self._inbound, about=self.about, authorize=allow_all)
        self.local_indices = LocalIndices(indices=self.indices, reader=self.engine)
        register_indices_handlers(self._inbound, local=self.local_indices, authorize=allow_all)
        self.leader = LeaderService(
            indices=self.indices.followed,
            engine=self.engine,
            cluster=lambda: ClusterIdentity(name=name, uuid=name),
            clock=clock,
            guard=guard,
        )
        register_replication_handlers(
            self._inbound, leader=self.leader, authorize=allow_all, offload=_at_once
        )
        self.replication = make_replication(
            indices=self.indices,
            engine=self.engine,
            store=store,
            settings=self.settings,
            feeds=RemoteFeeds(self.links),
            tasks=self._tasks,
            clock=clock,
            identity=lambda: ClusterIdentity(name=name, uuid=name),
            guard=guard,
            authorize=allow_all,
            subjects=nobody(),
            patience=_PATIENCE,
        )
        self.secure = SecureSettings()
        reload = secure_reload(folder, self.settings.registry, self.secure)
        register_reload_handler(self._inbound, reload=reload, authorize=allow_all)
        register_report_handler(self._inbound, report=self._report(), authorize=allow_all)
        register_task_handlers(
            self._inbound,
            tasks=self._tasks,
            clock=clock,
            nodes=lambda: [self._node],
            fellows=self._inbound,
            authorize=allow_all,
        )
        self._apis = SearchApis(self._tasks, clock)
        services = self._services()
        self.routes = [
            *search.routes(self.searches),
            *msearch.routes(self.searches),
            *validate.routes(services, self.searches),
            *explain.routes(services, self.searches),
            *analyze.routes(services),
            *data_streams.routes(services, self.indices.streams, self.searches),
            *index_templates.routes(self.indices.templates),
            *rollover.routes(self.indices.rollovers),
            *pit.routes(self.searches),
            *scroll.routes(self.searches),
            *async_search.routes(self.async_searches),
            *resolve_cluster.routes(ClusterResolver(local=self.about, remotes=self.links)),
            *self._apis.routes(
                self.local_indices,
                RemoteIndices(self.links),
                store=store,
                searches=self.searches,
                documents=services.documents,
                indices=self.indices,
            ),
            *stats.routes(services, self.totals, RemoteTotals(self.links)),
            *ccr.routes(services, self.replication.services(self.leader)),
            *standard_routes(services),
        ]
        self._app = RestApp(
            self.routes,
            tasks=self._tasks,
            clock=clock,
            limits=Limits(max_content_length=_MAX_CONTENT_LENGTH),
        )

    def _report(self) -> NodeReport:
        report = NodeReport()
        report.add(REMOTE_INFO, self.links.describe)
        report.add(REMOTE_INFO_VERBOSE, lambda: self.links.describe(verbose=True))
        report.add(TASKS, lambda: running_tasks(self._tasks, self._clock))
        report.add(USAGE, lambda: self.searches.usage.counts)
        return report

    def _services(self) -> Services:
        return Services(
            documents=Documents(self.indices, self.engine, self.engine),
            indices=self.indices,
            settings=self.settings,
            remotes=self.links,
            cluster=cluster_of(self.name, self._node),
            fellows=self._inbound,
            tasks=self._tasks,
            remote_tasks=RemoteTasks(self.links),
            task_records=self._apis.records,
            clock=self._clock,
            build=_BUILD,
            max_content_length=_MAX_CONTENT_LENGTH,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["InProcessCluster"]:
        """The cluster, started; its engine is closed at the end. It refreshes only when it is told to."""
        async with AsyncExitStack() as stack:
            await self.settings.load()
            await self.indices.load()
            stack.push_async_callback(self.engine.close)
            await stack.enter_async_context(self._serial)
            await self.indices.start(self.engine)
            stack.push_async_callback(self.replication.close)
            await self.replication.start()
            stack.push_async_callback(self.async_searches.close)
            stack.push_async_callback(self._apis.close)
            stack.push_async_callback(self.searches.close)
            stack.callback(self.leader.close)
            await self._app.__aenter__()
            # Closed without the test's error, which its task group would wrap in another.
            stack.push_async_callback(self._app.__aexit__, None, None, None)
            yield self

    # -- what a test does with it ------------------------------------------------------------------------------

    def register(
        self, there: "InProcessCluster", alias: str = "", *, skip_unavailable: bool = True
    ) -> Link:
        """Makes `there` a remote of this cluster, under its own name where no alias is given."""
        link = Link(alias or there.name, there, skip_unavailable=skip_unavailable)
        self.links.add(link)
        return link

    async def request(
        self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request through the whole REST interface. `body` is sent as JSON, bytes as they are."""
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        path, _, query = target.partition("?")
        kind = b"application/x-ndjson" if isinstance(body, bytes) else b"application/json"
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "path": path,
            "query_string": query.encode(),
            "headers": [
                *((name.lower().encode(), text.encode()) for name, text in (headers or {}).items()),
                *(
                    [(b"content-type", kind), (b"content-length", str(len(sent)).encode())]
                    if sent
                    else []
                ),
            ],
        }
        unread: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": sent, "more_body": False}
        ]
        answered: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if not unread:
                await asyncio.Event().wait()  # a client that stays
            return unread.pop()

        async def send(message: MutableMapping[str, Any]) -> None:
            answered.append(message)

        await self._app(scope, receive, send)
        start, *rest = answered
        return Answer(start["status"], _parsed(b"".join(each["body"] for each in rest)))

    async def call(self, method: str, target: str, body: Any = None) -> Any:
        """The body of an answer that must be a success. Raises RuntimeError otherwise."""
        answer = await self.request(method, target, body)
        failed = isinstance(answer.body, dict) and answer.body.get("errors") is True
        if answer.status >= 400 or failed:
            raise RuntimeError(f"{method} {target} answered {answer.status}: {answer.body}")
        return answer.body

    async def fill(self, index: str, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes documents by id in one bulk and makes them searchable. Raises RuntimeError where one is refused."""
        lines = b"".join(
            orjson.dumps({"index": {"_id": doc_id}}) + b"\n" + orjson.dumps(document) + b"\n"
            for doc_id, document in documents.items()
        )
        if lines:
            await self.call("POST", f"/{index}/_bulk?refresh=true", lines)

    # -- what another cluster does with it ---------------------------------------------------------------------

    async def receive(self, alias: str, action: str, payload: bytes, ctx: Context) -> bytes:
        """Answers another cluster's request, which knows this one as `alias`."""
        with self._tasks.start(action, start_ms=ctx.start_ms, parent=ctx.task) as task:
            there = replace(ctx, task=task, local_alias=alias)
            try:
                return await self._inbound.handlers[action](payload, there)
            except ApiError as error:
                raise _as_received(error) from None


@asynccontextmanager
async def clusters(
    folder: Path,
    *names: str,
    clock: Clock | None = None,
    guard: Guard = no_access_needed,
    stores: Mapping[str, StateStore] | None = None,
) -> AsyncIterator[tuple[InProcessCluster, ...]]:
    """`async with clusters(tmp_path, "local", "eu") as (local, eu):` each on a folder of its own, none registered.

    `guard` gives the rights by which names become indices: of nobody, unless a test says otherwise. `stores`, by name,
    are those of clusters that have ended: with the same folder they begin again where they were.
    """
    async with AsyncExitStack() as stack:
        executor = ThreadPoolExecutor(2, "in-process")
        stack.callback(executor.shutdown)
        made: list[InProcessCluster] = []
        for name in names:
            cluster = InProcessCluster(
                name,
                folder / name,
                clock=clock or SystemClock(),
                executor=executor,
                guard=guard,
                store=(stores or {}).get(name),
            )
            made.append(await stack.enter_async_context(cluster.running()))
        yield tuple(made)


def _as_received(error: ApiError) -> ApiError:
    """The error after its way over the wire."""
    return ApiError.from_wire(msgspec.msgpack.decode(msgspec.msgpack.encode(error.to_wire())))


async def _at_once(work: Callable[[], bytes]) -> bytes:
    return work()


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.decode(errors="replace")
