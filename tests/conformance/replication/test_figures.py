"""What a follower tells of itself."""

from typing import Any

from tests.conformance.replication.conftest import Replicated, until

COUNTS = {
    "leader_global_checkpoint",
    "leader_max_seq_no",
    "follower_global_checkpoint",
    "follower_max_seq_no",
    "last_requested_seq_no",
    "outstanding_read_requests",
    "outstanding_write_requests",
    "write_buffer_operation_count",
    "write_buffer_size_in_bytes",
    "follower_mapping_version",
    "follower_settings_version",
    "follower_aliases_version",
    "total_read_time_millis",
    "total_read_remote_exec_time_millis",
    "successful_read_requests",
    "failed_read_requests",
    "operations_read",
    "bytes_read",
    "total_write_time_millis",
    "successful_write_requests",
    "failed_write_requests",
    "operations_written",
    "time_since_last_read_millis",
    "shard_id",
}
GROWING = {
    name for name in COUNTS if name.startswith(("total_", "successful_", "failed_", "operations_"))
}


async def test_every_figure_is_there(replicated: Replicated) -> None:
    """R-87: of the right type, and counters grow."""
    await replicated.made(3)
    await replicated.follow()
    before = await replicated.stats()
    assert {name for name in COUNTS if not isinstance(before[name], int)} == set()
    assert (before["remote_cluster"], before["leader_index"], before["follower_index"]) == (
        "eu",
        "cities",
        "copy",
    )
    await replicated.write(3, 4, 5)
    await replicated.caught_up()
    after = await replicated.stats()
    assert {name for name in GROWING if after[name] < before[name]} == set()
    assert after["operations_written"] - before["operations_written"] == 3
    assert after["follower_global_checkpoint"] == 5


async def test_the_lag_is_the_sum_of_the_shards(replicated: Replicated) -> None:
    """R-88, R-89: nothing when level, and the age of the last read stays below the poll timeout."""
    await replicated.made(20, number_of_shards=3)
    await replicated.follow(read_poll_timeout="100ms")

    async def level() -> Any:
        [index] = (await replicated.here.call("GET", "/copy/_ccr/stats"))["indices"]
        return index if index["total_global_checkpoint_lag"] == 0 else None

    index = await until(level)
    assert [each["shard_id"] for each in index["shards"]] == [0, 1, 2]
    assert sum(each["leader_global_checkpoint"] + 1 for each in index["shards"]) == 20
    assert all(each["failed_read_requests"] == 0 for each in index["shards"])
    replicated.link.is_cut = True
    await replicated.write(*range(20, 40))

    async def behind() -> Any:
        [index] = (await replicated.here.call("GET", "/copy/_ccr/stats"))["indices"]
        return index if all(each["read_exceptions"] for each in index["shards"]) else None

    index = await until(behind)
    assert index["total_global_checkpoint_lag"] == 0, "the leader has not been heard of since"
    replicated.link.is_cut = False
    await replicated.caught_up()
    await replicated.equal()
