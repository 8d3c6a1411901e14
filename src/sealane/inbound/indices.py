"""What this node answers other clusters about its indices beside searches: fields, names, terms."""

from typing import Any, Protocol

from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.about_indices import (
    FieldCapsPart,
    FieldCapsRequest,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.task import Context
from sealane.remote.transport.messages_indices import (
    FIELD_CAPS,
    RESOLVE_INDEX,
    TERMS_ENUM,
    decode_field_caps,
    decode_resolve_index,
    decode_terms_enum,
    encode_part,
)
from sealane.security.rules import Authorize


class LocalIndices(Protocol):
    """This cluster's indices as others ask about them. Names in answers carry no alias."""

    async def field_caps(self, request: FieldCapsRequest, ctx: Context) -> FieldCapsPart: ...

    async def resolve_index(self, request: ResolveIndexRequest, ctx: Context) -> ResolvedNames: ...

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumPart: ...


def register_indices_handlers(
    registrar: Registrar, *, local: LocalIndices, authorize: Authorize
) -> None:
    """Registers the actions by which clusters learn of each other's indices."""

    async def field_caps(request: FieldCapsRequest, ctx: Context) -> bytes:
        return encode_part(await local.field_caps(request, ctx))

    async def resolve_index(request: ResolveIndexRequest, ctx: Context) -> bytes:
        return encode_part(await local.resolve_index(request, ctx))

    async def terms_enum(request: TermsEnumRequest, ctx: Context) -> bytes:
        return encode_part(await local.terms_enum(request, ctx))

    actions: list[Action[Any]] = [
        Action(
            name=FIELD_CAPS,
            read=decode_field_caps,
            indices=lambda request: request.indices,
            answer=field_caps,
        ),
        Action(
            name=RESOLVE_INDEX,
            read=decode_resolve_index,
            indices=lambda request: request.expressions,
            answer=resolve_index,
        ),
        Action(
            name=TERMS_ENUM,
            read=decode_terms_enum,
            indices=lambda request: request.indices,
            answer=terms_enum,
        ),
    ]
    register_actions(registrar, actions, authorize)
