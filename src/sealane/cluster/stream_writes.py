"""What may be written to a data stream, and to its backing indices beside it. Pure.

A stream only takes new documents, and is where they go; a backing index takes changes of documents that it has.
"""

from typing import Final

from sealane.cluster.catalog import DataStream
from sealane.cluster.partial_updates import Update
from sealane.cluster.stream_names import no_data_streams
from sealane.errors import ApiError, IllegalArgument
from sealane.model.document import OpType, WriteOp

_ONLY_CREATE: Final = "only write ops with an op_type of create are allowed in data streams"


class OnlyCreates(IllegalArgument):
    """A write that a data stream does not take, because it is no creation."""


def refusal(
    stream: DataStream, asked: str, op: WriteOp | Update, *, is_first: bool
) -> ApiError | None:
    """Why an item may not be written to the name that it asked for: that of the stream, or one of a backing index.

    `is_first` is whether no creation for the name comes before it in its bulk: only then the reference tells how the
    name was resolved.
    """
    if asked != stream.name:
        return _of_backing(stream, op)
    if is_creation(op):
        return _custom_routing(stream, op)
    return OnlyCreates(_ONLY_CREATE, caused_by=no_data_streams(asked) if is_first else None)


def is_creation(op: WriteOp | Update) -> bool:
    return not isinstance(op, Update) and op.op is OpType.CREATE


def alone(error: ApiError, op: WriteOp | Update) -> ApiError:
    """The error of a request that is no part of a bulk: that of an update does not tell how the name was resolved."""
    if isinstance(error, OnlyCreates) and isinstance(op, Update):
        error.caused_by = None
    return error


def _custom_routing(stream: DataStream, op: WriteOp | Update) -> ApiError | None:
    if op.routing is None or stream.allow_custom_routing:
        return None
    return IllegalArgument(
        f"index request targeting data stream [{stream.name}] specifies a custom routing but the "
        "[allow_custom_routing] setting was not enabled in the data stream's template."
    )


def _of_backing(stream: DataStream, op: WriteOp | Update) -> ApiError | None:
    if isinstance(op, Update) or op.op is OpType.DELETE:
        return None
    if op.op is OpType.CREATE:
        what = "op_type=create"
    elif op.if_seq_no is None:
        what = "op_type=index and no if_primary_term and if_seq_no set"
    else:
        return None
    return IllegalArgument(
        f"index request with {what} targeting backing indices is disallowed, target corresponding data stream "
        f"[{stream.name}] instead"
    )
