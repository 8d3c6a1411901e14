"""What every engine must do for replication: subclass ReplicationContract beside EngineContract.

The fixture `engine` yields an open engine, `clock` the clock that it was given, whose `ms` a test may set.
"""

import asyncio
import random

from sealane.engine.base import Engine
from sealane.errors import (
    ApiError,
    FollowingEngine,
    HistoryDiverged,
    IllegalArgument,
    IllegalState,
    IndexNotFound,
    NoShardAvailable,
    OperationsMissing,
)
from sealane.model.document import Operation, OpKind
from sealane.model.replication import NO_OPERATIONS, HistoryMark, mark_of
from sealane.testing.engine_contract import (
    INDEX,
    config,
    context,
    delete_op,
    index_op,
    operation,
    visible,
    write,
)
from sealane.testing.history_contract import Histories, Leases
from sealane.testing.replication_helpers import (
    HOUR_MS,
    MANY,
    OTHER,
    SettableClock,
    add_some,
    copy_pages,
    error_of,
    history,
    kept,
    live,
    other,
)


class TakenOperations:
    """What a follower's shard does with operations."""

    async def test_operations_above_a_hole_are_told_to_nobody(self, engine: Engine) -> None:
        """R-45, R-58: only what is contiguous and durable is given on."""
        await engine.open_index(config(), new=True)
        state = await engine.apply_replica(INDEX, 0, [operation(0, "1"), operation(2, "3")])
        assert (state.checkpoint, state.max_seq_no) == (0, 2)
        assert [op.seq_no for op in await history(engine)] == [0]
        assert await history(engine, from_seq_no=1) == []
        state = await engine.apply_replica(INDEX, 0, [operation(1, "2")])
        assert (state.checkpoint, state.max_seq_no) == (2, 2)
        assert [op.seq_no for op in await history(engine)] == [0, 1, 2]

    async def test_the_same_batch_twice_changes_nothing(self, engine: Engine) -> None:
        """R-52: documents, their number, the log and the checkpoint stay as they are."""
        await engine.open_index(config(), new=True)
        batch = [
            operation(0, "1"),
            operation(1, "1", 2),
            operation(2, "2"),
            operation(3, "2", 2, None),
        ]
        first = await engine.apply_replica(INDEX, 0, batch)
        await engine.refresh(INDEX)
        for again in (batch, batch[1:], batch[:2]):
            assert await engine.apply_replica(INDEX, 0, again) == first
        await engine.refresh(INDEX)
        assert await history(engine) == batch
        assert [(op.id, op.version) for op in await live(engine)] == [("1", 2)]
        assert (await engine.stats(INDEX)).docs == 1

    async def test_batches_in_any_order_end_equal(self, engine: Engine) -> None:
        """R-53, R-59: and the checkpoint never goes back on the way."""
        await engine.open_index(config(), new=True)
        chance = random.Random(7)
        whole = [
            operation(
                n, chance.choice("abcdef"), n, None if chance.random() < 0.3 else b'{"n":%d}' % n
            )
            for n in range(60)
        ]
        expected: dict[str, Operation] = {}
        for op in whole:
            expected[op.id] = op
        for round_ in range(4):
            batches = [whole[at : at + 5] for at in range(0, 60, 5)] * 2
            chance.shuffle(batches)
            await engine.open_index(other(), new=True)
            checkpoint = NO_OPERATIONS
            for batch in batches:
                state = await engine.apply_replica(OTHER, 0, batch)
                assert state.checkpoint >= checkpoint
                checkpoint = state.checkpoint
                if chance.random() < 0.3:
                    await engine.refresh(OTHER)
            assert await history(engine, OTHER) == whole, f"round {round_}"
            documents = {op.id: (op.seq_no, op.source) for op in await live(engine, OTHER)}
            assert documents == {
                op.id: (op.seq_no, op.source) for op in expected.values() if op.kind is OpKind.INDEX
            }
            await engine.delete_index(OTHER)

    async def test_an_older_operation_after_a_delete_brings_nothing_back(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-54: however late it comes, and whatever has been refreshed or forgotten meanwhile."""
        await engine.open_index(config(), new=True)
        await engine.apply_replica(INDEX, 0, [operation(2, "1", 3, None)])
        await engine.refresh(INDEX)
        clock.ms += 24 * HOUR_MS
        await engine.apply_replica(INDEX, 0, [operation(1, "1", 2)])
        await engine.refresh(INDEX)
        assert await engine.get(INDEX, "1") is None
        state = await engine.apply_replica(INDEX, 0, [operation(0, "1", 1)])
        await engine.refresh(INDEX)
        assert state.checkpoint == 2
        assert await engine.get(INDEX, "1", realtime=False) is None
        assert await live(engine) == []

    async def test_an_operation_that_does_nothing_moves_the_checkpoint(
        self, engine: Engine
    ) -> None:
        """R-55"""
        await engine.open_index(config(), new=True)
        nothing = Operation(1, 1, 1, OpKind.NO_OP, "", None, None, 5)
        state = await engine.apply_replica(INDEX, 0, [operation(0, "1"), nothing])
        assert state.checkpoint == 1
        assert (await history(engine))[1] == nothing
        assert await engine.touched_since(INDEX, 0, -1) == ["1"]

    async def test_versions_routings_and_ids_are_the_leaders(self, engine: Engine) -> None:
        """R-56, R-57: of documents created, updated, deleted and created again, and versioned from outside."""
        await engine.open_index(config(), new=True)
        await add_some(engine)
        await write(engine, index_op(None), index_op("r", routing="elsewhere"))
        await engine.open_index(other(), new=True)
        state = await engine.apply_replica(OTHER, 0, await history(engine))
        assert state.checkpoint == 8
        assert await history(engine, OTHER) == await history(engine)
        for op in await live(engine):
            mine = await engine.get(OTHER, op.id, routing=op.routing)
            assert mine == await engine.get(INDEX, op.id, routing=op.routing)
        assert await live(engine, OTHER) == await live(engine)
        assert {op.id: op.version for op in await live(engine)}["1"] == 4

    async def test_a_primary_goes_on_above_the_terms_it_has_taken(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        given = Operation(0, 7, 1, OpKind.INDEX, "1", None, b"{}", 5)
        state = await engine.apply_replica(INDEX, 0, [given])
        assert state.primary_term >= 7
        (result,) = await write(engine, index_op("2"))
        assert (result.seq_no, result.primary_term) == (1, state.primary_term)

    async def test_a_follower_takes_no_writes_of_users(self, engine: Engine) -> None:
        """R-27: nothing is changed, and other operations of the request fare no better."""
        await engine.open_index(other(**{"index.xpack.ccr.following_index": "true"}), new=True)
        outcomes = await engine.bulk(OTHER, [index_op("1"), delete_op("2")], context())
        assert [type(each) for each in outcomes] == [FollowingEngine, FollowingEngine]
        assert (await engine.shard_state(OTHER, 0)).max_seq_no == NO_OPERATIONS
        await engine.apply_replica(OTHER, 0, [operation(0, "1")])
        await engine.update_config(other())
        (outcome,) = await engine.bulk(OTHER, [index_op("2")], context())
        assert not isinstance(outcome, ApiError)
        assert outcome.seq_no == 1


class ToldOperations:
    """What a leader's shard tells of its history."""

    async def test_what_is_told_is_contiguous_and_within_its_limits(self, engine: Engine) -> None:
        """R-47, R-48: from the wanted one on, one at least, each counting its id, its source and about 50 bytes."""
        await engine.open_index(config(), new=True)
        await write(engine, *(index_op(str(n), b'{"a":"%s"}' % (b"x" * 92)) for n in range(9)))
        for max_count, max_bytes, wanted in (
            (3, MANY, [2, 3, 4]),
            (9, 310, [2, 3]),
            (9, 0, [2]),
            (MANY, MANY, [2, 3, 4, 5, 6, 7, 8]),
        ):
            found = await engine.changes(INDEX, 0, 2, max_count=max_count, max_bytes=max_bytes)
            assert [op.seq_no for op in found.operations] == wanted
            assert found.state.checkpoint == 8

    async def test_a_history_that_has_parted_is_noticed(self, engine: Engine) -> None:
        """R-49, R-100: the operation before the wanted one is not as the asker has it, or not there."""
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"), index_op("2"))
        first, second = map(mark_of, await history(engine))
        for previous in (first, None):
            found = await engine.changes(
                INDEX, 0, 1, max_count=9, max_bytes=MANY, previous=previous
            )
            assert len(found.operations) == 1
        for wrong in (
            mark_of(operation(0, "another")),
            mark_of(operation(1, "2", 5)),
            mark_of(operation(2, "3")),
        ):
            error = await error_of(
                engine.changes(
                    INDEX, 0, wrong.seq_no + 1, max_count=9, max_bytes=MANY, previous=wrong
                )
            )
            assert isinstance(error, HistoryDiverged), wrong
        assert second.seq_no == 1

    async def test_the_last_operation_that_is_gone_is_still_known(self, engine: Engine) -> None:
        """R-100: so what is told next is proven to continue it; one that nobody knows any more is believed."""
        await engine.open_index(kept(0), new=True)
        await write(engine, index_op("1"), index_op("2"), delete_op("1"))
        first, second, third = map(mark_of, await history(engine))
        assert await engine.mark(INDEX, 0, 0) == first
        for _ in range(2):
            await engine.refresh(INDEX)
            assert await engine.log_floor(INDEX, 0) == 3
            assert [await engine.mark(INDEX, 0, n) for n in range(4)] == [None, None, third, None]
            await engine.close_index(INDEX)
            await engine.open_index(kept(0))
        await write(engine, index_op("4"))
        for previous, is_theirs in (
            (third, True),
            (None, True),
            (mark_of(operation(2, "1", 9, None)), False),
            (mark_of(operation(1, "whatever")), True),
        ):
            call = engine.changes(INDEX, 0, 3, max_count=9, max_bytes=MANY, previous=previous)
            if is_theirs:
                assert [op.id for op in (await call).operations] == ["4"]
            else:
                assert isinstance(await error_of(call), HistoryDiverged)
        assert second.id == "2"

    async def test_what_came_as_a_copy_is_no_proof(self, engine: Engine) -> None:
        await engine.open_index(kept(0), new=True)
        await engine.apply_copied(INDEX, 0, [operation(2, "1"), operation(4, "2")], up_to=4)
        assert [await engine.mark(INDEX, 0, n) for n in (2, 4, 5)] == [None] * 3
        await engine.apply_replica(INDEX, 0, [operation(5, "3")])
        assert await engine.mark(INDEX, 0, 5) == mark_of(operation(5, "3"))
        await engine.refresh(INDEX)
        assert [await engine.mark(INDEX, 0, n) for n in (2, 4)] == [None] * 2
        assert await engine.mark(INDEX, 0, 5) == mark_of(operation(5, "3"))

    async def test_who_waits_for_a_checkpoint_is_told_at_once(self, engine: Engine) -> None:
        """R-46: whatever wrote the operation; the time being over is no error."""
        await engine.open_index(config(), new=True)

        async def wait_for(seq_no: int) -> int:
            state = await engine.wait_for_checkpoint(INDEX, 0, seq_no, timeout_s=600.0)
            return state.checkpoint

        async with asyncio.TaskGroup() as group:
            waiters = [group.create_task(wait_for(seq_no)) for seq_no in (0, 0, 1, 3)]
            await asyncio.sleep(0)
            await write(engine, index_op("1"))
            assert [await waiter for waiter in waiters[:2]] == [0, 0]
            assert not waiters[2].done()
            await engine.apply_replica(INDEX, 0, [operation(1, "2")])
            assert await waiters[2] == 1
            await engine.apply_copied(INDEX, 0, [operation(2, "3")], up_to=5)
            assert await waiters[3] == 5
        assert (await engine.wait_for_checkpoint(INDEX, 0, 5, timeout_s=600.0)).checkpoint == 5
        assert (await engine.wait_for_checkpoint(INDEX, 0, 9, timeout_s=0.0)).checkpoint == 5
        assert (await engine.wait_for_checkpoint(INDEX, 0, 9, timeout_s=0.001)).checkpoint == 5

    async def test_nobody_waits_on_an_index_that_is_gone(self, engine: Engine) -> None:
        """R-46: closing and deleting end it."""
        for end in (engine.close_index, engine.delete_index):
            await engine.open_index(config(), new=True)
            async with asyncio.TaskGroup() as group:
                waiter = group.create_task(
                    error_of(engine.wait_for_checkpoint(INDEX, 0, 9, timeout_s=600.0))
                )
                await asyncio.sleep(0)
                await end(INDEX)
                assert isinstance(await waiter, IndexNotFound)

    async def test_one_who_stops_waiting_is_forgotten(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        async with asyncio.TaskGroup() as group:
            waiter = group.create_task(engine.wait_for_checkpoint(INDEX, 0, 0, timeout_s=600.0))
            await asyncio.sleep(0)
            waiter.cancel()
        await write(engine, index_op("1"))
        assert waiter.cancelled()

    async def test_the_ids_touched_since_are_told_once(self, engine: Engine) -> None:
        await engine.open_index(kept(0), new=True)
        await add_some(engine)
        assert sorted(await engine.touched_since(INDEX, 0, 1)) == ["1", "2", "3"]
        assert await engine.touched_since(INDEX, 0, 5) == ["1"]
        assert await engine.touched_since(INDEX, 0, 6) == []
        await engine.refresh(INDEX)
        error = await error_of(engine.touched_since(INDEX, 0, 5))
        assert isinstance(error, OperationsMissing)
        assert await engine.touched_since(INDEX, 0, 6) == []


class CopiedDocuments:
    """The copy that a follower begins with."""

    async def test_live_documents_come_by_number_in_pages(self, engine: Engine) -> None:
        """R-43: with the numbers of the operations that made them, of a view that covers what is asked for."""
        await engine.open_index(config(), new=True)
        await add_some(engine)
        found = await engine.live_documents(INDEX, 0, 0, 6, max_count=1, max_bytes=MANY)
        assert [(op.seq_no, op.id, op.version) for op in found.operations] == [(4, "3", 41)]
        assert (found.up_to, found.total_docs, found.state.checkpoint) == (4, 2, 6)
        found = await engine.live_documents(INDEX, 0, 5, 6, max_count=9, max_bytes=MANY)
        assert [op.source for op in found.operations] == [b'{"a":5}']
        assert found.up_to == 6
        few = await engine.live_documents(INDEX, 0, 0, 6, max_count=9, max_bytes=1)
        assert [op.id for op in few.operations] == ["3"]
        assert 4 <= few.up_to < 6
        none = await engine.live_documents(INDEX, 0, 0, 3, max_count=9, max_bytes=1)
        assert (list(none.operations), none.up_to) == ([], 3)
        error = await error_of(engine.live_documents(INDEX, 0, 0, 7, max_count=9, max_bytes=1))
        assert isinstance(error, IllegalState)

    async def test_a_copy_and_the_tail_behind_it_end_equal(self, engine: Engine) -> None:
        """R-43, R-44, R-57: whatever is written, updated and deleted while it is copied, by pages of any size."""
        for max_count in (1, 3, 100):
            await engine.open_index(config(), new=True)
            await engine.open_index(other(), new=True)
            await write(engine, *(index_op(str(n), b'{"n":%d}' % n) for n in range(20)))
            await write(engine, index_op("3", b'{"n":33}'), delete_op("5"))
            await copy_pages(engine, 10, max_count=max_count)
            await write(engine, index_op("12", b'{"n":99}'), delete_op("15"), index_op("new"))
            await copy_pages(engine, 21, max_count=max_count)
            assert (await engine.shard_state(OTHER, 0)).checkpoint == 21
            await engine.apply_replica(OTHER, 0, await history(engine, from_seq_no=22))
            await engine.refresh(INDEX)
            await engine.refresh(OTHER)
            assert await live(engine, OTHER) == await live(engine)
            assert (await engine.stats(OTHER)).docs == 19
            await engine.delete_index(INDEX)
            await engine.delete_index(OTHER)

    async def test_a_copied_shard_tells_nothing_of_before(self, engine: Engine) -> None:
        """R-71: the log begins behind the copy, and the error names what is missing."""
        await engine.open_index(config(), new=True)
        state = await engine.apply_copied(
            INDEX, 0, [operation(3, "1", 2), operation(7, "2")], up_to=9
        )
        assert (state.checkpoint, state.max_seq_no) == (9, 9)
        assert await engine.log_floor(INDEX, 0) == 10
        error = await error_of(engine.changes(INDEX, 0, 3, max_count=4, max_bytes=MANY))
        assert isinstance(error, OperationsMissing)
        assert error.metadata["es.requested_operations_missing"] == ["3", "9"]
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 10
        await engine.apply_replica(INDEX, 0, [operation(10, "3")])
        assert [op.seq_no for op in await history(engine, from_seq_no=10)] == [10]

    async def test_the_operation_at_the_end_of_a_copy_is_known_where_it_was_told(
        self, engine: Engine
    ) -> None:
        """R-100: nothing that was copied says which operation came last, deletions do not even come."""
        await engine.open_index(config(), new=True)
        end = HistoryMark(9, 3, 2, "deleted", 1_700_000_000_123)
        await engine.apply_copied(INDEX, 0, [operation(3, "1")], up_to=5)
        assert await engine.mark(INDEX, 0, 5) is None
        await engine.apply_copied(INDEX, 0, [operation(7, "2")], up_to=9, mark=end)
        await engine.refresh(INDEX)
        await engine.close_index(INDEX)
        await engine.open_index(config())
        assert await engine.mark(INDEX, 0, 9) == end
        await engine.changes(INDEX, 0, 10, max_count=1, max_bytes=MANY, previous=end)
        other = HistoryMark(9, 3, 2, "another", 1_700_000_000_123)
        parted = engine.changes(INDEX, 0, 10, max_count=1, max_bytes=MANY, previous=other)
        assert isinstance(await error_of(parted), HistoryDiverged)

    async def test_a_page_that_does_not_go_on_is_refused(self, engine: Engine) -> None:
        """R-52: it comes twice, or in no order, or above its own end; nothing is changed."""
        await engine.open_index(config(), new=True)
        page = [operation(3, "1", 2), operation(7, "2")]
        first = await engine.apply_copied(INDEX, 0, page, up_to=9)
        for wrong, up_to in (
            (page, 9),
            ([operation(10, "3"), operation(10, "4")], 12),
            ([operation(11, "3"), operation(10, "4")], 12),
            ([operation(10, "3"), operation(13, "4")], 12),
        ):
            error = await error_of(engine.apply_copied(INDEX, 0, wrong, up_to=up_to))
            assert isinstance(error, IllegalArgument)
            assert await engine.shard_state(INDEX, 0) == first
        assert await engine.apply_copied(INDEX, 0, [], up_to=5) == first
        assert [op.id for op in await live(engine)] == ["1", "2"]

    async def test_an_empty_page_moves_the_checkpoint(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        assert (await engine.apply_copied(INDEX, 0, [], up_to=5)).checkpoint == 5
        assert await live(engine) == []
        assert (await engine.apply_replica(INDEX, 0, [operation(6, "1")])).checkpoint == 6

    async def test_reads_are_held_until_they_are_let_go(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"))
        await engine.hold_reads(INDEX, IllegalState("half a copy"))
        for call in (visible(engine), engine.get(INDEX, "1"), engine.open_reader(INDEX, 0)):
            error = await error_of(call)
            assert isinstance(error, NoShardAvailable)
            assert "half a copy" in error.reason
        await write(engine, index_op("2"))
        assert len(await history(engine)) == 2
        assert len(await live(engine)) == 2
        await engine.hold_reads(INDEX, None)
        assert await engine.get(INDEX, "1") is not None
        await engine.hold_reads(INDEX, IllegalState("half a copy"))
        await engine.close_index(INDEX)
        await engine.open_index(config())
        assert await engine.get(INDEX, "1") is not None


class ReplicationContract(TakenOperations, ToldOperations, CopiedDocuments, Histories, Leases):
    """All of it."""
