"""What a roll-back needs, and what it leaves to be done: decided here, carried out by the shard.

The log's transaction drops the operations above the point, names the history, and keeps the rows that the index is to
have for each id touched since. They stay until a commit of the index has them, so every start knows what to put back.
"""

from collections.abc import Callable, Sequence

from sealane.engine.base import RollBack, ShardState
from sealane.engine.embedded.lineage import lineage_facts
from sealane.engine.embedded.oplog import Row
from sealane.errors import IllegalState
from sealane.model.document import OpKind


def check_roll_back(
    back: RollBack, state: ShardState, floor: int, ids_above: Callable[[int], Sequence[str]]
) -> None:
    """Raises IllegalState where the shard cannot return to what it was, or would not be that afterwards."""
    to = back.to_seq_no
    if to > state.checkpoint:
        raise IllegalState(
            f"cannot roll back to [{to}]: all is there only up to [{state.checkpoint}]"
        )
    if floor > to + 1:
        raise IllegalState(
            f"cannot roll back to [{to}]: the operations from [{to + 1}] to [{floor - 1}] are no longer retained"
        )
    touched = frozenset(back.touched)
    for document in back.documents:
        if document.seq_no > to or document.kind is not OpKind.INDEX or document.id not in touched:
            raise IllegalState(
                f"cannot roll back to [{to}]: document [{document.id}] of operation [{document.seq_no}] is not of then"
            )
    left_out = [doc_id for doc_id in ids_above(to) if doc_id not in touched]
    if left_out:
        raise IllegalState(
            f"cannot roll back to [{to}]: it is not known what document [{left_out[0]}] was then"
        )


def restored_rows(back: RollBack) -> list[Row]:
    """One for each id that was touched: its document of then, or a deletion."""
    rows: dict[str, Row] = {
        doc_id: (back.to_seq_no, 0, 0, int(OpKind.DELETE), doc_id, None, None, 0)
        for doc_id in back.touched
    }
    for op in back.documents:
        rows[op.id] = (
            op.seq_no,
            op.term,
            op.version,
            int(op.kind),
            op.id,
            op.routing,
            op.source,
            op.wall_ms,
        )
    return list(rows.values())


def rolled_back_facts(back: RollBack) -> dict[str, str | int]:
    return {"committed": back.to_seq_no, **lineage_facts(back.history_uuid, back.ancestors)}
