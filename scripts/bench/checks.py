"""What single checks of security take, in this process: of whom a request comes from, and of what he may see."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.rows import OURS, Row
from sealane.clock import RandomIds, SystemClock
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.resolve import resolve
from sealane.cluster.store import MemoryStateStore
from sealane.engine.mapping import Mapping
from sealane.inbound.cross_cluster import CrossClusterGate
from sealane.model.node import Address
from sealane.model.security import RoleDescriptor, Secret, Subject
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.rest.gate import read_credentials
from sealane.rest.head import Message
from sealane.security.rules.cross_cluster import SubjectHeaders, claimed_subject, is_allowed
from sealane.security.rules.descriptors import parse_role, role_json
from sealane.security.rules.key_access import access_descriptor, parse_access
from sealane.security.stores.api_key_checks import CROSS_CLUSTER, REST
from sealane.security.stores.api_keys import NewKey
from sealane.security.stores.security import Security
from sealane.settings import Settings
from sealane.testing.process import basic

INDICES = 1_000
_SEARCH = "indices:data/read/search"
_PASSWORD = "a-password-of-the-benchmark"
_PASSES = 15
_PASS_S = 0.02
_CACHED_TARGET_US = 20.0
CACHED = (
    "a password that is known",
    "an API key that is known",
    "a key and a subject at the port for keys, known",
)
_SECTION = "security: single checks, us"


def measure(seconds: float) -> dict[str, float]:
    """Microseconds a call, by what is called: the middle of some passes, however many `seconds` there are."""
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


def rows(found: dict[str, float]) -> list[Row]:
    """A row for each check."""
    made = []
    for what, us in found.items():
        shown = {OURS: f"{us:,.1f}"}
        if what in CACHED:
            target = f"< {_CACHED_TARGET_US:g} us"
            row = Row(_SECTION, what, shown, target=target, is_met=us < _CACHED_TARGET_US)
        else:
            row = Row(_SECTION, what, shown)
        made.append(row)
    return made


@dataclass(frozen=True, slots=True)
class _Caller:
    """The other end of an accepted socket."""

    peer: Address
    certificate: bytes | None = None


async def _measure(folder: Path) -> dict[str, float]:
    security = Security(
        Settings({}),
        store=MemoryStateStore(),
        config=folder,
        clock=SystemClock(),
        ids=RandomIds(),
        initial_password=Secret(_PASSWORD),
    )
    await security.start()
    try:
        named, with_key = await _askers(security)
        return {
            what: _us(call) for what, call in (await _checks(security, named, with_key)).items()
        }
    finally:
        security.close()


async def _askers(security: Security) -> tuple[Message, Message]:
    """What the HTTP server hands on of a request with a password, and of one with a key."""
    named = _scope(basic("elastic", _PASSWORD))
    subject = await security.authenticate(read_credentials(named, "/"))
    granted = {"reader": role_json(_reader())}
    new = NewKey(name="rest", type=REST, descriptors=granted, limited_by=granted)
    made = await security.api_keys.create(new, subject)
    with_key = _scope(f"ApiKey {made.shown()['encoded']}")
    await security.authenticate(read_credentials(with_key, "/"))
    return named, with_key


def _scope(authorization: str) -> Message:
    return {
        "client": ("127.0.0.1", 9),
        "headers": [
            (b"host", b"127.0.0.1:9200"),
            (b"authorization", authorization.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"42"),
        ],
    }


def _reader() -> RoleDescriptor:
    body = {
        "indices": [{"names": ["logs-*"], "privileges": ["read"]}],
        "remote_indices": [{"names": ["logs-*"], "privileges": ["read"], "clusters": ["*"]}],
    }
    return parse_role("reader", body)


async def _checks(
    security: Security, named: Message, with_key: Message
) -> dict[str, Callable[[], object]]:
    """By what they are. All that may be known is known after the first call."""
    meta = ClusterMetadata(map(_index, range(INDICES)))
    subject = security.authenticated(read_credentials(with_key, "/"))
    assert subject is not None, "who was just authenticated is known"
    gate = CrossClusterGate(security, claim=claimed_subject, allowed=is_allowed)
    headers = await _headers(security, subject)
    caller = _Caller(Address("127.0.0.1", 9))
    await gate.verify(_SEARCH, headers, Secret(headers[CREDENTIALS_HEADER]))

    def found(expression: str) -> object:
        return resolve(meta, (expression,), access=security.access(subject, _SEARCH, (expression,)))

    password, rest_key, port_key = CACHED
    return {
        password: lambda: security.authenticated(read_credentials(named, "/")),
        rest_key: lambda: security.authenticated(read_credentials(with_key, "/")),
        port_key: lambda: gate.admit(_SEARCH, headers, caller),
        "rights, and one name of an index": lambda: found("logs-500"),
        "the same without security": lambda: resolve(meta, ("logs-500",)),
        f"rights, and a pattern of {INDICES:,} indices": lambda: found("logs-*"),
        f"a pattern of {INDICES:,} indices without security": lambda: resolve(meta, ("logs-*",)),
    }


async def _headers(security: Security, subject: Subject) -> dict[str, str]:
    """Of a request that comes in by the port for keys."""
    access = parse_access({"search": [{"names": ["logs-*"]}]})
    granted = {"cross_cluster": role_json(access_descriptor(access), of_key=True)}
    new = NewKey(name="remote", type=CROSS_CLUSTER, descriptors=granted, limited_by=None)
    made = await security.api_keys.create(new, subject)
    info = SubjectHeaders().user(subject, security.permission(subject), "remote", _SEARCH)
    return {
        CREDENTIALS_HEADER: f"ApiKey {made.shown()['encoded']}",
        SUBJECT_INFO_HEADER: info,
    }


def _index(number: int) -> IndexMetadata:
    return IndexMetadata(
        name=f"logs-{number}",
        uuid=f"uuid-{number}",
        shards=1,
        creation_date=0,
        settings=Settings({}),
        mapping_json=b"{}",
        mapping=Mapping(),
        aliases={},
    )


def _us(call: Callable[[], object]) -> float:
    """CPU of one call, once everything is warm: what else runs on the machine is not counted."""
    began = time.thread_time()
    call()
    calls = max(1, int(_PASS_S / (time.thread_time() - began)))
    passes = []
    for _ in range(_PASSES):
        began = time.thread_time()
        for _ in range(calls):
            call()
        passes.append((time.thread_time() - began) / calls)
    return 1e6 * statistics.median(passes)
