"""Versions and conditions of one write: what it becomes, or the reference's conflict."""

from sealane.errors import VersionConflict
from sealane.model.document import OpType, VersionType, WriteOp

Current = tuple[int, int, int, bool]
"""(seq_no, term, version, deleted) of the newest operation known on an id."""


_VERSION_MAX = 2**63 - 1


def next_version(op: WriteOp, doc_id: str, current: Current | None) -> int:
    """The version that `op` gives the document.

    `current` is None where no operation is known. Raises VersionConflict where the op's conditions do not hold.
    """
    is_live = current is not None and not current[3]
    if op.if_seq_no is not None:
        _check_condition(op, doc_id, current if is_live else None)
    if op.op is OpType.CREATE and is_live:
        assert current is not None
        raise VersionConflict(
            f"[{doc_id}]: version conflict, document already exists (current version [{current[2]}])"
        )
    if op.version_type is VersionType.INTERNAL or op.version is None:
        return 1 if current is None else _after(current[2])
    if current is not None:
        _check_external(op.version, op.version_type, doc_id, current[2])
    return op.version


def _after(version: int) -> int:
    """The next version. Behind the highest of 64 bits comes the lowest, as in the reference."""
    return version + 1 if version < _VERSION_MAX else -_VERSION_MAX - 1


def _check_condition(op: WriteOp, doc_id: str, current: Current | None) -> None:
    required = f"required seqNo [{op.if_seq_no}], primary term [{op.if_primary_term}]."
    if current is None:
        raise VersionConflict(f"[{doc_id}]: version conflict, {required} but no document was found")
    if (op.if_seq_no, op.if_primary_term) != current[:2]:
        raise VersionConflict(
            f"[{doc_id}]: version conflict, {required} current document has seqNo [{current[0]}] "
            f"and primary term [{current[1]}]"
        )


def _check_external(version: int, kind: VersionType, doc_id: str, current: int) -> None:
    if kind is VersionType.EXTERNAL and current >= version:
        raise VersionConflict(
            f"[{doc_id}]: version conflict, current version [{current}] is higher or equal to "
            f"the one provided [{version}]"
        )
    if current > version:
        raise VersionConflict(
            f"[{doc_id}]: version conflict, current version [{current}] is higher than "
            f"the one provided [{version}]"
        )
