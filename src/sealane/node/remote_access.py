"""Security of a node's transport: who is let in by its ports, and how it shows others who it is.

Whoever starts a node with security calls `secure_transport` before the node listens and before it has remotes.
"""

from collections.abc import Callable
from typing import Protocol

from sealane.inbound.cross_cluster import CrossClusterGate, Keys, Signatures
from sealane.inbound.gate import Refused, TransportGate
from sealane.inbound.members import MembersGate
from sealane.model.security import Subject
from sealane.remote.certificate_model import CertificateHeaders
from sealane.remote.credentials import (
    CredentialSource,
    KeyLinks,
    RemoteSecurity,
    Rights,
    Signer,
    SubjectInfo,
)
from sealane.remote.protocols import SettingsSource
from sealane.remote.server_settings import ALLOW_CERTIFICATE_MODEL, MAX_REQUEST_HEADER_SIZE
from sealane.security.rules.cross_cluster import SubjectHeaders, claimed_subject, is_allowed
from sealane.security.rules.permission import Permission
from sealane.security.rules.subject_codec import decode_subject, encode_subject
from sealane.settings import Settings
from sealane.settings.node_settings import REMOTE_CLUSTER_SERVER_ENABLED
from sealane.transport import TransportService
from sealane.transport.gate import LinkSecurity, Profile
from sealane.transport.tls_files import ContextSource
from sealane.wire.families import elasticsearch_security
from sealane.wire.families.sealane import SEALANE


class Judge(Keys, Rights, Protocol):
    """Whoever keeps keys and roles, or asks the node that does."""


def secure_transport(
    transport: TransportService,
    judge: Judge,
    settings: SettingsSource,
    *,
    cluster_uuid: Callable[[], str],
    on_refused: Refused,
    signatures: Signatures | None = None,
) -> Callable[[], None]:
    """Sets the gate of `transport` and the headers of the connections it opens. Returns how to stop following the
    settings.
    """
    members = MembersGate(
        cluster_uuid=cluster_uuid,
        decode=decode_subject,
        allowed=is_allowed,
        others_may_come=lambda: ALLOW_CERTIFICATE_MODEL.get(settings.current),
    )
    by_key = None
    if REMOTE_CLUSTER_SERVER_ENABLED.get(settings.current):
        by_key = CrossClusterGate(
            judge, claim=claimed_subject, allowed=is_allowed, signatures=signatures
        )
    transport.gate = TransportGate(members=members, by_key=by_key, on_refused=on_refused)
    outgoing = CertificateHeaders(cluster_uuid, _encode)
    transport.security = LinkSecurity(tls=transport.security.tls, outgoing=outgoing)

    def follow(old: Settings, new: Settings) -> None:
        transport.limit_headers(Profile.REMOTE_CLUSTER, MAX_REQUEST_HEADER_SIZE.get(new))

    follow(settings.current, settings.current)
    return settings.subscribe(follow)


def remote_security(
    keys: CredentialSource,
    rights: Rights,
    *,
    client_tls: ContextSource | None,
    signer: Signer | None = None,
) -> RemoteSecurity:
    """How the node's remotes are reached. `client_tls` is asked for the TLS context of each connection with a key."""
    links = KeyLinks(client_tls=client_tls, rights=rights, info=_info, signer=signer)
    return RemoteSecurity(keys, links)


def _encode(subject: Subject, family: str) -> str:
    if family == SEALANE.name:
        return encode_subject(subject)
    return elasticsearch_security.authentication(subject.name, node="")


class _ElasticsearchInfo:
    """A SubjectInfo: real servers are asked by the node itself alone."""

    def system(self) -> str:
        return elasticsearch_security.system_info(node="")

    def user(self, subject: Subject, permission: Permission, alias: str, action: str) -> str:
        return self.system()


_NATIVE: SubjectInfo = SubjectHeaders()
_FOREIGN: SubjectInfo = _ElasticsearchInfo()


def _info(family: str) -> SubjectInfo:
    return _NATIVE if family == SEALANE.name else _FOREIGN
