"""What clusters ask each other about their indices: fields, names, terms. One msgpack array a message.

As in `messages`, a field may only be appended, with a default. The answers are the structs of `model.about_indices`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from sealane.model.about_indices import (
    FieldCapsPart,
    FieldCapsRequest,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.search import IndicesOptions
from sealane.remote.transport.messages import decode

FIELD_CAPS: Final = "indices:data/read/field_caps"
RESOLVE_INDEX: Final = "indices:admin/resolve/index"
TERMS_ENUM: Final = "indices:data/read/xpack/termsenum/list"

_Options = tuple[bool, bool, bool, bool, bool]


class FieldCapsMessage(msgspec.Struct, frozen=True, array_like=True):
    """A FieldCapsRequest on the wire. `options` are the fields of IndicesOptions in their order, here and below."""

    indices: tuple[str, ...]
    fields: tuple[str, ...]
    options: _Options
    filters: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    index_filter: bytes | None = None
    include_empty: bool = True


class ResolveIndexMessage(msgspec.Struct, frozen=True, array_like=True):
    expressions: tuple[str, ...]
    options: _Options


class TermsEnumMessage(msgspec.Struct, frozen=True, array_like=True):
    indices: tuple[str, ...]
    field: str
    options: _Options
    prefix: str
    after: str | None
    size: int
    case_insensitive: bool
    index_filter: bytes | None
    timeout_ms: int


_encoder = msgspec.msgpack.Encoder()
_field_caps_decoder = msgspec.msgpack.Decoder(FieldCapsMessage)
_field_caps_part_decoder = msgspec.msgpack.Decoder(FieldCapsPart)
_resolve_decoder = msgspec.msgpack.Decoder(ResolveIndexMessage)
_names_decoder = msgspec.msgpack.Decoder(ResolvedNames)
_terms_decoder = msgspec.msgpack.Decoder(TermsEnumMessage)
_terms_part_decoder = msgspec.msgpack.Decoder(TermsEnumPart)

A = TypeVar("A", FieldCapsPart, ResolvedNames, TermsEnumPart)


def encode_part(answer: A) -> bytes:
    """Any of the three answers."""
    return _encoder.encode(answer)


def encode_field_caps(request: FieldCapsRequest) -> bytes:
    return _encoder.encode(
        FieldCapsMessage(
            indices=request.indices,
            fields=request.fields,
            options=_flags(request.options),
            filters=request.filters,
            types=request.types,
            index_filter=request.index_filter,
            include_empty=request.include_empty,
        )
    )


def decode_field_caps(payload: bytes) -> FieldCapsRequest:
    """Raises IllegalArgument for bytes that are no such request, as all that decode here."""
    message = decode(_field_caps_decoder, payload, FIELD_CAPS)
    return FieldCapsRequest(
        indices=message.indices,
        fields=message.fields,
        options=IndicesOptions(*message.options),
        filters=message.filters,
        types=message.types,
        index_filter=message.index_filter,
        include_empty=message.include_empty,
    )


def decode_field_caps_part(payload: bytes) -> FieldCapsPart:
    return decode(_field_caps_part_decoder, payload, FIELD_CAPS)


def encode_resolve_index(request: ResolveIndexRequest) -> bytes:
    return _encoder.encode(ResolveIndexMessage(request.expressions, _flags(request.options)))


def decode_resolve_index(payload: bytes) -> ResolveIndexRequest:
    message = decode(_resolve_decoder, payload, RESOLVE_INDEX)
    return ResolveIndexRequest(
        expressions=message.expressions, options=IndicesOptions(*message.options)
    )


def decode_names(payload: bytes) -> ResolvedNames:
    return decode(_names_decoder, payload, RESOLVE_INDEX)


def encode_terms_enum(request: TermsEnumRequest) -> bytes:
    return _encoder.encode(
        TermsEnumMessage(
            indices=request.indices,
            field=request.field,
            options=_flags(request.options),
            prefix=request.prefix,
            after=request.after,
            size=request.size,
            case_insensitive=request.case_insensitive,
            index_filter=request.index_filter,
            timeout_ms=request.timeout_ms,
        )
    )


def decode_terms_enum(payload: bytes) -> TermsEnumRequest:
    message = decode(_terms_decoder, payload, TERMS_ENUM)
    return TermsEnumRequest(
        indices=message.indices,
        field=message.field,
        options=IndicesOptions(*message.options),
        prefix=message.prefix,
        after=message.after,
        size=message.size,
        case_insensitive=message.case_insensitive,
        index_filter=message.index_filter,
        timeout_ms=message.timeout_ms,
    )


def decode_terms_part(payload: bytes) -> TermsEnumPart:
    return decode(_terms_part_decoder, payload, TERMS_ENUM)


ABOUT_INDICES: Final[Mapping[str, Callable[[bytes], Sequence[str]]]] = {
    FIELD_CAPS: lambda payload: decode_field_caps(payload).indices,
    RESOLVE_INDEX: lambda payload: decode_resolve_index(payload).expressions,
    TERMS_ENUM: lambda payload: decode_terms_enum(payload).indices,
}
"""The actions here, each with how the expressions of an encoded request are found."""


def _flags(options: IndicesOptions) -> _Options:
    return (
        options.ignore_unavailable,
        options.allow_no_indices,
        options.expand_open,
        options.expand_closed,
        options.expand_hidden,
    )
