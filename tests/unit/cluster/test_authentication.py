"""A node that asks the data node who somebody is."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealane.clock import RandomIds
from sealane.cluster.authentication import AskedSecurity
from sealane.cluster.authentication_messages import (
    AUTHENTICATE,
    FIND_ROLES,
    VERIFY_KEY,
    read_authenticate,
    read_authenticated,
    read_roles,
    read_roles_there,
    read_verified_key,
    read_verify_key,
)
from sealane.cluster.store import MemoryStateStore
from sealane.errors import (
    ApiError,
    AuthenticationFailed,
    ConnectTransport,
    IllegalArgument,
    IOFailure,
    MasterNotDiscovered,
    SecurityError,
)
from sealane.inbound.security import register_security_handlers
from sealane.model.credentials import Credentials
from sealane.model.node import ROLES, Address, NodeInfo
from sealane.model.security import ANONYMOUS, SYSTEM, AuthenticationType, Secret, Subject
from sealane.model.task import Context, TaskRegistry
from sealane.security.rules.descriptors import parse_role
from sealane.security.stores.api_keys import KeyFilter, NewKey
from sealane.security.stores.security import Security
from sealane.security.stores.users import UserChange
from sealane.settings import Settings
from sealane.testing.one_node import OneNode
from sealane.transport import TaskScope

SEARCH = "indices:data/read/search"


class Wall:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


class Wire(OneNode):
    """Counts questions; errors cross it as they do a socket."""

    asked = 0
    on_answer: Callable[[], Awaitable[None]] | None = None
    """Happens while an answer is on its way."""

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        self.asked += 1
        try:
            answer = await super().ask(node, action, payload, ctx, timeout_s=timeout_s)
        except ApiError as error:
            raise ApiError.from_wire(error.to_wire()) from None
        if self.on_answer is not None:
            await self.on_answer()
        return answer


@dataclass
class Pair:
    """The node that keeps users, and one that asks it."""

    data: Security
    asked: AskedSecurity
    wire: Wire
    tasks: TaskRegistry
    clock: Wall
    master: NodeInfo | None

    started: list[asyncio.Task[None]]
    """What the asking node does beside requests."""

    async def publish(self) -> None:
        """Until the asking node has done all that it does then."""
        self.asked.take_version(self.data.version)
        if self.started:
            await asyncio.wait(self.started)


NODE = NodeInfo(
    id="d",
    ephemeral_id="d",
    name="d",
    address=Address("in-process", 9300),
    roles=tuple(ROLES),
    version="8.19.0",
)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    clock = Wall()
    data = Security(
        Settings({"xpack.security.authc.password_hashing.algorithm": "pbkdf2_1000"}),
        store=MemoryStateStore(),
        config=tmp_path,
        clock=clock,
        ids=RandomIds(),
        bootstrap_password=Secret("changeme-1"),
    )
    await data.start()
    wire, tasks = Wire(NODE), TaskRegistry("g")
    register_security_handlers(wire, security=data, clock=clock, authorize=data.access)
    made: Pair

    def master() -> NodeInfo | None:
        return made.master

    scope, started = TaskScope("asking"), list[asyncio.Task[None]]()
    asked = AskedSecurity(
        fellows=lambda: wire,
        master=master,
        tasks=tasks,
        clock=clock,
        start=lambda work: started.append(scope.start(work)),
    )
    made = Pair(data, asked, wire, tasks, clock, NODE, started)
    await data.roles.put(
        parse_role("r", {"indices": [{"names": ["a*"], "privileges": ["read"]}], "run_as": ["v"]})
    )
    await data.users.put("u", UserChange(roles=("r", "gone"), password=Secret("secret1")))
    await data.users.put("v", UserChange(roles=("r",), password=Secret("secret1")))
    await made.publish()
    yield made
    await scope.close()
    data.close()


def basic(user: str, password: str = "secret1") -> Credentials:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Credentials(authorization=Secret(f"Basic {text}"), uri="/x", peer="10.0.0.1")


async def test_a_user_is_asked_about_once(pair: Pair) -> None:
    assert pair.asked.authenticated(basic("u")) is None
    subject = await pair.asked.authenticate(basic("u"))
    assert (subject.name, subject.roles, subject.realm.type) == ("u", ("r", "gone"), "native")
    assert pair.asked.authenticated(basic("u")) is subject
    assert pair.wire.asked == 1


async def test_what_the_user_may_do_is_known_with_it(pair: Pair) -> None:
    subject = await pair.asked.authenticate(basic("u"))
    access = pair.asked.access(subject, SEARCH)
    assert access is not None
    assert access.allows("a1")
    assert not access.allows("b")
    with pytest.raises(SecurityError) as caught:
        pair.asked.access(subject, "cluster:monitor/health")
    with pytest.raises(SecurityError) as wanted:
        pair.data.access(subject, "cluster:monitor/health")
    assert caught.value.reason == wanted.value.reason
    assert pair.asked.permission(subject) is pair.asked.permission(subject)


async def test_a_failure_is_the_data_nodes_own(pair: Pair) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        await pair.asked.authenticate(basic("u", "wrong-1"))
    assert caught.value.reason == "unable to authenticate user [u] for REST request [/x]"
    assert caught.value.challenges == ('Basic realm="security", charset="UTF-8"', "ApiKey")
    assert pair.asked.authenticated(basic("u", "wrong-1")) is None


async def test_a_published_change_makes_it_ask_anew(pair: Pair) -> None:
    """T-35, X-86: of users and of what their roles grant."""
    subject = await pair.asked.authenticate(basic("u"))
    await pair.data.roles.put(parse_role("r", {"cluster": ["monitor"]}))
    await pair.publish()
    assert pair.asked.authenticated(basic("u")) is None
    with pytest.raises(SecurityError):
        pair.asked.access(subject, SEARCH)
    await pair.asked.authenticate(basic("u"))
    pair.asked.access(subject, "cluster:monitor/health")
    await pair.data.users.set_enabled("u", False)
    await pair.publish()
    with pytest.raises(AuthenticationFailed):
        await pair.asked.authenticate(basic("u"))


async def test_a_request_that_runs_goes_on_by_what_its_roles_grant_now(pair: Pair) -> None:
    """T-35: a change of something else must not take away what it needs for its next step."""
    subject = await pair.asked.authenticate(basic("u"))
    await pair.data.users.set_enabled("v", False)
    await pair.publish()
    pair.asked.access(subject, SEARCH)
    await pair.data.roles.delete("r")
    await pair.publish()
    with pytest.raises(SecurityError):
        pair.asked.access(subject, SEARCH)


async def test_roles_that_cannot_be_asked_about_grant_nothing(pair: Pair) -> None:
    subject = await pair.asked.authenticate(basic("u"))
    await pair.data.users.set_enabled("v", False)
    pair.master = None
    await pair.publish()
    with pytest.raises(SecurityError):
        pair.asked.access(subject, SEARCH)


async def test_of_another_master_nothing_is_known(pair: Pair) -> None:
    """Its versions may be those of the one before by chance."""
    subject = await pair.asked.authenticate(basic("u"))
    pair.asked.forget()
    assert pair.asked.authenticated(basic("u")) is None
    with pytest.raises(SecurityError):
        pair.asked.access(subject, SEARCH)


async def test_an_answer_of_before_a_published_change_is_not_remembered(pair: Pair) -> None:
    pair.asked.take_version(pair.data.version + 1)
    await pair.asked.authenticate(basic("u"))
    assert pair.asked.authenticated(basic("u")) is None


async def test_roles_of_before_a_published_change_are_not_learned_again(pair: Pair) -> None:
    """T-35: an answer that is overtaken by a change of roles says nothing of them."""
    subject = await pair.asked.authenticate(basic("u"))

    async def overtake() -> None:
        pair.wire.on_answer = None
        await pair.data.roles.put(parse_role("r", {"cluster": ["monitor"]}))
        await pair.publish()
        await pair.asked.authenticate(basic("u"))

    pair.wire.on_answer = overtake
    await pair.asked.authenticate(basic("v"))
    with pytest.raises(SecurityError):
        pair.asked.access(subject, SEARCH)
    assert pair.asked.authenticated(basic("v")) is not None


async def test_callers_without_a_name_are_asked_for_one_where_the_settings_say_so(
    pair: Pair,
) -> None:
    anonymous = ANONYMOUS
    with pytest.raises(SecurityError) as caught:
        pair.asked.access(anonymous, SEARCH)
    assert caught.value.status == 403
    strict = AskedSecurity(
        fellows=lambda: pair.wire,
        master=lambda: pair.master,
        tasks=pair.tasks,
        clock=pair.clock,
        start=lambda work: None,
        denies_anonymous_as_403=False,
    )
    with pytest.raises(AuthenticationFailed, match="requires authentication"):
        strict.access(anonymous, SEARCH)


async def test_an_answer_may_come_ahead_of_its_state(pair: Pair) -> None:
    await pair.asked.authenticate(basic("v"))
    await pair.data.users.put("w", UserChange(roles=("r",), password=Secret("secret1")))
    await pair.asked.authenticate(basic("w"))
    assert pair.asked.authenticated(basic("v")) is None
    assert pair.asked.authenticated(basic("w")) is not None


async def test_acting_as_another(pair: Pair) -> None:
    subject = await pair.asked.authenticate(replace(basic("u"), run_as="v"))
    assert subject.name == "v"
    pair.asked.access(subject, SEARCH)
    for name in ("u", "ghost"):
        other = await pair.asked.authenticate(replace(basic("u"), run_as=name))
        with pytest.raises(
            SecurityError, match=rf"user \[u\] is unauthorized to run as \[{name}\]"
        ):
            pair.asked.access(other, SEARCH)


async def test_keys_of_users_come_with_what_they_grant(pair: Pair) -> None:
    maker = await pair.data.authenticate(basic("u"))
    new = NewKey(
        name="k",
        type="rest",
        descriptors={},
        limited_by=pair.data.roles.snapshot(("r",)),
        lasts_ms=5_000,
    )
    made = await pair.data.api_keys.create(new, maker)
    shown = Credentials(authorization=Secret("ApiKey " + made.shown()["encoded"]))
    subject = await pair.asked.authenticate(shown)
    access = pair.asked.access(subject, SEARCH)
    assert access is not None
    assert access.allows("a1")
    assert pair.asked.authenticated(shown) is subject
    pair.clock.ms += 5_000
    assert pair.asked.authenticated(shown) is None
    with pytest.raises(AuthenticationFailed):
        await pair.asked.authenticate(shown)


async def test_keys_of_other_clusters(pair: Pair) -> None:
    maker = await pair.data.authenticate(basic("u"))
    descriptor = {"cross_cluster": {"cluster": ["cross_cluster_search"]}}
    new = NewKey(name="x", type="cross_cluster", descriptors=descriptor, limited_by=None)
    made = await pair.data.api_keys.create(new, maker)
    shown = Secret("ApiKey " + made.shown()["encoded"])
    assert pair.asked.verified_cross_cluster_key(shown) is None
    key = await pair.asked.verify_cross_cluster_key(shown, "a")
    wanted = pair.data.verified_cross_cluster_key(shown)
    assert key == wanted
    assert pair.asked.verified_cross_cluster_key(shown) is key
    await pair.data.api_keys.invalidate(KeyFilter(ids=(made.id,)), cross_cluster=True)
    await pair.publish()
    assert pair.asked.verified_cross_cluster_key(shown) is None
    with pytest.raises(AuthenticationFailed, match=r"for action \[a\]"):
        await pair.asked.verify_cross_cluster_key(shown, "a")


async def test_without_a_master_nobody_new_gets_in(pair: Pair) -> None:
    subject = await pair.asked.authenticate(basic("u"))
    pair.master = None
    with pytest.raises(MasterNotDiscovered):
        await pair.asked.authenticate(basic("v"))
    assert pair.asked.authenticated(basic("u")) is subject


async def test_who_is_not_let_in_yet_learns_no_addresses(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has them, once for each cause."""

    async def fails() -> None:
        raise ConnectTransport(
            "[d][10.0.0.1:9300] connect_exception", caused_by=IOFailure("refused")
        )

    pair.wire.on_answer = fails
    for _ in range(2):
        with pytest.raises(MasterNotDiscovered) as caught:
            await pair.asked.authenticate(basic("v"))
        assert "10.0.0.1" not in str(caught.value.to_cause())
    assert caplog.messages == [
        "cannot ask node [d] who somebody is: [d][10.0.0.1:9300] connect_exception: refused"
    ]
    pair.wire.on_answer = None
    await pair.asked.authenticate(basic("u"))
    assert pair.asked.last_error is None


async def test_only_nodes_may_ask_in_their_own_name(pair: Pair) -> None:
    """T-11: who somebody is is told to no user, whatever that user may do."""
    superuser = await pair.data.authenticate(basic("elastic", "changeme-1"))
    for subject in (superuser, replace(SYSTEM, type=AuthenticationType.REALM)):
        with pair.tasks.start(AUTHENTICATE, start_ms=0) as task:
            ctx = Context(task=task, subject=subject)
            for action in (AUTHENTICATE, VERIFY_KEY, FIND_ROLES):
                with pytest.raises((SecurityError, IllegalArgument)) as caught:
                    await pair.wire.handlers[action](b"", ctx)
                assert not isinstance(caught.value, AuthenticationFailed)


async def test_who_is_not_known_here_may_do_nothing(pair: Pair) -> None:
    stranger = Subject(name="s", realm=NODE_REALM, roles=("superuser",))
    with pytest.raises(SecurityError):
        pair.asked.access(stranger, SEARCH)
    assert pair.asked.access(SYSTEM, "internal:anything").allows("a")


NODE_REALM = SYSTEM.realm


@pytest.mark.parametrize(
    "read",
    [
        read_authenticate,
        read_authenticated,
        read_verify_key,
        read_verified_key,
        read_roles,
        read_roles_there,
    ],
)
@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x90", b"\x91" * 10_000, b"planted"])
def test_bytes_that_are_no_message_are_refused(read: object, payload: bytes) -> None:
    """X-111: without a word of what they hold."""
    assert callable(read)
    with pytest.raises(IllegalArgument) as caught:
        read(payload)
    assert "planted" not in caught.value.reason
