"""The port for callers with a key, over real sockets: who is let in, who is told why not, who is just cut off."""

import asyncio

import pytest

from sealane.model.security import AuthenticationType, Subject
from sealane.model.task import Context
from sealane.remote.certificate_model import AUTHENTICATION_HEADER, CLUSTER_HEADER
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.transport.doorway import IN_QUESTION_MAX
from sealane.transport.gate import UNPROVEN_FRAME_MAX_BYTES, Profile
from sealane.wire import Frame
from sealane.wire.compression import compress
from sealane.wire.families.discovery import KEY_HANDSHAKE, node_request_body
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import COMPRESSED, encode, encode_variable_header
from sealane.wire.versions import SEALANE_VERSION
from tests.integration.security.callers import ACTION, GOOD, Caller, Doors, Key, calling, open_port
from tests.transport_nodes import TransportNode, two_nodes, until


class Answering:
    """A handler that keeps what it was asked."""

    def __init__(self, node: TransportNode) -> None:
        self.seen: list[tuple[bytes, Context]] = []
        node.transport.register(ACTION, self.answer)

    async def answer(self, payload: bytes, ctx: Context) -> bytes:
        self.seen.append((payload, ctx))
        return b"done"

    @property
    def subject(self) -> Subject:
        return self.seen[-1][1].subject


async def refusal(caller: Caller, headers: dict[str, str], action: str = ACTION) -> str:
    """Why a request was refused; the connection has been closed then."""
    caller.send(action, headers)
    reason = (await caller.error()).reason
    assert await caller.is_closed()
    return reason


async def test_who_comes_with_a_key_asks_for_whom_it_says() -> None:
    """X-29: and the second request by the same key is not checked again."""
    async with two_nodes() as (_, node):
        doors, asked = Doors(), Answering(node)
        async with calling(await open_port(node, doors)) as caller:
            for _ in range(2):
                caller.send(ACTION, GOOD, b"payload")
                answer = await caller.answer()
                assert answer is not None
                assert bytes(answer.body) == b"done"
        assert asked.subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS
        assert (asked.subject.name, asked.subject.roles) == ("ann", ("reader",))
        assert asked.subject.api_key is not None
        assert asked.subject.api_key.id == "key-1"
        assert asked.seen[0][1].subject is asked.seen[1][1].subject
        assert doors.keys.checks == 1


@pytest.mark.parametrize("missing", [CREDENTIALS_HEADER, SUBJECT_INFO_HEADER])
async def test_both_headers_must_be_there(missing: str) -> None:
    """X-26: a request without its key, or without whom it is for, is refused in words."""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        async with calling(await open_port(node, Doors())) as caller:
            headers = {name: value for name, value in GOOD.items() if name != missing}
            reason = await refusal(caller, headers)
        assert f"require transport header [{missing}] but none found" in reason
        assert "configured remote cluster credentials" in reason
        assert not asked.seen


@pytest.mark.parametrize(
    "name", ["Authorization", AUTHENTICATION_HEADER, CLUSTER_HEADER, "_system", "es-secondary"]
)
async def test_no_other_header_may_say_who_asks(name: str) -> None:
    """X-27, T-7, T-8: even the password of a superuser there."""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        async with calling(await open_port(node, Doors())) as caller:
            reason = await refusal(caller, {**GOOD, name: "Basic ZWxhc3RpYzpzZWNyZXQ="})
        assert f"Transport request header [{name}] is not allowed" in reason
        assert not asked.seen


async def test_headers_of_a_trace_are_passed_on_and_those_of_security_are_not() -> None:
    """X-27: X-Opaque-Id is accepted and seen by the task."""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        async with calling(await open_port(node, Doors())) as caller:
            caller.send(ACTION, {**GOOD, "X-Opaque-Id": "mine"})
            await caller.answer()
        _, ctx = asked.seen[0]
        assert ctx.headers == {"X-Opaque-Id": "mine"}
        assert ctx.task.headers == {"X-Opaque-Id": "mine"}


async def test_a_wrong_key_is_told_so_and_cut_off_before_its_body_is_unpacked() -> None:
    """X-29, T-32"""
    async with two_nodes() as (_, node):
        doors, asked = Doors(), Answering(node)
        async with calling(await open_port(node, doors)) as caller:
            caller.send(ACTION, GOOD)
            await caller.answer()
            caller.send(ACTION, {**GOOD, CREDENTIALS_HEADER: "ApiKey bad"}, b"x" * 5000, number=8)
            error = await caller.error()
            assert (error.es_type, error.status) == ("security_exception", 401)
            assert await caller.is_closed()
        assert len(asked.seen) == 1


async def test_what_was_on_its_way_goes_on_when_a_key_is_looked_at_anew() -> None:
    """T-35: as after each change of any key, on a node that has to ask another about it."""
    async with two_nodes() as (_, node):
        doors, asked = Doors(), Answering(node)
        async with calling(await open_port(node, doors)) as caller:
            caller.send(ACTION, GOOD)
            await caller.answer()
            doors.keys.checked.clear()
            for number in range(100, 100 + 2 * IN_QUESTION_MAX):
                caller.send(ACTION, GOOD, number=number)
            await until(lambda: len(asked.seen) == 1 + 2 * IN_QUESTION_MAX)
            caller.send(ACTION, GOOD)
            assert await caller.answer() is not None


async def test_before_a_key_was_right_few_requests_wait_for_the_verdict() -> None:
    async with two_nodes() as (_, node):
        doors, asked = Doors(), Answering(node)
        async with calling(await open_port(node, doors)) as caller:
            for number in range(100, 100 + 2 * IN_QUESTION_MAX):
                caller.send(ACTION, GOOD, number=number)
            assert await caller.is_closed()
        assert len(asked.seen) <= IN_QUESTION_MAX


async def test_a_refused_header_ends_the_connection_though_its_body_never_comes() -> None:
    """T-32: of a large frame only the header is waited for."""
    async with two_nodes() as (_, node):
        Answering(node)
        async with calling(await open_port(node, Doors())) as caller:
            caller.send(ACTION, GOOD)
            await caller.answer()
            whole = Frame(
                8, 0, SEALANE_VERSION, action=ACTION, headers={"odd": "1"}, body=b"x" * 900_000
            )
            caller.writer.write(encode(whole)[:1000])
            assert "require transport header" in (await caller.error()).reason
            assert await caller.is_closed()


async def test_a_long_header_is_cut_off_without_an_answer() -> None:
    """X-28, T-27: one byte above the limit; the other port takes the same frame."""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        port = await open_port(node, Doors())
        headers = {**GOOD, "X-Opaque-Id": "a"}
        frame = Frame(7, 0, SEALANE_VERSION, action=ACTION, headers=headers)
        fixed = len(_variable(frame))
        headers["X-Opaque-Id"] += "a" * (1500 - fixed)
        node.transport.limit_headers(Profile.REMOTE_CLUSTER, 1500)
        extra = 1  # the length of a long text takes another byte
        headers["X-Opaque-Id"] = headers["X-Opaque-Id"][extra:]
        async with calling(port) as caller:
            assert len(_variable(frame)) == 1500
            caller.send(ACTION, headers)
            answer = await caller.answer()
            assert answer is not None
            assert not answer.is_error
            caller.send(ACTION, {**headers, "X-Opaque-Id": headers["X-Opaque-Id"] + "a"})
            assert await caller.answer() is None
        assert len(asked.seen) == 1
        async with calling(node.address) as caller:
            headers["X-Opaque-Id"] += "a"
            headers |= {AUTHENTICATION_HEADER: "bob", CLUSTER_HEADER: "other"}
            caller.send(ACTION, headers)
            answer = await caller.answer()
            assert answer is not None
            assert not answer.is_error
        assert asked.subject.name == "bob"


def _variable(frame: Frame) -> bytes:
    return encode_variable_header(frame.version, 0, frame.action, frame.headers)


async def test_the_limit_of_headers_changes_for_open_connections_too() -> None:
    """P18: the setting is dynamic."""
    async with two_nodes() as (_, node):
        Answering(node)
        async with calling(await open_port(node, Doors())) as caller:
            long = {**GOOD, "X-Opaque-Id": "a" * 3000}
            caller.send(ACTION, long)
            assert await caller.answer() is not None
            node.transport.limit_headers(Profile.REMOTE_CLUSTER, 2000)
            caller.send(ACTION, long)
            assert await caller.answer() is None


async def test_before_a_key_was_right_only_small_frames_are_read() -> None:
    """T-26, X-106: 64 KiB; once it was, as much as on any port."""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        port = await open_port(node, Doors())
        async with calling(port) as caller:
            caller.send(ACTION, GOOD, b"x" * UNPROVEN_FRAME_MAX_BYTES)
            assert await caller.answer() is None
        async with calling(port) as caller:
            caller.send(ACTION, GOOD)
            await caller.answer()
            caller.send(ACTION, GOOD, b"x" * 3_000_000)
            assert await caller.answer() is not None
        assert [len(payload) for payload, _ in asked.seen] == [0, 3_000_000]


async def test_before_a_key_was_right_nothing_compressed_is_read() -> None:
    """X-107, T-29"""
    async with two_nodes() as (_, node):
        asked = Answering(node)
        port = await open_port(node, Doors())
        body = compress(b"\0" * 1_000_000, "deflate")
        bomb = Frame(7, COMPRESSED, SEALANE_VERSION, action=ACTION, headers=GOOD, body=body)
        async with calling(port) as caller:
            caller.send_frame(bomb)
            assert await caller.answer() is None
        assert not asked.seen


async def test_http_is_told_that_this_is_no_such_port() -> None:
    """X-31, T-31: on the port for keys as on the other."""
    async with two_nodes() as (_, node):
        for address in (await open_port(node, Doors()), node.address):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.read() == b"This is not an HTTP port"
            writer.close()


async def test_a_key_is_of_no_use_on_the_ordinary_port() -> None:
    """X-25: neither without nor beside what nodes show each other there."""
    async with two_nodes() as (_, node):
        await open_port(node, Doors())
        text = f"missing authentication credentials for action [{KEY_HANDSHAKE}]"
        assert await _key_handshake_at(node, GOOD) == (401, text)
        known = {AUTHENTICATION_HEADER: "_system", CLUSTER_HEADER: "other"}
        status, text = await _key_handshake_at(node, known)
        assert status == 400
        assert "requires channel profile to be [_remote_cluster], but got [default]" in text


async def _key_handshake_at(node: TransportNode, headers: dict[str, str]) -> tuple[int, str]:
    async with calling(node.address) as caller:
        body = node_request_body()
        caller.send_frame(
            Frame(7, 0, SEALANE_VERSION, action=KEY_HANDSHAKE, headers=headers, body=body)
        )
        error = await caller.error()
        return error.status, error.reason


async def test_the_handshake_tells_when_the_key_ends() -> None:
    """P8"""
    async with two_nodes() as (_, node):
        doors = Doors()
        doors.keys.known["ApiKey good"] = Key(expires_ms=1234)
        async with calling(await open_port(node, doors)) as caller:
            caller.send_frame(
                Frame(
                    7,
                    0,
                    SEALANE_VERSION,
                    action=KEY_HANDSHAKE,
                    headers=GOOD,
                    body=node_request_body(),
                )
            )
            answer = await caller.answer()
            assert answer is not None
            assert SEALANE.read_node_response(answer.body).key_expires_ms == 1234


async def test_an_idle_caller_that_never_proves_itself_is_dismissed() -> None:
    """T-28: a handshake alone makes nobody known there."""
    async with two_nodes() as (_, node):
        port = await open_port(node, Doors())
        async with calling(port):
            [channel] = [each for each in node.transport._inbound if each._strict]
            assert channel._stranger
        async with calling(port) as caller:
            caller.send(ACTION, GOOD)
            await caller.answer()
            known = [each for each in node.transport._inbound if each._strict and each.is_open]
            await until(lambda: any(not each._stranger for each in known))
