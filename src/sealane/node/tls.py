"""The TLS of a node: one group of settings and files for each of its four uses.

Those that are on are made when the node starts, so that what does not fit stops it; a caller's group
that nobody has configured is made when it is first needed, for then it trusts whom the system does.
"""

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from sealane.clock import Clock
from sealane.model.certificates import FileCertificate
from sealane.model.metrics import Family, Sample
from sealane.settings import Settings
from sealane.settings.node_settings import REMOTE_CLUSTER_SERVER_ENABLED
from sealane.settings.tls_settings import (
    DIAGNOSE_TRUST,
    HTTP_TLS,
    REMOTE_CLIENT_TLS,
    REMOTE_SERVER_TLS,
    TRANSPORT_TLS,
    ClientAuthentication,
    TlsGroup,
    TlsValues,
)
from sealane.transport.certificate_watch import CertificateWatch
from sealane.transport.https import HttpsListener
from sealane.transport.tls_files import TlsFiles

_log = logging.getLogger("sealane.security")


class NodeTls:
    """None stands for a use without TLS."""

    def __init__(self, settings: Settings, folder: Path, clock: Clock) -> None:
        """Relative paths are read from `folder`. Raises SettingsError, IllegalArgument."""
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self.watch: Final = CertificateWatch(clock)
        self.transport: Final = self._if_enabled(TRANSPORT_TLS)
        self.http: Final = self._if_enabled(HTTP_TLS)
        serves_remotes = REMOTE_CLUSTER_SERVER_ENABLED.get(settings)
        self.remote_server: Final = self._if_enabled(REMOTE_SERVER_TLS) if serves_remotes else None
        if self.http is not None:
            _warn_of_strangers(self.http.values)
        if REMOTE_CLIENT_TLS.is_configured(settings) or any(map(_is_credential, settings.secrets)):
            _ = self.remote_client

    @cached_property
    def remote_client(self) -> TlsFiles | None:
        """Towards remotes that have an API key of ours. Raises SettingsError."""
        return self._if_enabled(REMOTE_CLIENT_TLS)

    def _if_enabled(self, group: TlsGroup) -> TlsFiles | None:
        values = group.read(self._settings)
        if not values.enabled:
            return None
        diagnoses = DIAGNOSE_TRUST.get(self._settings)
        made = TlsFiles(values, self._folder, self._clock, diagnoses=diagnoses)
        self.watch.groups.append(made)
        return made

    def https(self) -> HttpsListener | None:
        """What HTTP is served through; None where it is plain."""
        return None if self.http is None else HttpsListener(self.http.server)

    async def listed(self) -> list[FileCertificate]:
        """What `_ssl/certificates` shows."""
        return await self.watch.listed()

    def families(self) -> Iterator[Family]:
        """Figures for monitoring, of what was read last."""
        known = self.watch.known()
        if not known:
            return
        yield Family(
            "sealane_certificate_expiry_timestamp_seconds",
            "gauge",
            "When a certificate that this node uses or trusts ends.",
            [
                Sample(
                    each.not_after_ms / 1000,
                    {
                        "context": prefix,
                        "path": each.path,
                        "subject": each.subject,
                        "serial": each.serial_number,
                    },
                )
                for prefix, each in known
            ],
        )
        yield Family(
            "sealane_certificate_reloads_total",
            "counter",
            "Times that changed files were taken up.",
            [Sample(each.reloads, {"context": each.values.prefix}) for each in self.watch.groups],
        )


def _warn_of_strangers(values: TlsValues) -> None:
    """Clients that are known by their certificates, of any authority in the world."""
    asks = values.client_authentication is not ClientAuthentication.NONE
    if asks and values.certificate_authorities is None and values.truststore is None:
        _log.warning(
            "[%s.client_authentication] is [%s], and [%s.certificate_authorities] is not set: "
            "certificates of every authority that this system trusts are accepted",
            values.prefix,
            values.client_authentication,
            values.prefix,
        )


def _is_credential(key: str) -> bool:
    """Of a remote that is reached with an API key."""
    return key.startswith("cluster.remote.") and key.endswith(".credentials")
