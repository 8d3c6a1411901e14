"""Subjects as headers: what goes through unchanged, and what is refused before anything is made of it."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import IllegalArgument
from sealane.model.security import AuthenticationType, Realm, Subject
from sealane.security.rules.subject_codec import (
    INFO_MAX_BYTES,
    decode_subject,
    decode_subject_info,
    encode_subject,
    encode_subject_info,
)
from tests.unit.security.rules.subjects import api_key, entry, role, user

ROLE = role(
    entry(
        "logs-*",
        "read",
        query='{"term":{"a":"\u00e9"}}',
        grant=["*"],
        excepted=["b"],
        restricted=True,
    ),
    cluster=["monitor_stats"],
)
RICH = role(
    *ROLE.indices,
    cluster=["all"],
    run_as=["x"],
    remote=[("kb", entry("a", "read"))],
    remote_cluster=[("kb", "monitor_stats")],
)


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def same(one: Subject, other: Subject) -> bool:
    names = [name for name in Subject.__dataclass_fields__ if name != "authenticated_by"]
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    if one.authenticated_by is None or other.authenticated_by is None:
        return one.authenticated_by is other.authenticated_by
    return same(one.authenticated_by, other.authenticated_by)


@pytest.mark.parametrize(
    "subject",
    [
        user("u\u00e9\n", ["b", "a"], full_name="F", email="e", metadata={"a": {"b": [1, None]}}),
        user(roles=[], enabled=False),
        api_key("u", sides=((RICH,), ())),
        user(authenticated_by=user("elastic", ["superuser"], metadata={"_reserved": True})),
        user(authenticated_by=api_key("other")),
    ],
)
def test_a_subject_between_nodes_that_trust_each_other_is_told_whole(subject: Subject) -> None:
    """X-79, X-80: role names, the roles of a key, and both subjects of run as."""
    text = encode_subject(subject)
    assert text.isascii()
    assert same(decode_subject(text), subject)
    assert encode_subject(decode_subject(text)) == text


def test_with_a_key_goes_no_more_than_is_needed() -> None:
    """1.8: nothing of who the user is beside name, realm and role names; of a key its id, name and creator."""
    subject = user(full_name="F", email="e@x", metadata={"secret": 1}, sides=((RICH,),))
    text = encode_subject_info(subject, ((ROLE,),))
    assert b"e@x" not in base64.b64decode(text)
    info = decode_subject_info(text)
    assert same(info.subject, replace(subject, full_name=None, email=None, metadata={}, sides=None))
    assert info.sides == ((ROLE,),)
    assert info.dropped == frozenset()
    keyed = decode_subject_info(encode_subject_info(api_key("u"), ((ROLE,), (ROLE,))))
    assert same(keyed.subject, api_key("u"))
    assert len(keyed.sides) == 2


def test_what_means_nothing_in_another_cluster_s_roles_is_dropped() -> None:
    """X-53."""
    told = json.loads(base64.b64decode(encode_subject_info(user(), ((ROLE,),))))
    told["sides"][0][0].update(
        run_as=["*"],
        applications=[{"application": "a", "privileges": ["b"], "resources": ["*"]}],
        remote_cluster=[{"clusters": ["*"], "privileges": ["monitor_stats"]}],
    )
    info = decode_subject_info(packed(told))
    assert info.sides == ((ROLE,),)
    assert info.dropped == {"run_as", "applications", "remote_cluster"}


def test_too_many_rights_are_not_sent() -> None:
    many = tuple(role(entry(f"{'x' * 60}{n}", "read")) for n in range(400))
    with pytest.raises(IllegalArgument, match="more than \\[32768\\]"):
        encode_subject_info(user(), (many,))


GOOD = {
    "v": 1,
    "subject": {"name": "u", "realm": ["a", "b"], "type": "realm", "roles": []},
    "sides": [],
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "\u00e9",
        "AAAA",
        packed(None),
        packed([]),
        packed({}),
        packed({**GOOD, "v": 2}),
        packed({**GOOD, "subject": 5}),
        packed({**GOOD, "sides": 5}),
        packed({**GOOD, "sides": [5]}),
        packed({**GOOD, "sides": [[5]]}),
        packed({**GOOD, "sides": [[{"name": 5}]]}),
        packed({**GOOD, "sides": [[{"name": "r", "indices": [{}]}]]}),
        packed({**GOOD, "sides": [[{"name": "r", "nope": 1}]]}),
        packed({**GOOD, "sides": [[]] * 100}),
        packed({**GOOD, "subject": {**GOOD["subject"], "type": "god"}}),  # type: ignore[dict-item]
        packed({**GOOD, "subject": {**GOOD["subject"], "type": "api_key"}}),  # type: ignore[dict-item]
        packed({**GOOD, "subject": {**GOOD["subject"], "realm": ["a"]}}),  # type: ignore[dict-item]
        packed({**GOOD, "subject": {**GOOD["subject"], "roles": [5]}}),  # type: ignore[dict-item]
        packed({**GOOD, "subject": {**GOOD["subject"], "by": 5}}),  # type: ignore[dict-item]
        base64.b64encode(b'{"v":1,"v":1}').decode(),
        base64.b64encode(b'{"v":NaN}').decode(),
        base64.b64encode(b'{"v":1,"a":"\xff"}').decode(),
        base64.b64encode(b"[" * 10_000).decode(),
        base64.b64encode(b'{"v":1,"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}").decode(),
        base64.b64encode(json.dumps(GOOD).encode("utf-16")).decode(),
        base64.b64encode(json.dumps(GOOD).encode("utf-16-le")).decode(),
        packed({**GOOD, "subject": {**GOOD["subject"], "name": "\ud800"}}),  # type: ignore[dict-item]
        packed({**GOOD, "sides": [[{"name": "\udfff"}]]}),
        "A" * (INFO_MAX_BYTES * 2),
        "A" * (10 * 1024 * 1024),
    ],
    ids=lambda text: text[:20],
)
def test_anything_else_is_refused(text: str) -> None:
    """X-108, T-30: too deep, too large, twice the same member, of the wrong shape: nothing else than a typed error."""
    with pytest.raises(IllegalArgument):
        decode_subject_info(text)
    with suppress(IllegalArgument):  # which has no sides of this kind
        decode_subject(text)


@pytest.mark.parametrize("name", ["\U0001f512", "\\ud800", "\ud7ff\ue000"])
def test_whole_characters_are_text_however_they_are_written(name: str) -> None:
    told = packed({**GOOD, "subject": {**GOOD["subject"], "name": name}})  # type: ignore[dict-item]
    assert decode_subject_info(told).subject.name == name


def test_roles_of_another_cluster_are_compared_with_one_effort_together() -> None:
    """T-30: fields whose exceptions are hard to tell apart are given up, not looked at one role after the other."""
    hard = {"grant": ["/(a|b)*c/"], "except": ["/(a|b)*a(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)c/"]}
    each = {
        "name": "r",
        "indices": [{"names": ["a"], "privileges": ["read"], "field_security": hard}],
    }
    assert len(decode_subject_info(packed({**GOOD, "sides": [[each]]})).sides[0]) == 1
    with pytest.raises(IllegalArgument, match="must be a subset of the granted fields"):
        decode_subject_info(packed({**GOOD, "sides": [[each] * 60]}))


def test_who_asked_to_run_as_another_did_not_run_as_another() -> None:
    inner = {**GOOD["subject"], "by": GOOD["subject"]}  # type: ignore[dict-item]
    with pytest.raises(IllegalArgument, match=r"\[by\]"):
        decode_subject(packed({"v": 1, "subject": {**GOOD["subject"], "by": inner}}))  # type: ignore[dict-item]


@given(st.binary(max_size=400))
def test_any_bytes_are_a_subject_or_a_typed_error(raw: bytes) -> None:
    for text in (raw.decode("latin-1"), base64.b64encode(raw).decode()):
        for read in (decode_subject, decode_subject_info):
            with pytest.raises(IllegalArgument):
                read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["v", "subject", "sides", "name", "realm", "roles", "indices", "names", "by"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_json_is_a_subject_or_a_typed_error(subject: Any, sides: Any) -> None:
    text = packed({"v": 1, "subject": subject, "sides": sides})
    for read in (decode_subject, decode_subject_info):
        with suppress(IllegalArgument):
            read(text)


def test_the_subject_of_the_node_itself() -> None:
    system = Subject(
        name="_system",
        realm=Realm(name="__attach", type="__attach"),
        type=AuthenticationType.INTERNAL,
    )
    assert same(decode_subject(encode_subject(system)), system)
