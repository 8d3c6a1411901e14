"""A node's settings before it starts: where they come from, and whether a node may start with them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.clock import SystemClock
from sealane.errors import ApiError, IllegalArgument
from sealane.model.node import Address, may_be_master
from sealane.node.hosts import publish_host
from sealane.node.keystore import AskPassword, refuse_to_ask, with_keystore
from sealane.node.secured import check_remote_server, check_security, is_exposed
from sealane.node.start_error import StartError
from sealane.remote import REMOTE_ADVICE, REMOTE_RULES, REMOTE_SETTINGS
from sealane.remote.address import parse_address
from sealane.settings import EMPTY, Registry, Setting, Settings
from sealane.settings import node_settings as keys
from sealane.settings.discovery_settings import DISCOVERY_TYPE, SEED_HOSTS
from sealane.settings.file import node_settings, parse_overrides, read_file
from sealane.settings.tcp_settings import TCP_SETTINGS
from sealane.settings.tls_rules import TLS_RULES
from sealane.settings.tls_settings import TLS_SETTINGS
from sealane.transport import ConnectionProfile

if TYPE_CHECKING:
    from sealane.node.auto_configuration import AutoConfigured

_USUAL_FOLDER = Path("~/.config/sealane")
DEFAULT_TRANSPORT_PORT = 9300
CERTIFICATES = "certs"
"""The folder of the certificates that a first start makes, within that of the configuration."""


def registry() -> Registry:
    """Every setting a node knows, and the rules between them."""
    return Registry(
        (*keys.NODE_SETTINGS, *TCP_SETTINGS, *TLS_SETTINGS, *REMOTE_SETTINGS),
        (*TLS_RULES, *REMOTE_RULES),
        REMOTE_ADVICE,
    )


Configured = Callable[["AutoConfigured"], None]
"""Told what was made at a first start."""


def load_settings(
    config: Path | None,
    overrides: Sequence[str],
    ask_password: AskPassword = refuse_to_ask,
    on_configured: Configured = lambda made: None,
) -> Settings:
    """The node's settings from its file, the command line and its keystore, judged. `ask_password` is called where the
    keystore has one that no file holds. A node that other machines can reach, and of whose security nothing is set, is
    given certificates first, and `on_configured` is told. Raises ApiError, StartError.
    """
    given = parse_overrides(overrides)
    file = _config_file(config, given)
    settings = node_settings(EMPTY if file is None else read_file(file), given, os.environ.get)
    if file is not None and not keys.PATH_CONF.is_set(settings):
        settings = settings.merged({keys.PATH_CONF.key: str(file.parent.absolute())})
    known = registry()
    _check_values(settings, known)
    if is_exposed(settings) and not keys.SECURITY_ENABLED.is_set(settings):
        settings = _with_certificates(settings, file, on_configured)
    settings = with_keystore(settings, config_folder(settings), known, ask_password)
    check_remote_server(settings)
    known.validate(settings)
    check_security(settings)
    _check_discovery(settings)
    return settings


def _check_values(settings: Settings, known: Registry) -> None:
    """Raises IllegalArgument for a value that is none, where the reference's text leaves out of which setting: over
    REST the request is at hand, here there may be many files and lines.
    """
    for key, value in settings.items():
        setting = known.get(key)
        if setting is None or setting.secure:
            continue
        try:
            setting.check(value)
        except ApiError as error:
            if key not in error.reason:
                raise IllegalArgument(f"[{key}]: {error.reason}") from error


def _with_certificates(
    settings: Settings, file: Path | None, on_configured: Configured
) -> Settings:
    """The settings with those of the certificates that a first start makes, where there are none."""
    from sealane.node.auto_configuration import auto_configure  # seldom, and takes long to import

    folder = config_folder(settings)
    made = auto_configure(
        settings,
        folder=folder,
        file=folder / "sealane.yml" if file is None else file,
        joins=joins(settings),
        now_ms=SystemClock().now_ms(),
    )
    if made is None:
        return settings
    on_configured(made)
    return settings.merged(made.settings)


def joins(settings: Settings) -> bool:
    """Whether the node joins the one that holds the data, rather than holding it itself."""
    return not may_be_master(keys.NODE_ROLES.get(settings)) and bool(SEED_HOSTS.get(settings))


def seed_hosts(settings: Settings) -> list[Address]:
    """The transport addresses of `discovery.seed_hosts`; the port may be left out. Raises IllegalArgument."""
    return [parse_address(_with_port(each)) for each in SEED_HOSTS.get(settings)]


def published(
    settings: Settings, bound: Address, host: Setting[str], port: Setting[int]
) -> Address:
    """The address that others are told, of one that is listened on."""
    named = host.raw(settings)
    number = port.get(settings)
    return Address(
        publish_host(bound.host if named is None else host.get(settings)),
        bound.port if number < 0 else number,
    )


def connection_profile(settings: Settings, *, channels: int) -> ConnectionProfile:
    """How connections between the nodes of one cluster are opened."""
    ping = keys.TRANSPORT_PING_SCHEDULE.get(settings)
    compress = keys.TRANSPORT_COMPRESS.get(settings) is keys.Compress.TRUE
    return ConnectionProfile(
        channels=channels,
        connect_timeout_s=keys.TRANSPORT_CONNECT_TIMEOUT.get(settings).ms / 1000,
        ping_interval_s=None if ping.is_off else ping.ms / 1000,
        compress=keys.TRANSPORT_COMPRESSION_SCHEME.get(settings).value if compress else None,
    )


def _with_port(host: str) -> str:
    bracketed = host.endswith("]")
    return host if ":" in host and not bracketed else f"{host}:{DEFAULT_TRANSPORT_PORT}"


def _check_discovery(settings: Settings) -> None:
    """Raises StartError, IllegalArgument for a seed that is no address."""
    seed_hosts(settings)
    if not may_be_master(keys.NODE_ROLES.get(settings)) and not joins(settings):
        shown = ", ".join(keys.NODE_ROLES.get(settings))
        raise StartError(
            f"node.roles is [{shown}], without [data], and discovery.seed_hosts names no node to join: name the "
            "transport address of the node that holds the data, or give this one the roles [data] and [master]"
        )
    if joins(settings) and DISCOVERY_TYPE.get(settings) == "single-node":
        raise StartError(
            "discovery.type is [single-node], but discovery.seed_hosts and node.roles make this a node that joins "
            "another one: leave discovery.type out"
        )


def config_folder(settings: Settings) -> Path:
    """Where relative names of certificates and keys are looked for."""
    if keys.PATH_CONF.is_set(settings):
        return Path(keys.PATH_CONF.get(settings)).expanduser()
    return _USUAL_FOLDER.expanduser()


def _config_file(config: Path | None, given: Settings) -> Path | None:
    """The file named, else `sealane.yml` in the folder that `path.conf` names or in the user's own, if it is there."""
    if config is not None:
        return config
    folder = Path(keys.PATH_CONF.get(given)) if keys.PATH_CONF.is_set(given) else _USUAL_FOLDER
    usual = folder.expanduser() / "sealane.yml"
    return usual if usual.exists() else None
