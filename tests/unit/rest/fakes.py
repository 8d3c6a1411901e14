"""A node's services in memory, and a client that drives the app through ASGI."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from sealane.cluster.documents import Documents
from sealane.cluster.metadata import Alias, IndexMetadata
from sealane.cluster.node_reports import NodeReport, encode_report, read_request
from sealane.cluster.published import Member
from sealane.cluster.targets import WriteTarget
from sealane.cluster.views import IndexView
from sealane.engine.base import IndexStats
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    DocumentParsing,
    IndexNotFound,
    ResourceAlreadyExists,
    VersionConflict,
)
from sealane.model.document import Document, OpType, VersionType, WriteOp, WriteResult
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.patterns import matches
from sealane.model.search import IndicesOptions
from sealane.model.task import Context, TaskRegistry
from sealane.rest import (
    AliasAction,
    Build,
    Limits,
    NodeLoad,
    RestApp,
    Route,
    Services,
    no_indices,
    standard_routes,
)
from sealane.rest.gate import Gate
from sealane.settings import Settings, Value

NOW_MS = 1_795_316_488_388
UUID = "mAIe30h1QgeRIJSlTQDKQg"


class FakeClock:
    def now_ms(self) -> int:
        return NOW_MS


@dataclass
class FakeEngine:
    """Documents by index uuid and id; seq_nos by index. `before_bulk` lets a test come in between, and what is
    asked of an index in `failing` raises that.
    """

    stored: dict[str, dict[str, Document]] = field(default_factory=dict)
    seq_nos: dict[str, int] = field(default_factory=dict)
    refreshed: list[str] = field(default_factory=list)
    waited_for: list[str] = field(default_factory=list)
    failing: dict[str, ApiError] = field(default_factory=dict)
    generated: int = 0
    bulk_calls: int = 0
    checks_json: bool = True
    reads_left: int | None = None
    """After how many reads an index is gone; None for never."""
    before_bulk: Any = None

    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None:
        self._check(index_uuid)
        if self.reads_left == 0:
            raise IndexNotFound(index_uuid)
        return self.stored.get(index_uuid, {}).get(doc_id)

    async def refresh(self, index_uuid: str) -> None:
        self._check(index_uuid)
        self.refreshed.append(index_uuid)

    async def wait_for_refresh(self, index_uuid: str) -> None:
        self._check(index_uuid)
        self.waited_for.append(index_uuid)

    def _check(self, index_uuid: str) -> None:
        if index_uuid in self.failing:
            raise self.failing[index_uuid]

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        self.bulk_calls += 1
        if self.before_bulk is not None:
            hook, self.before_bulk = self.before_bulk, None
            await hook()
        self._check(index_uuid)
        out: list[WriteResult | ApiError] = []
        for op in operations:
            try:
                out.append(self._apply(index_uuid, op))
            except ApiError as error:
                out.append(error)
        return out

    def _apply(self, uuid: str, op: WriteOp) -> WriteResult:
        docs = self.stored.setdefault(uuid, {})
        if op.id is None:
            self.generated += 1
        doc_id = op.id or f"generated-{self.generated}"
        old = docs.get(doc_id)
        if op.op is OpType.CREATE and old is not None:
            raise VersionConflict(
                f"[{doc_id}]: version conflict, document already exists (current version [{old.version}])"
            )
        if op.if_seq_no is not None and (old is None or old.seq_no != op.if_seq_no):
            raise VersionConflict(f"[{doc_id}]: version conflict, required seqNo [{op.if_seq_no}]")
        if op.source is not None and self.checks_json:
            try:
                orjson.loads(op.source)
            except orjson.JSONDecodeError as error:
                raise DocumentParsing(f"[1:2] failed to parse: {error.msg}") from error
        seq_no = self.seq_nos[uuid] = self.seq_nos.get(uuid, -1) + 1
        version = 1 if old is None else old.version + 1
        if op.version_type is not VersionType.INTERNAL:
            assert op.version is not None
            version = op.version
        if op.op is OpType.DELETE:
            docs.pop(doc_id, None)
            result = "not_found" if old is None else "deleted"
        else:
            assert op.source is not None
            docs[doc_id] = Document(
                id=doc_id,
                version=version,
                seq_no=seq_no,
                primary_term=1,
                source=op.source,
                routing=op.routing,
            )
            result = "created" if old is None else "updated"
        return WriteResult(id=doc_id, result=result, version=version, seq_no=seq_no, primary_term=1)


def metadata(
    name: str, *, uuid: str = UUID, replicas: int = 1, aliases: Mapping[str, Alias] | None = None
) -> IndexMetadata:
    return IndexMetadata(
        name=name,
        uuid=uuid,
        shards=1,
        creation_date=NOW_MS,
        settings=Settings(
            {
                "index.number_of_shards": "1",
                "index.number_of_replicas": str(replicas),
                "index.uuid": uuid,
                "index.creation_date": str(NOW_MS),
            }
        ),
        mapping_json=b'{"properties":{"a":{"type":"long"}}}',
        mapping=FieldMapping(),
        aliases=aliases or {},
    )


@dataclass
class FakeIndices:
    """Names to metadata. Creates what is written to, unless the name begins with `none`."""

    known: dict[str, IndexMetadata] = field(default_factory=dict)
    alias_actions: list[AliasAction] = field(default_factory=list)
    settings_changes: list[Mapping[str, Value | None]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    failing: dict[str, ApiError] = field(default_factory=dict)
    """What the engine says of an index, by name."""

    def add(self, name: str, **members: Any) -> IndexMetadata:
        uuid = members.pop("uuid", f"uuid-of-{name}")
        self.known[name] = metadata(name, uuid=uuid, **members)
        return self.known[name]

    async def write_target(
        self,
        name: str,
        *,
        require_alias: bool,
        auto_create: bool,
        require_data_stream: bool = False,
    ) -> WriteTarget:
        for index in self.known.values():
            if name in index.aliases:
                return WriteTarget(index, index.aliases[name].index_routing)
        if require_alias or name.startswith("none"):
            raise IndexNotFound(name)
        if name not in self.known:
            if not auto_create:
                raise IndexNotFound(name)
            self.add(name)
        return WriteTarget(self.known[name], None)

    def read_target(self, name: str) -> WriteTarget:
        if name not in self.known:
            raise IndexNotFound(name)
        return WriteTarget(self.known[name], None)

    def check_destructive(self, expressions: Sequence[str], none: str) -> None:
        if not expressions:
            raise ActionRequestValidation([none])

    def find(
        self,
        expressions: Sequence[str],
        options: IndicesOptions,
        *,
        forbid_closed: bool = False,
    ) -> Sequence[IndexView]:
        found: dict[str, IndexMetadata] = {}
        for expression in expressions or ("*",):
            hits = [i for n, i in self.known.items() if matches(expression, n)]
            if not hits and "*" not in expression and not options.ignore_unavailable:
                raise IndexNotFound(expression)
            found |= {index.name: index for index in hits}
        return [IndexView(index) for index in found.values()]

    async def create(self, name: str, body: Mapping[str, Any]) -> str:
        if name in self.known:
            raise ResourceAlreadyExists(name, self.known[name].uuid)
        self.add(name)
        return name

    async def delete(self, expressions: Sequence[str], options: IndicesOptions) -> None:
        for index in self.find(expressions, options):
            del self.known[index.name]

    async def set_open(
        self, expressions: Sequence[str], open: bool, options: IndicesOptions
    ) -> list[str]:
        changed = []
        for index in self.find(expressions, options):
            if index.open != open:
                self.known[index.name] = index.metadata.changed(open=open)
                changed.append(index.name)
        return changed

    async def put_mapping(
        self, expressions: Sequence[str], mapping: Mapping[str, Any], options: IndicesOptions
    ) -> None:
        self.find(expressions, options)

    async def put_settings(
        self,
        expressions: Sequence[str],
        changes: Mapping[str, Value | None],
        options: IndicesOptions,
        *,
        preserve_existing: bool = False,
    ) -> None:
        self.find(expressions, options)
        self.settings_changes.append(changes)

    async def update_aliases(self, actions: Sequence[AliasAction]) -> None:
        self.alias_actions += actions

    async def refresh(self, index: IndexView) -> None:
        self._check(index)
        self.refreshed.append(index.name)

    async def sizes(self, index: IndexView) -> IndexStats:
        self._check(index)
        return IndexStats(docs=1, deleted=0, store_bytes=3796, shards=())

    def _check(self, index: IndexView) -> None:
        if index.name in self.failing:
            raise self.failing[index.name]

    def default_settings(self, index: IndexView) -> Mapping[str, Value]:
        return {"index.refresh_interval": "1s"}


class FakeSettings:
    def __init__(self) -> None:
        self.updates: list[Any] = []

    def view(self, *, flat: bool = False, include_defaults: bool = False) -> dict[str, Any]:
        return {"persistent": {"flat": flat}, "transient": {}}

    async def update(self, body: Any, *, flat: bool = False) -> dict[str, Any]:
        self.updates.append(body)
        return {"acknowledged": True, "persistent": body.get("persistent", {}), "transient": {}}


class FakeRemotes:
    def describe(self, *, verbose: bool = False) -> Mapping[str, Mapping[str, Any]]:
        return {"rb": {"connected": True, "mode": "sniff", "seeds": ["127.0.0.1:9301"]}}


NODE = NodeInfo(
    id="Y0qRIbCvTaaZIOPTF0X_NQ",
    ephemeral_id="e",
    name="esa-0",
    address=Address("127.0.0.1", 9300),
    roles=("data", "ingest", "master", "remote_cluster_client"),
    version="8.19.0",
)


LOAD = NodeLoad(memory_percent=50, ram_percent=9, cpu_percent=16, load=(0.37, 0.3, 0.4))


class FakeCluster:
    identity = ClusterIdentity(name="esa", uuid="cluster-uuid")
    local_node = NODE
    master_id = NODE.id
    state = None

    def __init__(self) -> None:
        self.others: list[NodeInfo] = []

    def nodes(self) -> Sequence[NodeInfo]:
        return [NODE, *self.others]

    def members(self) -> Sequence[Member]:
        return [Member(node=node, http=self.http_address(node.id)) for node in self.nodes()]

    def http_address(self, node_id: str) -> str:
        return "127.0.0.1:9200"


class FakeFellows:
    """Every node gives the same report, but for those that fail."""

    local = NODE

    def __init__(self) -> None:
        self.report = NodeReport()
        self.failing: dict[str, ApiError] = {}
        self.asked: list[tuple[str, float]] = []

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        self.asked.append((node.id, timeout_s))
        if node.id in self.failing:
            raise self.failing[node.id]
        return encode_report(await self.report.make(read_request(payload).sections))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Calls the app as the HTTP server does. `chunks` splits the body, as slow networks do."""

    def __init__(self, app: RestApp, world: "World") -> None:
        self.app = app
        self.world = world

    async def __call__(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        chunks: int = 1,
    ) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        path, _, query = target.partition("?")
        given = {k.lower(): v for k, v in (headers or {}).items()}
        if raw:
            given.setdefault("content-type", "application/json")
            given.setdefault("content-length", str(len(raw)))
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
        }
        size = max(1, -(-len(raw) // chunks))
        parts = [raw[at : at + size] for at in range(0, len(raw), size)] or [b""]
        sent: list[Any] = []

        async def receive() -> Any:
            if not parts:
                await asyncio.Event().wait()  # a client that stays
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, end = sent
        shown = {k.decode().lower(): v.decode() for k, v in start["headers"]}
        return Answer(start["status"], shown, end["body"])


@dataclass
class World:
    """Everything behind the app, for a test to prepare and to look at."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    indices: FakeIndices = field(default_factory=FakeIndices)
    settings: FakeSettings = field(default_factory=FakeSettings)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    fellows: FakeFellows = field(default_factory=FakeFellows)
    tasks: TaskRegistry = field(default_factory=lambda: TaskRegistry(NODE.id))
    unopened: tuple[str, ...] = ()
    build: Build = field(default_factory=lambda: Build(number="8.19.0"))

    def services(self) -> Services:
        return Services(
            documents=Documents(self.indices, self.engine, self.engine),  # type: ignore[arg-type]
            indices=self.indices,
            settings=self.settings,
            remotes=FakeRemotes(),
            cluster=self.cluster,
            fellows=self.fellows,
            tasks=self.tasks,
            clock=FakeClock(),
            build=self.build,
            max_content_length=1 << 20,
            load=lambda: LOAD,
            unopened=lambda: self.unopened,
        )

    @asynccontextmanager
    async def serve(
        self,
        extra: Sequence[Route] = (),
        *,
        max_content_length: int = 1 << 20,
        gate: Gate | None = None,
    ) -> AsyncIterator[Client]:
        app = RestApp(
            [*standard_routes(self.services()), *extra],
            tasks=self.tasks,
            clock=FakeClock(),
            limits=Limits(max_content_length=max_content_length),
            gate=gate,
        )
        async with app:
            yield Client(app, self)


def assert_error(answer: Answer, status: int, kind: str, reason: str) -> dict[str, Any]:
    """The one shape of an error: root causes, type, reason, the status twice. Returns the error object."""
    assert answer.status == status, answer.text
    body = answer.json
    assert set(body) == {"error", "status"}
    assert body["status"] == status
    error: dict[str, Any] = body["error"]
    assert error["type"] == kind
    assert error["reason"] == reason
    assert error["root_cause"]
    assert all({"type", "reason"} <= set(cause) for cause in error["root_cause"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    return error


def route(handler: Any, path: str = "/_test", **members: Any) -> Route:
    return Route(
        methods=("GET", "POST"),
        paths=(path,),
        handler=handler,
        action="cluster:test",
        indices=no_indices,
        body=True,
        **members,
    )
