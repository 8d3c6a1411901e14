"""The first start of a node with security: certificates of its own, and the settings that name them.

Design rule: off the loopback addresses nothing is spoken in clear, and nobody has to make certificates
before a first look. What exists is never replaced: whoever sets anything of TLS has all of it to do.
"""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sealane.errors import SettingsError
from sealane.node.config import CERTIFICATES as FOLDER
from sealane.node.hosts import given_hosts, own_addresses
from sealane.node.secured import has_security
from sealane.node.start_error import StartError
from sealane.remote.server_settings import BIND_HOST as REMOTE_BIND_HOST
from sealane.settings import Setting, Settings, Value
from sealane.settings import node_settings as keys
from sealane.settings.file import parse_file
from sealane.settings.tls_settings import (
    HTTP_TLS,
    REMOTE_SERVER_TLS,
    TRANSPORT_TLS,
    TlsGroup,
)

if TYPE_CHECKING:
    from sealane.security.stores.certificates import Signed

_AUTHORITY_DAYS: Final = 1095
_NODE_DAYS: Final = 730
_NAME_MAX: Final = 64
"""Of a common name."""
_HEAD: Final = """
# Written by the node at its first start with security. What is here may be changed as any other setting.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoConfigured:
    """What was made. `settings` are those that were added to `file`, to be merged into the node's."""

    settings: Settings
    file: Path
    certificates: Path
    """The folder that they are in."""
    ca_fingerprint: str
    """SHA-256 of the authority that HTTP clients are to trust, hexadecimal."""
    ca_file: Path
    """That authority, for clients: PEM."""
    remote_ca_file: Path | None
    """The authority of the port for API keys, for the clusters that come there; None without that port."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of TLS that gets an authority and a certificate of its own: a mistaken port fails fast."""

    group: TlsGroup
    name: str
    authority: str


_USES: Final = (
    _Use(HTTP_TLS, "http", "http_ca"),
    _Use(TRANSPORT_TLS, "transport", "transport_ca"),
    _Use(REMOTE_SERVER_TLS, "remote_cluster_server", "remote_cluster_ca"),
)


def is_wanted(settings: Settings) -> bool:
    """Whether the node is to be given certificates: it has security, and nobody has set anything of
    TLS. Raises StartError for a host that does not resolve.
    """
    if any(each.group.is_configured(settings) for each in _USES):
        return False
    return has_security(settings)


def _listening(settings: Settings) -> list[Setting[tuple[str, ...]]]:
    found = [keys.HTTP_HOST, keys.TRANSPORT_HOST]
    if keys.REMOTE_CLUSTER_SERVER_ENABLED.get(settings):
        found.append(REMOTE_BIND_HOST)
    return found


def auto_configure(
    settings: Settings,
    *,
    folder: Path,
    file: Path,
    joins: bool,
    now_ms: int,
) -> AutoConfigured | None:
    """Makes certificates in `folder` (that of the configuration) and adds their settings to `file`.

    `joins` says whether the node joins a cluster, which has an authority already. None where nothing
    is wanted. Raises StartError; IllegalArgument for a value that is none.
    """
    if not is_wanted(settings):
        return None
    if joins:
        raise StartError(
            "a node that joins another one needs a certificate from the authority that its nodes "
            f"trust: make one with [sealane certutil cert --pem --ca-cert {FOLDER}/transport_ca.crt "
            f"--ca-key {FOLDER}/transport_ca.key] where that one's configuration is, and set "
            f"[{TRANSPORT_TLS.enabled.key}], [{TRANSPORT_TLS.key.key}], "
            f"[{TRANSPORT_TLS.certificate.key}] and [{TRANSPORT_TLS.certificate_authorities.key}]"
        )
    uses = _USES if keys.REMOTE_CLUSTER_SERVER_ENABLED.get(settings) else _USES[:2]
    added = _settings_for(uses, settings)
    text = _extended(file, added)
    hosts = [host for setting in _listening(settings) for host in given_hosts(settings, setting)]
    made = _make(uses, hosts, now_ms)
    target = folder / FOLDER
    with _told(folder), _written(target, made):
        _replace(file, text)
    from sealane.security.stores.certificates import sha256_of

    return AutoConfigured(
        settings=Settings(added),
        file=file,
        certificates=target,
        ca_fingerprint=sha256_of(made["http_ca.crt"]),
        ca_file=target / "http_ca.crt",
        remote_ca_file=target / "remote_cluster_ca.crt" if len(uses) == len(_USES) else None,
    )


def _settings_for(uses: Sequence[_Use], settings: Settings) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if not keys.SECURITY_ENABLED.is_set(settings):
        found[keys.SECURITY_ENABLED.key] = "true"
    for use in uses:
        group = use.group
        found[group.enabled.key] = "true"
        found[group.key.key] = f"{FOLDER}/{use.name}.key"
        found[group.certificate.key] = f"{FOLDER}/{use.name}.crt"
        if group is TRANSPORT_TLS:
            found[group.certificate_authorities.key] = (f"{FOLDER}/{use.authority}.crt",)
            # Nodes are dialled by addresses that nobody knows yet.
            found[group.verification_mode.key] = "certificate"
    return found


def _extended(file: Path, added: Mapping[str, Value]) -> str:
    """The text of `file` with the settings behind it. Raises StartError where that is no file any more."""
    try:
        before = file.read_text("utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"cannot read [{file}] to add the settings of TLS: {error}") from error
    lines = [
        f"{key}: {value if isinstance(value, str) else '[' + ', '.join(value) + ']'}\n"
        for key, value in added.items()
    ]
    if before and not before.endswith("\n"):
        before += "\n"
    text = before + _HEAD + "".join(lines)
    try:
        parse_file(text, str(file))
    except SettingsError as error:
        raise StartError(
            f"cannot add the settings of TLS to [{file}]: {error.reason}; write one key a line there"
        ) from error
    return text


def _make(uses: Sequence[_Use], hosts: Sequence[str], now_ms: int) -> dict[str, bytes]:
    """Files by name. An authority's key is kept: it makes the certificates of further nodes."""
    from sealane.security.stores.certificates import Subject, common_name, issue, make_authority

    dns, ips = _names(hosts)
    files: dict[str, bytes] = {}
    for use in uses:
        shown = use.authority.removesuffix("_ca").replace("_", " ")
        authority = make_authority(
            common_name(f"Sealane {shown} authority"), now_ms=now_ms, days=_AUTHORITY_DAYS
        )
        subject = Subject(name=common_name(dns[0][:_NAME_MAX]), dns=dns, ips=ips)
        node = issue(authority, subject, now_ms=now_ms, days=_NODE_DAYS)
        files |= _pair(use.authority, authority) | _pair(use.name, node)
    return files


def _pair(name: str, made: "Signed") -> dict[str, bytes]:
    return {f"{name}.crt": made.chain_pem(), f"{name}.key": made.key_pem()}


def _names(hosts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Host names and addresses by which this machine may be dialled, the machine's own name first."""
    own = socket.gethostname()
    dns, ips = [own, "localhost"], ["127.0.0.1", "::1"]
    for each in hosts:
        try:
            address = ip_address(each)
        except ValueError:
            if not each.startswith("_"):
                dns.append(each)
            continue
        if address.is_unspecified:
            ips += [*_addresses(own), *own_addresses()]
        else:
            ips.append(str(address))
    return tuple(dict.fromkeys(filter(str.isascii, dns))), tuple(dict.fromkeys(ips))


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []  # a machine that does not know its own name
    return [str(entry[4][0]).partition("%")[0] for entry in found]


# -- files -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(
            f"cannot write certificates and settings to [{folder}]: {error.strerror or error}"
        ) from error


@contextlib.contextmanager
def _written(target: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """The files are there while the code inside runs, and stay if it ends well. Raises StartError, OSError."""
    there = [name for name in files if (target / name).exists()]
    if there:
        raise StartError(
            f"[{target}] holds [{', '.join(there)}], but no setting names them: name them in the "
            "settings, or move them away to have others made"
        )
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for name, data in files.items():
            mode = 0o600 if name.endswith(".key") else 0o644
            path = target / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            written.append(path)
            with open(descriptor, "wb") as file:
                file.write(data)
        yield
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _replace(file: Path, text: str) -> None:
    """Puts `text` in the place of the file in one step, with the rights that it had."""
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as made:
            made.write(text)
            made.flush()
            os.fsync(made.fileno())
        os.chmod(name, mode)
        os.replace(name, file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
