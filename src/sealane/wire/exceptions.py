"""The body of an error response, as Elasticsearch and OpenSearch write exceptions, to and from
ApiError.

    boolean present, vint kind, then by kind 0      product exception: vint id, message, cause,
    stack, suppressed, headers, metadata, fields of its class 4-18   plain Java exception: message,
    (cause,) stack, suppressed

Every class that a handshake or a search meets is here. Any other error of ours travels as the
wrapper that carries a type name and a status; any other id of theirs is reported by its number,
since what follows it cannot be read.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import ApiError
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import family_of

_DEPTH_MAX = 32
_BODY_MAX = 8 * 1024 * 1024
"""In bytes: a thousand shard failures with their stacks. Reading takes time by the item."""
_PRODUCT, _REJECTED = 0, 18
_WRAPPER = 62
_NO_MESSAGE = "null"

_Members = dict[str, Any]
_ReadFields = Callable[[StreamInput, int, _Members], None]
_WriteFields = Callable[[StreamOutput, int, ApiError], object]

_JAVA: Mapping[int, tuple[str, int, bool]] = {
    4: ("null_pointer_exception", 500, False),
    5: ("number_format_exception", 400, False),
    6: ("illegal_argument_exception", 400, True),
    7: ("already_closed_exception", 500, True),
    8: ("e_o_f_exception", 500, False),
    9: ("security_exception", 500, True),
    10: ("string_index_out_of_bounds_exception", 500, False),
    11: ("array_index_out_of_bounds_exception", 500, False),
    12: ("file_not_found_exception", 500, False),
    14: ("illegal_state_exception", 500, True),
    15: ("lock_obtain_failed_exception", 500, True),
    16: ("interrupted_exception", 500, False),
    17: ("i_o_exception", 500, True),
    18: ("rejected_execution_exception", 429, False),
}
"""Kind: type, status, and whether a cause is written."""

_STATUS_NAMES: Mapping[str, int] = {
    "OK": 200,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "REQUEST_TIMEOUT": 408,
    "CONFLICT": 409,
    "GONE": 410,
    "REQUEST_ENTITY_TOO_LARGE": 413,
    "UNPROCESSABLE_ENTITY": 422,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL_SERVER_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "BAD_GATEWAY": 502,
    "SERVICE_UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
    "INSUFFICIENT_STORAGE": 507,
}
_NAME_OF_STATUS = {status: name for name, status in _STATUS_NAMES.items()}


# -- fields of single classes ----------------------------------------------------------------------


def _has_transport_fields(version: int) -> bool:
    """Transport exceptions carry an address and an action in OpenSearch, nothing in Elasticsearch
    since 8.1."""
    return family_of(version) == "opensearch"


def _read_transport(source: StreamInput, version: int, members: _Members) -> None:
    if not _has_transport_fields(version):
        return
    if source.boolean():
        source.raw(source.byte())
        source.string()
        source.int32()
    source.optional(source.string)


def _write_transport(out: StreamOutput, version: int, error: ApiError) -> None:
    if _has_transport_fields(version):
        out.boolean(False).boolean(False)


def _read_connect(source: StreamInput, version: int, members: _Members) -> None:
    _read_transport(source, version, members)
    if _has_transport_fields(version) and source.boolean():
        raise RemoteProtocolError("a node inside a connect exception is not read here", source.pos)


def _write_connect(out: StreamOutput, version: int, error: ApiError) -> None:
    if _has_transport_fields(version):
        out.boolean(False).boolean(False).boolean(False)


def _read_action(source: StreamInput, version: int, members: _Members) -> None:
    source.optional(source.string)


def _write_action(out: StreamOutput, version: int, error: ApiError) -> None:
    start, end = error.reason.find("["), error.reason.rfind("]")
    out.optional(error.reason[start + 1 : end] if 0 <= start < end else None, out.string)


def _read_status(source: StreamInput, version: int, members: _Members) -> None:
    members["$status"] = _STATUS_NAMES.get(source.string(), 500)


def _write_status(out: StreamOutput, version: int, error: ApiError) -> None:
    out.string(_NAME_OF_STATUS.get(error.status, "INTERNAL_SERVER_ERROR"))


def _read_position(source: StreamInput, version: int, members: _Members) -> None:
    members["line"], members["col"] = source.int32(), source.int32()


def _write_position(out: StreamOutput, version: int, error: ApiError) -> None:
    out.int32(int(error.metadata.get("line", -1))).int32(int(error.metadata.get("col", -1)))


_DURABILITY = ("TRANSIENT", "PERMANENT")


def _read_breaker(source: StreamInput, version: int, members: _Members) -> None:
    members["bytes_limit"], members["bytes_wanted"] = source.int64(), source.int64()
    members["durability"] = _DURABILITY[source.vint() & 1]


def _write_breaker(out: StreamOutput, version: int, error: ApiError) -> None:
    out.int64(int(error.metadata.get("bytes_limit", 0)))
    out.int64(int(error.metadata.get("bytes_wanted", 0)))
    out.vint(_DURABILITY.index(error.metadata.get("durability", "TRANSIENT")))


def _read_buckets(source: StreamInput, version: int, members: _Members) -> None:
    members["max_buckets"] = source.int32()


def _write_buckets(out: StreamOutput, version: int, error: ApiError) -> None:
    out.int32(int(error.metadata.get("max_buckets", 0)))


def _read_search_phase(source: StreamInput, version: int, members: _Members) -> None:
    members["phase"] = source.optional(source.string)
    members["grouped"] = True
    members["failed_shards"] = source.array(lambda: _read_shard_failure(source, version))


def _read_shard_failure(source: StreamInput, version: int) -> _Members:
    failure: _Members = {"shard": -1, "index": None}
    if source.boolean():
        failure["node"] = source.optional(source.text)
        failure["index"] = source.string()
        source.string()
        failure["shard"] = source.vint()
        alias = source.optional(source.string)
        if alias:
            failure["index"] = f"{alias}:{failure['index']}"
    source.string()
    source.string()
    cause = read_exception(source, version, 1)
    failure["reason"] = cause.to_cause() if cause else None
    return failure


def _write_search_phase(out: StreamOutput, version: int, error: ApiError) -> None:
    # What failed is in the cause; a shard target would name nodes that the asker does not know.
    out.optional(error.metadata.get("phase"), out.string).vint(0)


def _read_wrapper(source: StreamInput, version: int, members: _Members) -> None:
    members["$type"] = source.string()
    _read_status(source, version, members)


def _write_wrapper(out: StreamOutput, version: int, error: ApiError) -> None:
    out.string(error.es_type)
    _write_status(out, version, error)


def _read_nothing(source: StreamInput, version: int, members: _Members) -> None:
    """The class adds no fields."""


def _write_nothing(out: StreamOutput, version: int, error: ApiError) -> None:
    """The class adds no fields."""


def _read_node_id(source: StreamInput, version: int, members: _Members) -> None:
    node_id = source.optional(source.string)
    if node_id is not None:
        members["node_id"] = node_id


def _write_node_id(out: StreamOutput, version: int, error: ApiError) -> None:
    node_id = error.metadata.get("node_id")
    out.optional(node_id if isinstance(node_id, str) else None, out.string)


_CLASSES: Mapping[int, tuple[str, int, _ReadFields, _WriteFields]] = {
    3: ("master_not_discovered_exception", 503, _read_nothing, _write_nothing),
    4: ("security_exception", 500, _read_status, _write_status),
    9: ("node_closed_exception", 500, _read_nothing, _write_nothing),
    12: ("connect_transport_exception", 502, _read_connect, _write_connect),
    13: ("not_serializable_transport_exception", 500, _read_nothing, _write_nothing),
    14: ("response_handler_failure_transport_exception", 500, _read_nothing, _write_nothing),
    16: ("index_not_found_exception", 404, _read_nothing, _write_nothing),
    19: ("resource_not_found_exception", 404, _read_nothing, _write_nothing),
    20: ("action_transport_exception", 500, _read_transport, _write_transport),
    34: ("transport_exception", 500, _read_nothing, _write_nothing),
    35: ("parse_exception", 400, _read_nothing, _write_nothing),
    40: ("parsing_exception", 400, _read_position, _write_position),
    56: ("settings_exception", 400, _read_nothing, _write_nothing),
    58: ("send_request_transport_exception", 500, _read_transport, _write_transport),
    _WRAPPER: ("", 500, _read_wrapper, _write_wrapper),
    68: ("exception", 500, _read_nothing, _write_nothing),
    71: ("failed_node_exception", 500, _read_node_id, _write_node_id),
    83: ("receive_timeout_transport_exception", 500, _read_transport, _write_transport),
    84: ("node_disconnected_exception", 502, _read_connect, _write_connect),
    100: ("search_phase_execution_exception", 503, _read_search_phase, _write_search_phase),
    101: ("action_not_found_transport_exception", 500, _read_action, _write_action),
    102: ("transport_serialization_exception", 500, _read_nothing, _write_nothing),
    103: ("remote_transport_exception", 500, _read_transport, _write_transport),
    113: ("aliases_not_found_exception", 404, _read_nothing, _write_nothing),
    116: ("process_cluster_event_timeout_exception", 503, _read_nothing, _write_nothing),
    118: ("timeout_exception", 500, _read_nothing, _write_nothing),
    123: ("resource_already_exists_exception", 400, _read_nothing, _write_nothing),
    126: ("mapper_parsing_exception", 400, _read_nothing, _write_nothing),
    131: ("no_shard_available_action_exception", 503, _read_nothing, _write_nothing),
    132: ("unavailable_shards_exception", 503, _read_nothing, _write_nothing),
    133: ("circuit_breaking_exception", 429, _read_breaker, _write_breaker),
    134: ("node_not_connected_exception", 502, _read_connect, _write_connect),
    141: ("query_shard_exception", 400, _read_nothing, _write_nothing),
    144: ("not_master_exception", 500, _read_nothing, _write_nothing),
    145: ("status_exception", 500, _read_status, _write_status),
    146: ("task_cancelled_exception", 400, _read_nothing, _write_nothing),
    149: ("too_many_buckets_exception", 400, _read_buckets, _write_buckets),
    152: ("no_such_remote_cluster_exception", 404, _read_nothing, _write_nothing),
    160: ("no_seed_node_left_exception", 500, _read_nothing, _write_nothing),
}
_CLASS_OF = {kind[0]: number for number, kind in _CLASSES.items() if kind[0]}
_JAVA_OF = {
    kind[0]: number
    for number, kind in _JAVA.items()
    if kind[0] in ("illegal_argument_exception", "illegal_state_exception", "i_o_exception")
}
"""The others are written by the wrapper, which keeps their status and their cause."""


# -- reading ---------------------------------------------------------------------------------------


def read_exception(source: StreamInput, version: int, depth: int = 0) -> ApiError | None:
    """One exception with its causes; None where none is present. Raises RemoteProtocolError."""
    if depth > _DEPTH_MAX:
        raise RemoteProtocolError(f"exceptions nested deeper than [{_DEPTH_MAX}]", source.pos)
    if not source.boolean():
        return None
    kind = source.vint()
    if kind == _PRODUCT:
        return _read_product_exception(source, version, depth)
    known = _JAVA.get(kind)
    if known is None:
        raise RemoteProtocolError(f"unknown kind of exception [{kind}]", source.pos)
    es_type, status, has_cause = known
    if kind == _REJECTED:
        source.boolean()
    reason = source.optional(source.string)
    cause = read_exception(source, version, depth + 1) if has_cause else None
    suppressed = _read_stack(source, version, depth)
    return _error(es_type, status, reason, {}, cause, suppressed)


def _read_product_exception(source: StreamInput, version: int, depth: int) -> ApiError:
    number = source.vint()
    reason = source.optional(source.string)
    cause = read_exception(source, version, depth + 1)
    suppressed = _read_stack(source, version, depth)
    source.mapping(source.string, source.strings)
    members: _Members = {}
    for key, values in source.mapping(source.string, source.strings).items():
        # `es.index` and `opensearch.index` are printed as `index`.
        name = key.removeprefix("es.").removeprefix("opensearch.")
        if not name.startswith("$"):  # those are ours, see below
            members[name] = values[0] if len(values) == 1 else values
    known = _CLASSES.get(number)
    if known is None:
        raise RemoteProtocolError(
            f"unknown exception id [{number}]: {reason or _NO_MESSAGE}", source.pos
        )
    es_type, status, read_fields, _ = known
    read_fields(source, version, members)
    es_type = members.pop("$type", es_type)
    status = members.pop("$status", status)
    return _error(es_type, status, reason, members, cause, suppressed)


def _read_stack(source: StreamInput, version: int, depth: int) -> list[ApiError]:
    for _ in range(source.count()):
        source.string()
        source.optional(source.string)
        source.string()
        source.vint()
    found = [read_exception(source, version, depth + 1) for _ in range(source.count())]
    return [error for error in found if error is not None]


def _error(
    es_type: str,
    status: int,
    reason: str | None,
    members: _Members,
    cause: ApiError | None,
    suppressed: list[ApiError],
) -> ApiError:
    return ApiError.from_wire(
        {
            "type": es_type,
            "status": status,
            "reason": _NO_MESSAGE if reason is None else reason,
            "metadata": members,
            "caused_by": cause.to_wire() if cause else None,
            "root_causes": None,
            "suppressed": [each.to_wire() for each in suppressed],
        }
    )


# -- writing ---------------------------------------------------------------------------------------


def write_exception(out: StreamOutput, error: ApiError | None, version: int) -> None:
    """One exception with its causes, without a stack."""
    if error is None:
        out.boolean(False)
        return
    out.boolean(True)
    java = _JAVA_OF.get(error.es_type)
    if java is not None:
        out.vint(java).optional(error.reason, out.string)
        write_exception(out, error.caused_by, version)
        out.vint(0)
        _write_suppressed(out, error, version)
        return
    number = _CLASS_OF.get(error.es_type, _WRAPPER)
    out.vint(_PRODUCT).vint(number).optional(error.reason, out.string)
    write_exception(out, error.caused_by, version)
    out.vint(0)
    _write_suppressed(out, error, version)
    out.vint(0)
    out.mapping(_metadata(error, version), out.string, out.strings)
    _CLASSES[number][3](out, version, error)


def _write_suppressed(out: StreamOutput, error: ApiError, version: int) -> None:
    out.array(error.suppressed, lambda each: write_exception(out, each, version))


def _metadata(error: ApiError, version: int) -> dict[str, list[str]]:
    prefix = "opensearch." if family_of(version) == "opensearch" else "es."
    return {
        prefix + name: [value] if isinstance(value, str) else list(value)
        for name, value in error.metadata.items()
        if isinstance(value, str) or _is_strings(value)
    }


def _is_strings(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def read_error_body(body: bytes | memoryview, version: int) -> ApiError:
    """The error that an error response carries; it must fill the body exactly."""
    if len(body) > _BODY_MAX:
        raise RemoteProtocolError(f"error response of [{len(body)}] bytes exceeds [{_BODY_MAX}]")
    source = StreamInput(body)
    try:
        error = read_exception(source, version)
    except RecursionError:
        # Shard failures count their depth anew.
        raise RemoteProtocolError("exceptions nested too deeply", source.pos) from None
    source.finish("error response")
    if error is None:
        raise RemoteProtocolError("error response without an exception")
    return error


def error_body(error: ApiError, version: int) -> bytes:
    out = StreamOutput()
    write_exception(out, error, version)
    return out.getvalue()
