"""Who a node and its cluster are, and that a data folder has one node at a time.

`node.json` in the data folder holds the folder's format, the node's id and the cluster's uuid;
`node.lock` is locked while a node runs. The cluster's uuid is the state store's to say; the copy
here tells a lost store from a new one.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from sealane.clock import Ids
from sealane.cluster.store import ABSENT, StateStore, StoreConflict
from sealane.errors import IllegalState, IOFailure
from sealane.model.node import ClusterIdentity

FORMAT: Final = 1
_CLUSTER_KEY: Final = "cluster/uuid"


class _NodeFile(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    node_id: str
    cluster_uuid: str | None = None


class _Format(msgspec.Struct):
    format: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIds:
    """`node_id` is kept in the data folder; `ephemeral_id` is new at each start."""

    node_id: str
    ephemeral_id: str


class DataFolder:
    """A data folder, held by this process until `close`."""

    def __init__(self, path: Path, lock: IO[bytes], file: _NodeFile, ephemeral_id: str) -> None:
        self.path = path
        self._lock = lock
        self._file = file
        self.ids = NodeIds(node_id=file.node_id, ephemeral_id=ephemeral_id)

    @classmethod
    def open(cls, path: Path, ids: Ids) -> "DataFolder":
        """Locks the folder, making it at first. Blocking, and quick.

        Raises IllegalState when another process has it, or its format is not known here; IOFailure.
        """
        try:
            # It holds hashes of passwords and keys beside the documents: nobody else's to read.
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (path / "node.lock").open("ab")
        except OSError as error:
            raise IOFailure(f"cannot use the data folder [{path}]: {error.strerror}") from error
        try:
            _lock(lock, path)
            file = _read(path / "node.json")
            if file is None:
                file = _NodeFile(format=FORMAT, node_id=ids.new())
                _write(path / "node.json", file)
        except BaseException:
            lock.close()
            raise
        return cls(path, lock, file, ids.new())

    async def cluster(self, store: StateStore, name: str, ids: Ids) -> ClusterIdentity:
        """The cluster's identity; its uuid is made with the first start's state.

        Raises IllegalState when the store has none though this folder has been of a cluster: the
        state was lost, and starting without it would give up the indices.
        """
        entry = await store.get(_CLUSTER_KEY)
        known = self._file.cluster_uuid
        if entry is None:
            if known is not None:
                raise IllegalState(
                    f"the data folder [{self.path}] is of cluster [{known}], but its state is "
                    "missing; restore the folder from a copy, or start with an empty one"
                )
            try:
                await store.compare_and_set(
                    {_CLUSTER_KEY: ids.new().encode()}, {_CLUSTER_KEY: ABSENT}
                )
            except StoreConflict:
                pass  # another node of the cluster was first, and its uuid counts
            entry = await store.get(_CLUSTER_KEY)
            assert entry is not None
        uuid = entry.value.decode()
        if known is not None and known != uuid:
            raise IllegalState(
                f"the data folder [{self.path}] is of cluster [{known}], its state of [{uuid}]"
            )
        self.keep_cluster(uuid)
        return ClusterIdentity(name=name, uuid=uuid)

    @property
    def cluster_uuid(self) -> str:
        """Of the cluster that this folder is of; empty before its first."""
        return self._file.cluster_uuid or ""

    def keep_cluster(self, uuid: str) -> None:
        """Makes the folder one of that cluster, durably. Blocking, and quick. Raises IOFailure; IllegalState for a
        folder of another cluster.
        """
        known = self._file.cluster_uuid
        if known is None:
            file = msgspec.structs.replace(self._file, cluster_uuid=uuid)
            _write(self.path / "node.json", file)
            self._file = file
        elif known != uuid:
            raise IllegalState(
                f"the data folder [{self.path}] is of cluster [{known}], not of [{uuid}]"
            )

    def close(self) -> None:
        """Gives the folder up."""
        self._lock.close()


def _lock(lock: IO[bytes], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IllegalState(
            f"failed to obtain node locks, tried [{path}]; maybe multiple nodes were started "
            "on the same data path?"
        ) from error
    except OSError as error:
        raise IOFailure(f"cannot lock the data folder [{path}]: {error.strerror}") from error


def _read(path: Path) -> _NodeFile | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IOFailure(f"cannot read [{path}]: {error.strerror}") from error
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found == FORMAT:
            return msgspec.json.decode(data, type=_NodeFile)
    except msgspec.DecodeError as error:
        raise IllegalState(f"[{path}] is damaged: {error}") from error
    raise IllegalState(
        f"the data folder [{path.parent}] has format [{found}], this program knows [{FORMAT}]"
    )


def _write(path: Path, file: _NodeFile) -> None:
    """Replaces the file as a whole, durably."""
    beside = path.with_suffix(".tmp")
    try:
        with beside.open("wb") as out:
            out.write(msgspec.json.encode(file))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise IOFailure(f"cannot write [{path}]: {error.strerror}") from error
