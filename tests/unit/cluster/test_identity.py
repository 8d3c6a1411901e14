"""Who a node and its cluster are, over restarts."""

import json
from pathlib import Path

import pytest

from sealane.cluster.identity import DataFolder
from sealane.cluster.store import MemoryStateStore
from sealane.errors import IllegalState
from tests.unit.cluster.fakes import CountingIds


async def test_the_node_id_is_kept_and_the_ephemeral_id_is_not(tmp_path: Path) -> None:
    ids = CountingIds()
    first = DataFolder.open(tmp_path / "data", ids)
    first.close()
    second = DataFolder.open(tmp_path / "data", ids)
    second.close()
    assert first.ids.node_id == second.ids.node_id
    assert first.ids.ephemeral_id != second.ids.ephemeral_id


async def test_the_cluster_uuid_is_made_once(tmp_path: Path) -> None:
    ids, store = CountingIds(), MemoryStateStore()
    folder = DataFolder.open(tmp_path, ids)
    first = await folder.cluster(store, "a", ids)
    folder.close()
    folder = DataFolder.open(tmp_path, ids)
    second = await folder.cluster(store, "b", ids)
    folder.close()
    assert first.uuid == second.uuid
    assert (first.name, second.name) == ("a", "b")


async def test_two_processes_cannot_have_one_folder(tmp_path: Path) -> None:
    ids = CountingIds()
    folder = DataFolder.open(tmp_path, ids)
    with pytest.raises(IllegalState, match=rf"failed to obtain node locks, tried \[{tmp_path}\]"):
        DataFolder.open(tmp_path, ids)
    folder.close()
    DataFolder.open(tmp_path, ids).close()


async def test_a_lost_state_is_not_mistaken_for_a_first_start(tmp_path: Path) -> None:
    ids = CountingIds()
    folder = DataFolder.open(tmp_path, ids)
    await folder.cluster(MemoryStateStore(), "a", ids)
    with pytest.raises(IllegalState, match="its state is missing"):
        await folder.cluster(MemoryStateStore(), "a", ids)
    folder.close()


async def test_the_state_of_another_cluster_is_refused(tmp_path: Path) -> None:
    ids, other = CountingIds(), MemoryStateStore()
    await other.compare_and_set({"cluster/uuid": b"other"}, {})
    folder = DataFolder.open(tmp_path, ids)
    await folder.cluster(MemoryStateStore(), "a", ids)
    with pytest.raises(IllegalState, match=r"its state of \[other\]"):
        await folder.cluster(other, "a", ids)
    folder.close()


async def test_an_unknown_format_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text(json.dumps({"format": 2, "something": "else"}))
    with pytest.raises(IllegalState, match=r"has format \[2\], this program knows \[1\]"):
        DataFolder.open(tmp_path, CountingIds())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "x"}'])
async def test_a_damaged_node_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.json").write_text(text)
    with pytest.raises(IllegalState, match=r"node.json\] is damaged"):
        DataFolder.open(tmp_path, CountingIds())
    # The failed start left no lock.
    (tmp_path / "node.json").unlink()
    DataFolder.open(tmp_path, CountingIds()).close()


def test_a_folder_is_of_the_first_cluster_that_its_node_joined(tmp_path: Path) -> None:
    ids = CountingIds()
    folder = DataFolder.open(tmp_path, ids)
    assert folder.cluster_uuid == ""
    folder.keep_cluster("u1")
    folder.keep_cluster("u1")
    folder.close()
    folder = DataFolder.open(tmp_path, ids)
    assert folder.cluster_uuid == "u1"
    with pytest.raises(IllegalState, match=r"is of cluster \[u1\], not of \[u2\]"):
        folder.keep_cluster("u2")
    folder.close()
