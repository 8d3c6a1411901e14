"""One node as a whole: it starts, says that it is ready, and stops."""

import gc
import ipaddress
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sealane.clock import RandomIds
from sealane.cluster.identity import DataFolder
from sealane.model.node import Address, NodeInfo
from sealane.model.security import Secret
from sealane.node.base import Base
from sealane.node.config import CERTIFICATES as FOLDER
from sealane.node.config import config_folder, joins
from sealane.node.data import start_data_node
from sealane.node.gateway import start_gateway
from sealane.node.hosts import preferred
from sealane.settings import Settings
from sealane.settings import node_settings as keys
from sealane.settings.secure_settings import SecureSettings

_log = logging.getLogger("sealane.node")

GC_ALLOCATIONS = 50_000
"""Objects made, less those freed, before the garbage collector looks at the young ones; Python's own is 700."""

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter while another waits. tantivy gives it up at every call, so with Python's
5 ms each call of a bulk would wait that long beside a busy loop (docs/benchmarks.md has the figures)."""


class Node:
    """One node. `start` brings it up as a whole or not at all; `close` takes it down from any state."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._base: Base | None = None

    async def start(self) -> None:
        """Raises ApiError for state that cannot be read and addresses that cannot be bound."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        folder = DataFolder.open(Path(keys.PATH_DATA.get(self._settings)), RandomIds())
        self._stack.callback(folder.close)
        self._base = base = Base(self._settings, folder, self._stack)
        await (start_gateway(base) if joins(self._settings) else start_data_node(base))
        _settle_memory()
        _log.info("started node [%s] of cluster [%s]", base.info.name, base.identity.name)

    @property
    def info(self) -> NodeInfo:
        """Who this node is; known once it listens."""
        assert self._base is not None, "the node has not started"
        return self._base.info

    @property
    def secure(self) -> SecureSettings:
        """What the keystore held when it was read last."""
        assert self._base is not None, "the node has not started"
        return self._base.secure

    def ready_line(self) -> Mapping[str, Any]:
        """What `sealane start` prints when the node is ready: who it is and where it listens."""
        base = self._base
        assert base is not None, "the node has not started"
        return {
            "event": "ready",
            "cluster_name": base.identity.name,
            "cluster_uuid": base.identity.uuid,
            "node_name": base.info.name,
            "node_id": base.info.id,
            "http": str(base.http),
            "transport": str(base.address),
            "bound_http": [str(each) for each in base.bound_http],
            "bound_transport": [str(each) for each in base.bound],
            "remote_cluster": str(preferred(base.bound_remote_cluster))
            if base.bound_remote_cluster
            else None,
            "pid": os.getpid(),
            "security": base.gate is not None,
        }

    @property
    def url(self) -> str:
        """Of its REST interface."""
        base = self._base
        assert base is not None, "the node has not started"
        host = base.http
        if ipaddress.ip_address(host.host).is_unspecified:
            host = Address("localhost", host.port)  # the name that its certificate has
        return f"{'http' if base.tls.http is None else 'https'}://{host}"

    @property
    def made_password(self) -> Secret | None:
        """The password of `elastic` that was made up at this start; for whoever started the node, and nobody else."""
        return None if self._base is None else self._base.made_password

    @property
    def made_authority(self) -> Path | None:
        """The authority of the HTTP certificate, where a first start has made it."""
        if self._base is None or self._base.tls.http is None:
            return None
        made = config_folder(self._settings) / FOLDER / "http_ca.crt"
        return made if made.exists() else None

    async def close(self) -> None:
        """Stops in the opposite order: no new requests, then the engine's commit, then the folder's lock."""
        await self._stack.aclose()


def _settle_memory() -> None:
    """What the start made stays: the garbage collector leaves it out, and comes less often.

    A bulk of 1,000 documents makes tens of thousands of objects and hardly a cycle: 5 us a document saved.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 10, 10)
