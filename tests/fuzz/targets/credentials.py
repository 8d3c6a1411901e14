"""What says who somebody is and what he may do: descriptions of roles and keys, subjects of other clusters, keystores,
headers, certificates."""

import base64
import datetime
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import orjson

from sealane.errors import ApiError, KeystoreError
from sealane.model.security import (
    FieldGrant,
    IndexPrivileges,
    Realm,
    RoleDescriptor,
    Secret,
    Subject,
)
from sealane.query.any_json import loads
from sealane.query.role_query import check_role_query
from sealane.security.rules import cross_cluster, descriptors, key_access, names, subject_codec
from sealane.security.stores import authorization_header, keystore, role_rules
from sealane.security.stores.certificate_names import read_subject
from tests.fuzz.target import Target

_ROLE: Final = {
    "cluster": ["monitor", "manage_own_api_key"],
    "indices": [
        {
            "names": ["logs-*", "/a.*b/"],
            "privileges": ["read", "view_index_metadata"],
            "field_security": {"grant": ["a.*"], "except": ["a.b"]},
            "query": '{"term":{"level":"public"}}',
            "allow_restricted_indices": False,
        }
    ],
    "remote_indices": [{"clusters": ["eu*"], "names": ["x"], "privileges": ["read"]}],
    "remote_cluster": [{"clusters": ["eu"], "privileges": ["monitor_enrich"]}],
    "run_as": ["other"],
    "applications": [{"application": "kibana", "privileges": ["all"], "resources": ["*"]}],
    "metadata": {"version": 1},
    "description": "what it is for",
    "global": {"application": {"manage": {"applications": ["a*"]}}},
}
_ACCESS: Final = {
    "search": [
        {"names": ["logs-*"], "query": {"term": {"a": 1}}, "field_security": {"grant": ["*"]}}
    ],
}
_KEY_ROLES: Final = {"a": {"cluster": ["all"], "indices": _ROLE["indices"]}, "b": {}}


def _read_role(data: bytes) -> None:
    """A role that is right is shown in a form that is read as the same role."""
    role = descriptors.parse_role("role", loads(data))
    if not descriptors.check_role(role):
        again = descriptors.parse_role("role", descriptors.role_json(role))
        assert descriptors.role_json(again) == descriptors.role_json(role)


def _read_access(data: bytes) -> None:
    access = key_access.parse_access(loads(data))
    described = key_access.access_descriptor(access)
    assert key_access.access_of_descriptor(described) is not None
    key_access.access_json(access)


_BODIES: Final[tuple[tuple[Callable[[bytes], Any], Any], ...]] = (
    (_read_role, _ROLE),
    (lambda data: descriptors.parse_role_descriptors(loads(data)), _KEY_ROLES),
    (_read_access, _ACCESS),
    (lambda data: check_role_query(data.decode("utf-8", "replace")), {"term": {"a": 1}}),
    (
        lambda data: role_rules.check(loads(data), "rules"),
        {"all": [{"field": {"dn": "*,O=x"}}, {"except": {"field": {"username": ["a", "/b.*/"]}}}]},
    ),
)
"""The first byte of an input says which of them reads the rest."""


def _body_seeds() -> Iterator[bytes]:
    for number, (_, value) in enumerate(_BODIES):
        yield bytes((number,)) + orjson.dumps(value)
    yield b'\2{"search":[{"names":["a"]}],"replication":[{"names":["b"]}]}'


def _run_body(data: bytes) -> None:
    try:
        _BODIES[data[0] % len(_BODIES) if data else 0][0](data[1:])
    except (ValueError, RecursionError) as error:
        # No JSON: of that the bodies' own target takes care.
        if not _is_of_json(error, data[1:]):
            raise


def _is_of_json(error: BaseException, data: bytes) -> bool:
    try:
        loads(data)
    except (ValueError, RecursionError):
        return True
    return False


# -- subjects ------------------------------------------------------------------------------------------------------

_SUBJECT: Final = Subject(name="alice", realm=Realm(name="native1", type="native"), roles=("a",))
_SIDES: Final = (
    (
        RoleDescriptor(
            name="a",
            indices=(
                IndexPrivileges(
                    names=("logs-*",),
                    privileges=("read",),
                    fields=FieldGrant(grant=("a.*",), excepted=("a.b",)),
                    query='{"match_all":{}}',
                ),
            ),
        ),
    ),
)


def _subject_seeds() -> Iterator[bytes]:
    """JSON as it stands inside the header: in base64 nothing that was changed would come through."""
    yield b"\0" + base64.b64decode(subject_codec.encode_subject(_SUBJECT))
    yield b"\1" + base64.b64decode(subject_codec.encode_subject_info(_SUBJECT, _SIDES))
    yield b"\2" + subject_codec.encode_subject_info(_SUBJECT, _SIDES).encode()


def _run_subject(data: bytes) -> None:
    kind, rest = data[:1], data[1:]
    if kind == b"\0":
        subject_codec.decode_subject(base64.b64encode(rest).decode())
    elif kind == b"\2":
        subject_codec.decode_subject_info(rest.decode("latin-1"))
    else:
        claimed = cross_cluster.claimed_subject(base64.b64encode(rest).decode())
        assert claimed.sides


# -- the rest ------------------------------------------------------------------------------------------------------


def _keystore_seeds() -> Iterator[bytes]:
    kept = keystore.Keystore().with_text("cluster.remote.eu.credentials", "aWQ6c2VjcmV0")
    kept = kept.with_file("some.file", bytes(range(40)))
    for password in ("", "secret"):
        data = keystore.encode(kept, Secret(password), salt=bytes(16), nonce=bytes(12), rounds=1)
        yield b"\0" + data
    yield b"\1" + b"\0\0\0\1\0\0\1a\0\0\0\1b"
    yield b"\1" + b"\0\0\0\2\0\0\1a\0\0\0\1b\1\0\3c.d\0\0\0\2\xff\xfe"


def _run_keystore(data: bytes) -> None:
    """A file as it is, or, where its checksum would stop every change, the entries in it."""
    kind, rest = data[:1], data[1:]
    if kind == b"\1":
        read = keystore.read_entries(rest)
        assert sum(len(read.bytes_of(name)) for name in read.names()) <= len(rest)
        return
    head = keystore.read_head(rest)
    if head.rounds <= 10:
        keystore.decode(rest, Secret("secret" if head.has_password else ""))


def _header_seeds() -> Iterator[bytes]:
    pair = base64.b64encode(b"user:pass word")
    return iter((b"Basic " + pair, b"ApiKey " + pair, b"Bearer abc", b"basic dXNlcg", b"Digest x"))


def _run_header(data: bytes) -> None:
    authorization_header.read(Secret(data.decode("latin-1")))


def _run_names(data: bytes) -> None:
    patterns, _, name = data.decode("utf-8", "replace").partition("\n")
    listed = tuple(patterns.split("\t"))
    names.matcher(listed)(name)
    if len(listed) > 1:
        names.within(names.union(listed[:1]), names.union(listed[1:]))


@lru_cache(maxsize=1)
def _certificate() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509.oid import NameOID

    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sealane"),
            x509.NameAttribute(NameOID.COMMON_NAME, "node, 1"),
        ]
    )
    day = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(day)
        .not_valid_after(day + datetime.timedelta(days=1))
        .sign(key, None)
    )
    return made.public_bytes(serialization.Encoding.DER)


def _run_certificate(data: bytes) -> None:
    for part in ("CN", "O", "DC"):
        found = read_subject(data, part)
        assert found is None or found.user


_WORDS: Final = (
    b'"names":',
    b'"privileges":',
    b'"field_security":',
    b'"query":',
    b'"except":',
    b'"clusters":',
    b'"access":',
    b"[]",
    b"{}",
    b"null",
    b'"_system"',
    b'"all"',
    b'".security*"',
)

TARGETS = (
    Target(
        name="role_bodies",
        run=_run_body,
        seeds=_body_seeds,
        refusals=(ApiError,),
        words=_WORDS,
        max_len=2048,
        share=5,
    ),
    Target(
        name="subjects",
        run=_run_subject,
        seeds=_subject_seeds,
        refusals=(ApiError,),
        words=_WORDS,
        max_len=4096,
        share=5,
    ),
    Target(
        name="keystores",
        run=_run_keystore,
        seeds=_keystore_seeds,
        refusals=(KeystoreError,),
        share=5,
    ),
    Target(
        name="authorization",
        run=_run_header,
        seeds=_header_seeds,
        refusals=(ApiError,),
        words=(b"Basic ", b"ApiKey ", b"=="),
        max_len=512,
        share=3,
    ),
    Target(
        name="name_patterns",
        run=_run_names,
        seeds=lambda: (b"logs-*\t/a.*b|c/\nlogs-1", b"a?b\\*\t*\na", b"/(a|b)+~(c)&.*/\t/x/\nab"),
        refusals=(ApiError,),
        words=(b"/", b"*", b"?", b"{1,99}", b"(.*)*", b"\t", b"\n", b"~", b"&"),
        max_len=256,
        share=1,
    ),
    Target(
        name="certificate_names",
        run=_run_certificate,
        seeds=lambda: (_certificate(),),
        refusals=(),
        max_len=2048,
        share=2,
    ),
)
