"""TLS as the settings of one group and the files they name have it, also after the files change.

Made when a node starts, which it does not where something is missing or does not fit. Later changes
of the files are taken up by `refresh`; a broken file leaves what was there in force. What the
settings are is `settings.tls_settings`', how contexts are made of files `tls_contexts`', and when
the files are looked at `certificate_watch`'s.
"""

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from sealane.clock import Clock
from sealane.errors import SettingsError
from sealane.model.certificates import FileCertificate
from sealane.settings.tls_settings import TlsValues, VerificationMode
from sealane.transport.certificates import own_certificate, time_text
from sealane.transport.tls_contexts import ContextMaker
from sealane.transport.tls_inventory import inventory

_log = logging.getLogger(__name__)

ContextSource = Callable[[], ssl.SSLContext]
"""Gives the context for the next connection."""


class TlsFiles:
    """The contexts of one group. `server` and `client` give those for the next connection."""

    def __init__(
        self, values: TlsValues, folder: Path, clock: Clock, *, diagnoses: bool = True
    ) -> None:
        """Relative paths are read from `folder`; `diagnoses` as GroupContext has it. Raises
        SettingsError with a sentence that names the setting and the file.
        """
        self.values = values
        self._maker = ContextMaker(values, folder, diagnoses=diagnoses)
        self._clock = clock
        self._signature = self._sign()
        self._contexts = self._maker.make()
        self._certificates: tuple[FileCertificate, ...] | None = None
        self.reloads = 0
        self.last_error: str | None = None
        if values.verification_mode is VerificationMode.NONE:
            _log.warning(
                "[%s.verification_mode] is [none]: no certificate is checked, so whoever can redirect "
                "a connection can read it and answer in it; use [certificate] or [full]",
                values.prefix,
            )
        self._judge_dates()

    def server(self) -> ssl.SSLContext:
        """For connections that are accepted. Raises SettingsError for a group without a certificate."""
        context = self._contexts.server
        if context is None:
            prefix = self.values.prefix
            raise SettingsError(f"set [{prefix}.certificate] and [{prefix}.key] to listen with TLS")
        return context

    def client(self) -> ssl.SSLContext:
        """For connections that are opened."""
        return self._contexts.client

    def certificates(self) -> tuple[FileCertificate, ...]:
        """What is in the files, as they were last read. For a thread: it may read them now. Raises SettingsError."""
        if self._certificates is None:
            self._certificates = inventory(self._maker)
        return self._certificates

    # -- changes -----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Reads the files again if one has changed since the last time: new connections see that, open
        ones live on. For a thread.
        """
        signature = self._sign()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._contexts = self._maker.make()
        except SettingsError as error:
            self.last_error = error.reason
            _log.error("%s; what was read before stays in force", error.reason)
            return
        self._certificates = None
        self.last_error = None
        self.reloads += 1
        _log.info("reloaded the files of [%s]", self.values.prefix)
        self._judge_dates()

    def _sign(self) -> tuple[tuple[int, ...] | None, ...]:
        """Differs when a file was changed, replaced, made or removed."""
        return tuple(_stat(each) for each in self._maker.paths)

    def _judge_dates(self) -> None:
        """A node starts with a certificate that its peers will refuse: some may not check."""
        own = own_certificate(self._contexts.server) if self._contexts.server else None
        if own is None:
            return
        now_ms = self._clock.now_ms()
        if own.not_after_ms < now_ms:
            word = "has expired"
        elif own.not_before_ms > now_ms:
            word = "is not yet valid"
        else:
            return
        member = "certificate" if self.values.keystore is None else "keystore.path"
        _log.warning(
            "the certificate [%s] of [%s.%s] in [%s] %s: it is valid from [%s] to [%s], "
            "the clock here says [%s]; peers that check it will refuse this node",
            own.subject,
            self.values.prefix,
            member,
            self._maker.own_path,
            word,
            time_text(own.not_before_ms),
            time_text(own.not_after_ms),
            time_text(now_ms),
        )


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)
