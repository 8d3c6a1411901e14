"""The security of the node that holds the data: opened with its state, and put where requests come in."""

import os
import ssl
from typing import Final

from sealane.inbound.gate import Refused
from sealane.model.security import Secret
from sealane.node.audited import AuditedSecurity
from sealane.node.base import Base
from sealane.node.config import config_folder
from sealane.node.remote_access import Judge, remote_security, secure_transport
from sealane.node.signing import Signing
from sealane.remote.protocols import SettingsSource
from sealane.security.stores.records import Store
from sealane.security.stores.security import Security
from sealane.settings.secure_settings import BOOTSTRAP_PASSWORD, RemoteCredentials
from sealane.settings.tls_settings import REMOTE_CLIENT_TLS
from sealane.transport import TaskScope

PASSWORD_VARIABLE: Final = "ELASTIC_PASSWORD"
"""The environment variable with the password of `elastic` at the first start, as the reference's images have it."""


async def open_security(base: Base, store: Store, settings: SettingsSource) -> Security:
    """`settings` are the cluster's, with what changes while the node runs. Raises IOFailure."""
    initial = os.environ.get(PASSWORD_VARIABLE)
    security = Security(
        base.settings,
        store=store,
        config=config_folder(base.settings),
        clock=base.clock,
        ids=base.ids,
        bootstrap_password=base.secure.get(BOOTSTRAP_PASSWORD.key),
        initial_password=Secret(initial) if initial else None,
    )
    base.stack.callback(security.close)
    base.made_password = await security.start()
    background = await base.stack.enter_async_context(TaskScope("security"))
    background.start(security.run(), name="security")
    audited = AuditedSecurity(security, base.audit)
    base.gate = audited
    base.authorize = audited.access
    signing = secure_node(base, security, settings, on_refused=audited.refused)
    background.start(signing.watch(), name="signing")
    return security


def secure_node(
    base: Base, judge: Judge, settings: SettingsSource, *, on_refused: Refused
) -> Signing:
    """The transport of a node with security: who is let in, and how this node shows others who it is. Whoever calls it
    runs `watch` of what comes back.
    """
    signing = Signing(settings, base.secure, config_folder(base.settings), base.clock)
    base.stack.callback(settings.subscribe(lambda old, new: signing.refresh()))
    base.secure.on_change(lambda names: signing.refresh())
    stop = secure_transport(
        base.transport,
        judge,
        settings,
        cluster_uuid=lambda: base.identity.uuid,
        on_refused=on_refused,
        signatures=signing,
    )
    base.stack.callback(stop)

    def client_tls() -> ssl.SSLContext:
        # Made when it is first needed: a node without such remotes need not have files for them.
        files = base.tls.remote_client
        assert files is not None, "TLS towards remotes with a key is off"
        return files.client()

    base.remote_security = remote_security(
        RemoteCredentials(base.secure),
        judge,
        client_tls=client_tls if REMOTE_CLIENT_TLS.enabled.get(base.settings) else None,
        signer=signing,
    )
    return signing
