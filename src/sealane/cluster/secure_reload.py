"""Reading the keystore again: on this node, and on all that a request means, each with its own.

`POST /_nodes/reload_secure_settings` asks; what follows from changed values is the subscribers' of `SecureSettings`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sealane.cluster.fellows import Fellows
from sealane.errors import ApiError, IllegalArgument, IllegalState, KeystoreError, TaskCancelled
from sealane.model.node import NodeInfo
from sealane.model.security import REDACTED, Secret
from sealane.model.task import Context
from sealane.security.stores.keystore import Keystore
from sealane.security.stores.keystore_file import KeystoreFile, Opened
from sealane.settings.secure_settings import SecureSettings
from sealane.transport.tasks import run_together

_log = logging.getLogger("sealane.cluster")

RELOAD: Final = "cluster:admin/nodes/reload_secure_settings"
RELOAD_NODE: Final = f"{RELOAD}[n]"
"""What a node is asked by the one that was asked."""
PASSWORD_MAX: Final = 10_000


class ReloadRequest(msgspec.Struct, frozen=True, array_like=True):
    password: str

    def __repr__(self) -> str:
        return f"ReloadRequest(password={REDACTED})"


class SecureReload:
    """This node's keystore and what was read of it. `check` raises ApiError for one that would stop the start."""

    def __init__(
        self,
        file: KeystoreFile,
        secure: SecureSettings,
        *,
        check: Callable[[Keystore], None],
    ) -> None:
        self._file = file
        self._secure = secure
        self._check = check
        self._turn = asyncio.Lock()

    async def reload(self, password: Secret) -> dict[str, Any]:
        """Reads the keystore and puts in force what may change. Returns what `_nodes` shows of it; one that cannot be
        read, or that the node could not start with, changes nothing and is told as `reload_exception`.
        """
        async with self._turn:  # one at a time: what was read last is what holds
            try:
                opened = await self._open(password)
                self._check(opened.keystore)
                self._secure.replace(opened.keystore.texts)
            except ApiError as error:
                _log.warning("the secure settings were not reloaded: %s", error.reason)
                return {"reload_exception": error.to_cause()}
        return {
            "secure_setting_names": opened.keystore.names(),
            "keystore_path": str(self._file.path),
            "keystore_digest": opened.digest,
            "keystore_last_modified_time": _instant(opened.modified_ms),
        }

    async def _open(self, password: Secret) -> Opened:
        if not self._file.exists():
            raise IllegalState("Keystore is missing")
        # In a thread: a password takes 0.1 s.
        return await asyncio.to_thread(self._file.open, password)


async def reload_nodes(
    fellows: Fellows,
    nodes: Sequence[NodeInfo],
    password: Secret,
    ctx: Context,
    *,
    timeout_s: float,
) -> list[tuple[NodeInfo, Mapping[str, Any] | ApiError]]:
    """One entry a node, in their order: its answer, or why there is none. Raises TaskCancelled."""
    payload = msgspec.msgpack.encode(ReloadRequest(password.reveal()))
    answers: list[Mapping[str, Any] | ApiError] = [{} for _ in nodes]

    async def ask(at: int, node: NodeInfo) -> None:
        try:
            answer = await fellows.ask(node, RELOAD_NODE, payload, ctx, timeout_s=timeout_s)
            answers[at] = _read_answer(answer)
        except TaskCancelled:
            raise
        except ApiError as error:
            answers[at] = error

    await run_together([ask(at, node) for at, node in enumerate(nodes)])
    return list(zip(nodes, answers, strict=True))


def read_request(payload: bytes) -> ReloadRequest:
    """Raises IllegalArgument, which shows nothing of the bytes."""
    try:
        request = msgspec.msgpack.decode(payload, type=ReloadRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IllegalArgument(f"malformed message for action [{RELOAD_NODE}]") from None
    if len(request.password) > PASSWORD_MAX:
        raise KeystoreError(f"a password has at most [{PASSWORD_MAX}] characters")
    return request


def encode_answer(answer: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(answer)


def _read_answer(payload: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IllegalArgument(f"malformed answer to action [{RELOAD_NODE}]") from None


def _instant(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
