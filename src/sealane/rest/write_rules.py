"""Rules that a write must keep, whatever request it came in: the texts of `Validation Failed`."""

from sealane.errors import IllegalArgument
from sealane.model.document import OpType, VersionType, WriteOp

ID_MAX_BYTES = 512
INTERNAL_VERSION = (
    "internal versioning can not be used for optimistic concurrency control. "
    "Please use `if_seq_no` and `if_primary_term` instead"
)
_MATCH_ANY = -3
"""What the reference calls a version that was not given."""


def version_type_of(text: str) -> VersionType:
    """Raises IllegalArgument."""
    try:
        return VersionType.EXTERNAL if text == "external_gt" else VersionType(text)
    except ValueError as error:
        raise IllegalArgument(f"No version type match [{text}]") from error


def seq_no_problems(if_seq_no: int | None, if_primary_term: int | None) -> list[str]:
    """Raises IllegalArgument for a negative number, as the reference does before it validates."""
    if if_seq_no is not None and if_seq_no < 0:
        raise IllegalArgument(f"sequence numbers must be non negative. got [{if_seq_no}].")
    if if_primary_term is not None and if_primary_term < 0:
        raise IllegalArgument(f"primary term must be non negative. got [{if_primary_term}]")
    if if_seq_no is not None and not if_primary_term:
        return ["ifSeqNo is set, but primary term is [0]"]
    if if_seq_no is None and if_primary_term:
        return [f"ifSeqNo is unassigned, but primary term is [{if_primary_term}]"]
    return []


def id_problems(doc_id: str | None) -> list[str]:
    size = len(doc_id.encode()) if doc_id else 0
    if size <= ID_MAX_BYTES:
        return []
    return [
        f"id [{doc_id}] is too long, must be no longer than {ID_MAX_BYTES} bytes but was: {size}"
    ]


def item_problems(op: WriteOp) -> list[str]:
    """The rules that one index, create or delete breaks."""
    problems = []
    if op.op is OpType.CREATE and op.version_type is not VersionType.INTERNAL:
        problems.append("create operations only support internal versioning. use index instead")
        return problems
    if op.op is OpType.CREATE and op.if_seq_no is not None:
        problems.append("create operations do not support compare and set. use index instead")
        return problems
    if op.version_type is VersionType.INTERNAL:
        if op.version is not None:
            problems.append(INTERNAL_VERSION)
    elif op.version is None or op.version < 0:
        shown = _MATCH_ANY if op.version is None else op.version
        problems.append(
            f"illegal version value [{shown}] for version type [{op.version_type.name}]"
        )
    if op.version_type is not VersionType.INTERNAL and op.if_seq_no is not None:
        problems.append("compare and write operations can not use versioning")
    problems += seq_no_problems(op.if_seq_no, op.if_primary_term)
    problems += id_problems(op.id)
    return problems
