"""What every engine must do with the names of histories, with roll-backs, and with retention leases.

Part of ReplicationContract, and under its rules.
"""

from sealane.engine.base import Engine, RollBack
from sealane.errors import (
    HistoryDiverged,
    IllegalState,
    LeaseAlreadyExists,
    LeaseInvalid,
    LeaseNotFound,
    OperationsMissing,
)
from sealane.model.document import Operation, OpKind
from sealane.model.replication import NO_OPERATIONS, Ancestor, Lease, mark_of
from sealane.testing.engine_contract import (
    INDEX,
    config,
    delete_op,
    index_op,
    operation,
    visible,
    write,
)
from sealane.testing.replication_helpers import (
    HOUR_MS,
    MANY,
    OTHER,
    SettableClock,
    add_some,
    error_of,
    history,
    kept,
    live,
    other,
)


class Histories:
    """Under which name a history goes on, and how a shard returns to what it was."""

    async def test_a_follower_adopts_its_leaders_history(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await engine.apply_replica(INDEX, 0, [operation(0, "1")])
        older = (Ancestor("oldest", 3), Ancestor("older", 1))
        await engine.adopt_history(INDEX, 0, "leaders", ancestors=older)
        state = await engine.shard_state(INDEX, 0)
        assert (state.history_uuid, state.ancestors, state.checkpoint) == ("leaders", older, 0)
        await engine.close_index(INDEX)
        await engine.open_index(config())
        assert await engine.shard_state(INDEX, 0) == state

    async def test_a_new_history_remembers_the_one_before(self, engine: Engine) -> None:
        """R-18, R-109: under a higher term, above every term it holds; numbers go on."""
        await engine.open_index(config(shards=2), new=True)
        await engine.apply_replica(
            INDEX, 0, [Operation(0, 9, 1, OpKind.INDEX, "1", None, b"{}", 5)]
        )
        before = [await engine.shard_state(INDEX, shard) for shard in (0, 1)]
        after = await engine.begin_history(INDEX)
        again = await engine.begin_history(INDEX)
        for was, first, second in zip(before, after, again, strict=True):
            assert first.ancestors == (Ancestor(was.history_uuid, was.checkpoint),)
            assert second.ancestors == (
                Ancestor(first.history_uuid, was.checkpoint),
                *first.ancestors,
            )
            assert len({was.history_uuid, first.history_uuid, second.history_uuid}) == 3
            assert was.primary_term < first.primary_term < second.primary_term
            assert (second.max_seq_no, second.checkpoint) == (was.max_seq_no, was.checkpoint)
        assert after[0].primary_term > 9
        await engine.close_index(INDEX)
        await engine.open_index(config(shards=2))
        assert await engine.shard_state(INDEX, 1) == again[1]

    async def test_a_shard_with_holes_begins_no_history(self, engine: Engine) -> None:
        """And none of the index's other shards does."""
        await engine.open_index(config(shards=2), new=True)
        await engine.apply_replica(INDEX, 1, [operation(1, "1")])
        before = [await engine.shard_state(INDEX, shard) for shard in (0, 1)]
        assert isinstance(await error_of(engine.begin_history(INDEX)), IllegalState)
        assert [await engine.shard_state(INDEX, shard) for shard in (0, 1)] == before

    async def test_a_roll_back_returns_to_what_was(self, engine: Engine) -> None:
        """R-110: what was changed, deleted or made since is as it was then, and operations go on from there."""
        await engine.open_index(config(), new=True)
        await write(engine, *(index_op(each, b'{"v":1}') for each in ("a", "b", "c", "gone")))
        await write(engine, delete_op("gone"))
        then = {op.id: op for op in await live(engine)}
        first = await history(engine)
        await write(engine, index_op("a", b'{"v":2}'), delete_op("b"), index_op("new"))
        await engine.refresh(INDEX)
        await write(engine, index_op("gone"), index_op("c", b'{"v":3}'), delete_op("c"))
        touched = await engine.touched_since(INDEX, 0, 4)
        assert sorted(touched) == ["a", "b", "c", "gone", "new"]
        back = RollBack(
            to_seq_no=4,
            history_uuid="theirs",
            ancestors=(Ancestor("mine", 4),),
            touched=touched,
            documents=[then["a"], then["b"], then["c"]],
        )
        state = await engine.roll_back(INDEX, 0, back)
        assert (state.checkpoint, state.max_seq_no) == (4, 4)
        assert (state.history_uuid, state.ancestors) == ("theirs", (Ancestor("mine", 4),))
        assert await history(engine) == first
        assert await live(engine) == list(then.values())
        for doc_id in ("new", "gone"):
            assert await engine.get(INDEX, doc_id) is None
        assert await visible(engine) == 3
        await engine.apply_replica(INDEX, 0, [operation(5, "gone", 3), operation(6, "a", 2, None)])
        await engine.refresh(INDEX)
        assert [op.id for op in await live(engine)] == ["b", "c", "gone"]
        await engine.close_index(INDEX)
        await engine.open_index(config())
        assert (await engine.shard_state(INDEX, 0)).checkpoint == 6
        assert [op.id for op in await live(engine)] == ["b", "c", "gone"]

    async def test_a_roll_back_that_cannot_be_whole_is_refused(self, engine: Engine) -> None:
        await engine.open_index(kept(0), new=True)
        await write(engine, index_op("1"), index_op("2"))
        await engine.refresh(INDEX)
        await write(engine, index_op("1"), index_op("3"))
        (document,) = [op for op in await live(engine) if op.id == "2"]
        before = await engine.shard_state(INDEX, 0)
        for to, touched, documents in (
            (4, [], []),  # above the checkpoint
            (0, ["1", "2", "3"], []),  # trimmed
            (2, ["1"], []),  # what became of 3?
            (1, ["1", "3"], [document]),  # not touched
            (1, ["1", "3"], [operation(2, "1")]),  # not of then
        ):
            back = RollBack(
                to_seq_no=to,
                history_uuid="theirs",
                ancestors=(),
                touched=touched,
                documents=documents,
            )
            assert isinstance(await error_of(engine.roll_back(INDEX, 0, back)), IllegalState), back
            assert await engine.shard_state(INDEX, 0) == before

    async def test_a_roll_back_to_where_it_stands_takes_the_name(self, engine: Engine) -> None:
        await engine.open_index(config(), new=True)
        await add_some(engine)
        documents = await live(engine)
        back = RollBack(to_seq_no=6, history_uuid="theirs", ancestors=(), touched=(), documents=())
        assert (await engine.roll_back(INDEX, 0, back)).history_uuid == "theirs"
        assert await live(engine) == documents

    async def test_a_follower_notices_what_was_rolled_back(self, engine: Engine) -> None:
        """R-100: the operation it has is not the leader's any more."""
        await engine.open_index(config(), new=True)
        await write(engine, index_op("1"), index_op("2"))
        last = mark_of((await history(engine))[-1])
        back = RollBack(
            to_seq_no=0, history_uuid="theirs", ancestors=(), touched=["2"], documents=()
        )
        await engine.roll_back(INDEX, 0, back)
        error = await error_of(
            engine.changes(INDEX, 0, 2, max_count=9, max_bytes=MANY, previous=last)
        )
        assert isinstance(error, HistoryDiverged)


class Leases:
    """What holds operations back, and for how long."""

    async def test_a_lease_is_added_renewed_listed_and_removed(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-66, R-67, R-68"""
        await engine.open_index(config(), new=True)
        assert await engine.leases(INDEX, 0) == ()
        begun = clock.ms
        added = await engine.add_lease(INDEX, 0, "b", NO_OPERATIONS, "ccr")
        assert added == Lease(id="b", retaining_seq_no=0, timestamp_ms=begun, source="ccr")
        await engine.add_lease(INDEX, 0, "a", 5, "ccr")
        clock.ms += 30_000
        renewed = await engine.renew_lease(INDEX, 0, "b", 3, "ccr")
        assert (renewed.retaining_seq_no, renewed.timestamp_ms) == (3, begun + 30_000)
        assert [lease.id for lease in await engine.leases(INDEX, 0)] == ["a", "b"]
        assert (await engine.leases(INDEX, 0))[1] == renewed
        await engine.remove_lease(INDEX, 0, "a")
        assert await engine.leases(INDEX, 0) == (renewed,)

    async def test_a_lease_is_refused_as_the_reference_refuses_it(self, engine: Engine) -> None:
        """R-73: with its texts; what is refused changes nothing."""
        await engine.open_index(config(), new=True)
        held = await engine.add_lease(INDEX, 0, "x", 7, "ccr")
        again = await error_of(engine.add_lease(INDEX, 0, "x", 9, "ccr"))
        assert isinstance(again, LeaseAlreadyExists)
        assert again.reason == "retention lease with ID [x] already exists"
        lower = await error_of(engine.renew_lease(INDEX, 0, "x", 6, "ccr"))
        assert isinstance(lower, LeaseInvalid)
        assert lower.reason == (
            "the current retention lease with [x] is retaining a higher sequence number [7] than the new "
            "retaining sequence number [6] from [ccr]"
        )
        for call in (
            engine.renew_lease(INDEX, 0, "y", 6, "ccr"),
            engine.remove_lease(INDEX, 0, "y"),
        ):
            missing = await error_of(call)
            assert isinstance(missing, LeaseNotFound)
            assert missing.reason == "retention lease with ID [y] not found"
        assert await engine.leases(INDEX, 0) == (held,)

    async def test_operations_go_when_nobody_retains_them(self, engine: Engine) -> None:
        """R-69, R-71: with nothing kept behind the commit they go with the refresh; those after it stay."""
        await engine.open_index(kept(0), new=True)
        await write(engine, *(index_op(str(n)) for n in range(5)))
        assert await engine.log_floor(INDEX, 0) == 0
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 5
        error = await error_of(engine.changes(INDEX, 0, 2, max_count=9, max_bytes=MANY))
        assert isinstance(error, OperationsMissing)
        assert error.metadata["es.requested_operations_missing"] == ["2", "4"]
        assert error.reason.startswith(
            "Operations are no longer available for replicating. Existing retention leases ["
        )
        await write(engine, index_op("5"))
        assert [op.id for op in await history(engine, from_seq_no=5)] == ["5"]
        await engine.close_index(INDEX)
        await engine.open_index(kept(0))
        assert await engine.log_floor(INDEX, 0) == 6

    async def test_so_many_operations_are_kept_behind_the_commit(self, engine: Engine) -> None:
        await engine.open_index(kept(3), new=True)
        await write(engine, *(index_op(str(n)) for n in range(10)))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 7
        await engine.update_config(kept(8))
        await write(engine, index_op("10"))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 7, "what is gone does not come back"

    async def test_the_lowest_lease_holds_operations_back(self, engine: Engine) -> None:
        """R-64, R-66, R-69, R-74: of several; each that is renewed or removed lets go of its own."""
        await engine.open_index(kept(0), new=True)
        await engine.add_lease(INDEX, 0, "slow", NO_OPERATIONS, "ccr")
        await engine.add_lease(INDEX, 0, "quick", NO_OPERATIONS, "ccr")
        await write(engine, *(index_op(str(n)) for n in range(10)))
        await engine.renew_lease(INDEX, 0, "quick", 8, "ccr")
        await engine.renew_lease(INDEX, 0, "slow", 2, "ccr")
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 2
        assert [op.seq_no for op in await history(engine, from_seq_no=2)] == list(range(2, 10))
        await engine.renew_lease(INDEX, 0, "slow", 6, "ccr")
        await write(engine, index_op("10"))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 6
        await engine.remove_lease(INDEX, 0, "slow")
        await write(engine, index_op("11"))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 8

    async def test_a_lease_expires_when_it_is_not_renewed(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-70: after the period; then it is as if it had never been, and may be added again."""
        await engine.open_index(kept(0), new=True)
        for lease_id in ("live", "left"):
            await engine.add_lease(INDEX, 0, lease_id, NO_OPERATIONS, "ccr")
        await write(engine, index_op("1"), index_op("2"))
        await engine.refresh(INDEX)
        clock.ms += 12 * HOUR_MS
        await engine.renew_lease(INDEX, 0, "live", 1, "ccr")
        assert len(await engine.leases(INDEX, 0)) == 2, "not older than the period"
        clock.ms += 1
        assert [lease.id for lease in await engine.leases(INDEX, 0)] == ["live"]
        late = await error_of(engine.renew_lease(INDEX, 0, "left", 1, "ccr"))
        assert isinstance(late, LeaseNotFound)
        await write(engine, index_op("3"))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 1
        added = await engine.add_lease(INDEX, 0, "left", NO_OPERATIONS, "ccr")
        assert added.retaining_seq_no == 1

    async def test_a_lease_is_renewed_while_nothing_is_written(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-72: with the number it has; it then lasts for another period."""
        await engine.open_index(kept(0), new=True)
        await engine.add_lease(INDEX, 0, "x", 0, "ccr")
        await write(engine, index_op("1"))
        for _ in range(4):
            clock.ms += 11 * HOUR_MS
            await engine.renew_lease(INDEX, 0, "x", 0, "ccr")
            await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == 0

    async def test_the_period_is_the_index_s(self, engine: Engine, clock: SettableClock) -> None:
        period = {"index.soft_deletes.retention_lease.period": "1m"}
        await engine.open_index(other(**period), new=True)
        await engine.add_lease(OTHER, 0, "x", 0, "ccr")
        clock.ms += 60_001
        assert await engine.leases(OTHER, 0) == ()
        await engine.add_lease(OTHER, 0, "x", 0, "ccr")
        await engine.update_config(other())
        clock.ms += 60_001
        assert len(await engine.leases(OTHER, 0)) == 1

    async def test_a_clock_that_is_put_back_keeps_leases(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-105: by 13 hours; one that is put forward expires them, and what is missing then is said."""
        await engine.open_index(kept(0), new=True)
        await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
        clock.ms -= 13 * HOUR_MS
        await write(engine, index_op("1"))
        await engine.refresh(INDEX)
        assert len(await engine.leases(INDEX, 0)) == 1
        assert len(await history(engine)) == 1
        await engine.renew_lease(INDEX, 0, "x", 0, "ccr")
        clock.ms += 13 * HOUR_MS
        await write(engine, index_op("2"))
        await engine.refresh(INDEX)
        assert await engine.leases(INDEX, 0) == ()
        error = await error_of(engine.changes(INDEX, 0, 0, max_count=9, max_bytes=MANY))
        assert isinstance(error, OperationsMissing)

    async def test_leases_are_there_after_a_restart(
        self, engine: Engine, clock: SettableClock
    ) -> None:
        """R-75: with their numbers and times; the time between counts."""
        await engine.open_index(kept(0), new=True)
        lease = await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
        await write(engine, index_op("1"))
        await engine.close_index(INDEX)
        clock.ms += 12 * HOUR_MS
        await engine.open_index(kept(0))
        assert await engine.leases(INDEX, 0) == (lease,)
        assert len(await history(engine)) == 1
        await engine.close_index(INDEX)
        clock.ms += 1
        await engine.open_index(kept(0))
        assert await engine.leases(INDEX, 0) == ()
