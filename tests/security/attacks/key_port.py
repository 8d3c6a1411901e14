"""An attacker who holds a good key of `east`, and writes every frame by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealane.model.security import (
    IndexPrivileges,
    Realm,
    RoleDescriptor,
    Side,
    Subject,
)
from sealane.remote.address import parse_address
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.security.rules.subject_codec import encode_subject_info
from sealane.wire.families.sealane import SEALANE
from tests.integration.security.callers import Caller, calling
from tests.integration.security.pair import Pair, secured_pair

CANARY = b"canary-of-private"
NATIVE = Realm(name="native1", type="native")
ELASTIC = Subject(name="elastic", realm=NATIVE, roles=("superuser",))
OTHER = Subject(name="somebody", realm=NATIVE, roles=("superuser",))
EVERYTHING: Side = (
    RoleDescriptor(
        name="forged",
        cluster=("all",),
        indices=(
            IndexPrivileges(names=("*",), privileges=("all",), allow_restricted_indices=True),
        ),
    ),
)


@dataclass
class Answered:
    """`error` is the reason of an answer that is one; `closed` is no answer at all."""

    body: bytes = b""
    error: str = ""
    status: int = 200
    closed: bool = False

    @property
    def everything(self) -> bytes:
        return self.body + self.error.encode()


@dataclass
class Attacker:
    """Claims to be `elastic` with every right, unless a test says otherwise."""

    pair: Pair
    key: str
    uuids: dict[str, str] = field(default_factory=dict)
    _calls: AsyncExitStack = field(default_factory=AsyncExitStack)
    _caller: Caller | None = None

    @property
    def handlers(self) -> list[str]:
        """Every action that the node has a handler for."""
        base = self.pair.east.node._base
        assert base is not None
        dispatcher = base.transport._dispatcher
        return sorted({*dispatcher.handlers, *dispatcher.foreign_handlers})

    def headers(self, subject: Subject = ELASTIC, key: str | None = None) -> dict[str, str]:
        return {
            CREDENTIALS_HEADER: f"ApiKey {key or self.key}",
            SUBJECT_INFO_HEADER: encode_subject_info(subject, (EVERYTHING,)),
        }

    async def ask(
        self,
        action: str,
        payload: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        shown = dict(self.headers() if headers is None else headers)
        if self._caller is None:
            self._caller = await self._calls.enter_async_context(self._calling())
        self._caller.send(action, shown, payload)
        answer = await self._caller.answer()
        if answer is None:
            self._caller = None
            return Answered(closed=True)
        if not answer.is_error:
            return Answered(bytes(answer.body))
        error = SEALANE.read_error(answer.body)
        if (
            shown.keys() != self.headers().keys()
            or error.status != 403
            or "may ask" in error.reason
        ):
            self._caller = None  # what the gate refuses ends the connection
        return Answered(error=str(error.to_body()), status=error.status)

    def _calling(self) -> AbstractAsyncContextManager[Caller]:
        address = parse_address(self.pair.east.remote_cluster)
        return calling(address, tls=self.pair.keys_authority.client_context())


@asynccontextmanager
async def attacking(folder: Path, **settings: Any) -> AsyncIterator[Attacker]:
    """The key is for `logs-*`; `private-1` holds the canary, and so does `.security` in its way."""
    async with secured_pair(folder, east=settings) as pair:
        for number in range(3):
            body = {"word": CANARY.decode(), "n": number}
            await pair.east.make("PUT", f"/private-1/_doc/{number}?refresh=true", body)
        found = await pair.east.make("GET", "/_settings")
        uuids = {name: each["settings"]["index"]["uuid"] for name, each in found.items()}
        attacker = Attacker(pair, (await pair.key())["encoded"], uuids)
        async with attacker._calls:
            yield attacker
