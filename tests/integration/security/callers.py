"""A port for keys whose keys are a dictionary, and callers who write their frames by hand."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sealane.errors import ApiError, AuthenticationFailed
from sealane.inbound.cross_cluster import CrossClusterGate
from sealane.inbound.gate import TransportGate
from sealane.inbound.members import MembersGate
from sealane.model.node import Address
from sealane.model.security import SYSTEM, Realm, Secret, Side, Subject
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.security.rules.key_access import access_descriptor, parse_access
from sealane.transport.gate import Peer, Profile
from sealane.wire import Frame, FrameDecoder
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.discovery import TCP_HANDSHAKE
from sealane.wire.families.elasticsearch import ELASTICSEARCH
from sealane.wire.families.protocol import Envelope
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import HANDSHAKE, encode
from sealane.wire.versions import SEALANE_VERSION
from tests.transport_nodes import TransportNode

ACTION = "indices:data/read/test"
NATIVE = Realm(name="native1", type="native")
GOOD = {CREDENTIALS_HEADER: "ApiKey good", SUBJECT_INFO_HEADER: "ann"}


@dataclass(frozen=True)
class Key:
    id: str = "key-1"
    name: str = "test"
    creator: str = "elastic"
    creator_realm: Realm = NATIVE
    side: Side = (access_descriptor(parse_access({"search": [{"names": ["logs*"]}]})),)
    certificate_identity: str | None = None
    expires_ms: int | None = None


@dataclass
class Keys:
    """`checked` are those whose hash has been compared already."""

    known: dict[str, Key] = field(default_factory=lambda: {"ApiKey good": Key()})
    checked: dict[str, Key] = field(default_factory=dict)
    checks: int = 0

    def verified_cross_cluster_key(self, credentials: Secret) -> Key | None:
        found = self.checked.get(credentials.reveal())
        return found if found is self.known.get(credentials.reveal()) else None

    async def verify_cross_cluster_key(self, credentials: Secret, action: str) -> Key:
        self.checks += 1
        await asyncio.sleep(0)
        found = self.known.get(credentials.reveal())
        if found is None:
            raise AuthenticationFailed(f"unable to authenticate user [x] for action [{action}]")
        self.checked[credentials.reveal()] = found
        return found


def claim(text: str) -> Subject:
    return Subject(name=text, realm=NATIVE, sides=((),), roles=("reader",))


@dataclass
class Doors:
    """The gate of one node, and whom it has turned away."""

    keys: Keys = field(default_factory=Keys)
    refused: list[str] = field(default_factory=list)
    others_may_come: bool = True

    def gate(self) -> TransportGate:
        def refuse(action: str, peer: Peer, error: ApiError) -> None:
            self.refused.append(error.reason)

        return TransportGate(
            members=MembersGate(
                cluster_uuid=lambda: "ours",
                decode=_decode,
                allowed=lambda action: action == ACTION,
                others_may_come=lambda: self.others_may_come,
            ),
            by_key=CrossClusterGate(
                self.keys, claim=claim, allowed=lambda action: "internal:cluster" not in action
            ),
            on_refused=refuse,
        )


def _decode(text: str) -> Subject:
    return SYSTEM if text == SYSTEM.name else Subject(name=text, realm=NATIVE)


async def open_port(
    node: TransportNode, doors: Doors, *, tls: ssl.SSLContext | None = None
) -> Address:
    """Opens a port for keys beside the node's ordinary one, which gets the same gate."""
    node.transport.gate = doors.gate()
    return await node.transport.listen("127.0.0.1", 0, tls=tls, profile=Profile.REMOTE_CLUSTER)


@dataclass
class Caller:
    """One socket whose frames are written by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: FrameDecoder = field(default_factory=FrameDecoder)

    def send(
        self,
        action: str,
        headers: dict[str, str],
        payload: bytes = b"",
        *,
        status: int = 0,
        number: int = 7,
    ) -> None:
        body = b"".join(SEALANE.request_body(Envelope(), payload))
        self.send_frame(
            Frame(number, status, SEALANE_VERSION, action=action, headers=headers, body=body)
        )

    def send_frame(self, frame: Frame) -> None:
        self.writer.write(encode(frame))

    async def answer(self) -> Frame | None:
        """The next frame; None where the other side has closed without one."""
        with contextlib.suppress(ConnectionResetError):  # bytes that nobody wanted were under way
            while data := await self.reader.read(65536):
                for event in self.decoder.receive_data(data):
                    assert not isinstance(event, RemoteProtocolError), event
                    if isinstance(event, Frame):
                        return event
        return None

    async def error(self) -> ApiError:
        answer = await self.answer()
        assert answer is not None
        assert answer.is_error
        return SEALANE.read_error(answer.body)

    async def is_closed(self) -> bool:
        """Waits until the other side has closed; what it said before is dropped."""
        with contextlib.suppress(ConnectionResetError):
            while await self.reader.read(65536):
                pass
        return True


@asynccontextmanager
async def calling(
    address: Address, *, tls: ssl.SSLContext | None = None, greet: bool = True
) -> AsyncIterator[Caller]:
    """A socket to that address, which has shaken hands with `greet`."""
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    caller = Caller(reader, writer)
    try:
        if greet:
            body = ELASTICSEARCH.tcp_request_body(mark=True)
            caller.send_frame(
                Frame(
                    1, HANDSHAKE, ELASTICSEARCH.handshake_version, action=TCP_HANDSHAKE, body=body
                )
            )
            answer = await caller.answer()
            assert answer is not None
            assert not answer.is_error
        yield caller
    finally:
        writer.transport.abort()
