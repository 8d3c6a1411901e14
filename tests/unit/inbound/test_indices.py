"""What other clusters are told of this one's indices, and on whose authority."""

from collections.abc import Sequence

import pytest

from sealane.errors import IllegalArgument, SecurityError
from sealane.inbound.indices import register_indices_handlers
from sealane.model.about_indices import (
    FieldCap,
    FieldCapsGroup,
    FieldCapsPart,
    FieldCapsRequest,
    NamedAlias,
    NamedIndex,
    ResolvedNames,
    ResolveIndexRequest,
    TermsEnumPart,
    TermsEnumRequest,
)
from sealane.model.access import Access
from sealane.model.security import Subject
from sealane.model.task import Context
from sealane.remote.transport.messages_indices import (
    FIELD_CAPS,
    RESOLVE_INDEX,
    TERMS_ENUM,
    decode_field_caps_part,
    decode_names,
    decode_terms_part,
    encode_field_caps,
    encode_resolve_index,
    encode_terms_enum,
)
from sealane.security.rules import allow_all
from tests.unit.inbound.test_handlers import Handlers, context

CAPS = FieldCapsRequest(indices=("logs-*",), fields=("*",))
NAMES = ResolveIndexRequest(expressions=("logs-*",))
TERMS = TermsEnumRequest(indices=("logs-*",), field="tag")
INDICES_PAYLOADS = {
    FIELD_CAPS: encode_field_caps(CAPS),
    RESOLVE_INDEX: encode_resolve_index(NAMES),
    TERMS_ENUM: encode_terms_enum(TERMS),
}
CAPS_PART = FieldCapsPart(
    (FieldCapsGroup(("a",), (FieldCap("f", "long", True, True, meta=(("unit", "m"),)),)),)
)
NAMES_FOUND = ResolvedNames((NamedIndex("a", ("al",), ("open",)),), (NamedAlias("al", ("a",)),))
TERMS_PART = TermsEnumPart(("x",), True, 1, 1, 0)


class Indices:
    def __init__(self) -> None:
        self.asked: list[object] = []

    async def field_caps(self, request: FieldCapsRequest, ctx: Context) -> FieldCapsPart:
        self.asked.append(request)
        return CAPS_PART

    async def resolve_index(self, request: ResolveIndexRequest, ctx: Context) -> ResolvedNames:
        self.asked.append(request)
        return NAMES_FOUND

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumPart:
        self.asked.append(request)
        return TERMS_PART


def handlers(indices: Indices, decide=allow_all) -> Handlers:  # type: ignore[no-untyped-def]
    made = Handlers()
    register_indices_handlers(made, local=indices, authorize=decide)
    return made


async def test_each_question_is_answered_by_this_cluster() -> None:
    indices = Indices()
    made = handlers(indices)
    assert made.keys() == INDICES_PAYLOADS.keys()
    answers = {name: await made[name](INDICES_PAYLOADS[name], context()) for name in made}
    assert decode_field_caps_part(answers[FIELD_CAPS]) == CAPS_PART
    assert decode_names(answers[RESOLVE_INDEX]) == NAMES_FOUND
    assert decode_terms_part(answers[TERMS_ENUM]) == TERMS_PART
    assert indices.asked == [CAPS, NAMES, TERMS]


async def test_who_may_is_asked_with_the_indices_that_are_named() -> None:
    def deny(subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
        assert tuple(indices) == ("logs-*",)
        raise SecurityError("no")

    indices = Indices()
    for action, handler in handlers(indices, deny).items():
        with pytest.raises(SecurityError):
            await handler(INDICES_PAYLOADS[action], context())
    assert indices.asked == []


async def test_what_is_no_request_is_refused() -> None:
    for handler in handlers(Indices()).values():
        with pytest.raises(IllegalArgument, match="malformed message for action"):
            await handler(b"\xc1", context())
