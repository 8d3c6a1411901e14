"""What a remote cluster is asked about its indices: the messages, and remotes that cannot answer."""

import msgspec
import pytest

from sealane.errors import ActionNotFound, IllegalArgument, IndexNotFound
from sealane.model.about_indices import FieldCapsRequest, ResolveIndexRequest, TermsEnumRequest
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.remote.transport.indices_client import RemoteIndices
from sealane.remote.transport.messages_indices import (
    ABOUT_INDICES,
    decode_field_caps,
    decode_resolve_index,
    decode_terms_enum,
    encode_field_caps,
    encode_part,
    encode_resolve_index,
    encode_terms_enum,
)
from sealane.testing.simulation import in_virtual_time
from tests.unit.inbound.test_indices import (
    CAPS_PART,
    INDICES_PAYLOADS,
    NAMES,
    NAMES_FOUND,
    TERMS,
    TERMS_PART,
)
from tests.unit.remote.fakes import FakeDialer, FakeNode, context
from tests.unit.remote.registries import A, remotes, sniff

_OPTIONS = IndicesOptions(
    ignore_unavailable=True,
    allow_no_indices=False,
    expand_open=False,
    expand_closed=True,
    expand_hidden=True,
)
CAPS = FieldCapsRequest(
    indices=("logs-*",),
    fields=("a", "b*"),
    options=_OPTIONS,
    filters=("-metadata",),
    types=("long",),
    index_filter=b'{"match_all":{}}',
    include_empty=False,
)
ANSWERS = {
    "field_caps": encode_part(CAPS_PART),
    "resolve/index": encode_part(NAMES_FOUND),
    "termsenum/list": encode_part(TERMS_PART),
}


def answering(action: str, payload: bytes, ctx: Context) -> bytes:
    assert ctx.local_alias == "eu"
    assert ABOUT_INDICES[action](payload) == ("logs-*",)
    return next(answer for name, answer in ANSWERS.items() if action.endswith(name))


def test_requests_cross_unchanged() -> None:
    assert decode_field_caps(encode_field_caps(CAPS)) == CAPS
    names = ResolveIndexRequest(expressions=("a", "-b"), options=_OPTIONS)
    assert decode_resolve_index(encode_resolve_index(names)) == names
    terms = TermsEnumRequest(
        indices=("a",),
        field="f",
        options=_OPTIONS,
        prefix="p",
        after="q",
        size=3,
        case_insensitive=True,
        index_filter=b"{}",
        timeout_ms=5,
    )
    assert decode_terms_enum(encode_terms_enum(terms)) == terms


def test_fields_may_be_appended() -> None:
    """What a later version says beyond ours is passed over."""
    for action, payload in INDICES_PAYLOADS.items():
        later = msgspec.msgpack.encode([*msgspec.msgpack.decode(payload), "later"])
        assert ABOUT_INDICES[action](later) == ("logs-*",)


@in_virtual_time
async def test_a_connected_remote_answers_under_its_alias() -> None:
    async with remotes(FakeDialer(FakeNode(A, answer=answering)), sniff()) as made:
        client = RemoteIndices(made).client("eu")
        assert await client.field_caps(CAPS, context()) == CAPS_PART
        assert await client.resolve_index(NAMES, context()) == NAMES_FOUND
        assert await client.terms_enum(TERMS, context()) == TERMS_PART
        assert RemoteIndices(made).aliases() == ["eu"]


@in_virtual_time
async def test_the_remotes_error_arrives() -> None:
    def refusing(action: str, payload: bytes, ctx: Context) -> bytes:
        raise IndexNotFound("logs")

    async with remotes(FakeDialer(FakeNode(A, answer=refusing)), sniff()) as made:
        with pytest.raises(IndexNotFound):
            await RemoteIndices(made).client("eu").resolve_index(NAMES, context())


@in_virtual_time
async def test_a_remote_that_is_too_old_is_named_with_its_version() -> None:
    """S-130: 400 naming alias, version and feature."""

    def old(action: str, payload: bytes, ctx: Context) -> bytes:
        raise ActionNotFound(action)

    async with remotes(FakeDialer(FakeNode(A, answer=old)), sniff()) as made:
        with pytest.raises(IllegalArgument) as raised:
            await RemoteIndices(made).client("eu").field_caps(CAPS, context())
    assert raised.value.reason.startswith("remote cluster [eu] of version [")
    assert raised.value.reason.endswith("] does not support [indices:data/read/field_caps]")


@in_virtual_time
async def test_a_remote_of_another_product_is_named_with_it() -> None:
    """S-130."""
    async with remotes(FakeDialer(FakeNode(A, family="opensearch")), sniff()) as made:
        with pytest.raises(
            IllegalArgument, match=r"remote cluster \[eu\] of product \[OpenSearch\]"
        ):
            await RemoteIndices(made).client("eu").terms_enum(TERMS, context())
