"""Secure settings: those that are kept in the keystore, what it may hold, and their values while the node runs.

The keystore's file is `security.stores`' business; who reloads it, `cluster.secure_reload`'s.
"""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

from sealane.errors import ApiError, IllegalArgument
from sealane.model.security import Secret
from sealane.settings.parse import as_text
from sealane.settings.registry import AnySetting, Registry, raise_first
from sealane.settings.setting import AffixSetting, Setting
from sealane.settings.values import NO_SECRETS

_log = logging.getLogger("sealane.settings")

RELOADABLE: Final = "cluster.remote."
"""What the names of those begin with whose values may change while the node runs. The others keep theirs from the
start, as in the reference."""
_CREDENTIALS: Final = (RELOADABLE, ".credentials")
_ALIASES_SHOWN: Final = 10
"""Of remote clusters, where a name is wrong."""
_KEY_SECRET_LENGTH: Final = 22
"""Characters of an API key's secret: 128 bits in base64 without its padding."""

KEYSTORE_SEED: Final = Setting[str](
    key="keystore.seed",
    default=None,
    parse=as_text,
    secure=True,
    help="Random text that every keystore gets when it is made.",
)
BOOTSTRAP_PASSWORD: Final = Setting[str](
    key="bootstrap.password",
    default=None,
    parse=as_text,
    secure=True,
    help="The password of the user elastic until one is set.",
)
SECURE_SETTINGS: Final[tuple[AnySetting, ...]] = (
    KEYSTORE_SEED,
    BOOTSTRAP_PASSWORD,
    *(
        AffixSetting[str](
            prefix=RELOADABLE,
            suffix=f"signing.{name}",
            default=None,
            parse=as_text,
            secure=True,
            help=help_text,
        )
        for name, help_text in (
            ("secure_key_passphrase", "What the key that signs requests is encrypted with."),
            ("keystore.secure_password", "The password of the file that holds that key."),
            ("keystore.secure_key_password", "The password of that key in its file."),
        )
    ),
    Setting[str](
        key=f"{RELOADABLE}signing.truststore.secure_password",
        default=None,
        parse=as_text,
        secure=True,
        help="The password of the file of those whose signatures are trusted.",
    ),
)
"""Those of no other group."""

Changed = Callable[[frozenset[str]], None]


class SecureSettings:
    """The values that the keystore had when it was last read."""

    def __init__(self, secrets: Mapping[str, Secret] = NO_SECRETS) -> None:
        self._secrets = dict(secrets)
        self._subscribers: list[Changed] = []

    def get(self, name: str) -> Secret | None:
        return self._secrets.get(name)

    def names(self) -> frozenset[str]:
        return frozenset(self._secrets)

    def on_change(self, callback: Changed) -> None:
        """Calls `callback` with the names of what was added, changed or removed, once the new values are in force.

        It must be quick. What it raises is told to who reloaded, and keeps no other from being called.
        """
        self._subscribers.append(callback)

    def replace(self, secrets: Mapping[str, Secret]) -> frozenset[str]:
        """Takes what may change of a keystore that was read again. Returns the names of what did.

        Raises the first ApiError that a subscriber raised, with the others as suppressed; the values are in force
        all the same.
        """
        fixed = {name: each for name, each in self._secrets.items() if not is_reloadable(name)}
        taken = {name: each for name, each in secrets.items() if is_reloadable(name)}
        before, self._secrets = self._secrets, {**fixed, **taken}
        changed = frozenset(
            name
            for name in before.keys() | self._secrets.keys()
            if before.get(name) != self._secrets.get(name)
        )
        if changed:
            self._tell(changed)
        return changed

    def _tell(self, changed: frozenset[str]) -> None:
        _log.info("secure settings changed: %s", ", ".join(sorted(changed)))
        problems: list[ApiError] = []
        for callback in self._subscribers:
            try:
                callback(changed)
            except ApiError as error:
                problems.append(error)
        raise_first(problems)


class RemoteCredentials:
    """The API keys for remote clusters, by alias."""

    def __init__(self, secure: SecureSettings) -> None:
        self._secure = secure

    def credentials(self, alias: str) -> Secret | None:
        return self._secure.get(credentials_key(alias))

    def aliases(self) -> frozenset[str]:
        return _aliases_of(self._secure.names())

    def on_change(self, callback: Changed) -> None:
        """Calls `callback` with the aliases whose key was added, changed or removed."""

        def changed(names: frozenset[str]) -> None:
            aliases = _aliases_of(names)
            if aliases:
                callback(aliases)

        self._secure.on_change(changed)


def is_reloadable(name: str) -> bool:
    return name.startswith(RELOADABLE)


def credentials_key(alias: str) -> str:
    """The name of the setting that holds the alias' key."""
    return alias.join(_CREDENTIALS)


def alias_of(name: str) -> str | None:
    """The alias whose key a secure setting of that name holds; None for any other setting."""
    begin, end = _CREDENTIALS
    alias = name[len(begin) : -len(end)]
    return alias if alias and "." not in alias and name == credentials_key(alias) else None


def check_secrets(registry: Registry, secrets: Mapping[str, object]) -> None:
    """That a keystore's names are secure settings. Raises IllegalArgument, with further problems in `suppressed`."""
    secure = Registry([each for each in registry if each.secure])
    problems: list[ApiError] = []
    for name in sorted(secrets):
        if secure.get(name) is not None:
            continue
        if registry.get(name) is not None:
            problems.append(
                IllegalArgument(
                    f"Setting [{name}] is a non-secure setting and must be stored inside sealane.yml, "
                    "but was found inside the keystore"
                )
            )
        else:
            problems.append(secure.unknown(name, "secure setting"))
    raise_first(problems)


def check_credentials(value: Secret) -> None:
    """That a text is an API key as it is handed out: base64 of `id:secret`. Raises IllegalArgument, which does not show
    it.
    """
    try:
        text = base64.b64decode(value.reveal().encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise IllegalArgument(
            "this is not an API key: the [encoded] of the answer that created it is wanted, which is base64"
        ) from None
    key_id, colon, secret = text.partition(":")
    if not colon or not key_id or not secret:
        raise IllegalArgument("this is not an API key: decoded, it is not [id:secret]")
    if len(secret) != _KEY_SECRET_LENGTH:
        raise IllegalArgument(
            f"this is not an API key: its secret has [{len(secret)}] characters, not [{_KEY_SECRET_LENGTH}]"
        )


def unused_credentials(keys: frozenset[str], configured: frozenset[str]) -> dict[str, str]:
    """By alias: a warning for each that has a key in the keystore and is no remote cluster."""
    return {
        alias: f"the keystore holds [{credentials_key(alias)}], but there is no remote cluster [{alias}]; "
        f"configured are [{_some(alias, configured)}]"
        for alias in sorted(keys - configured)
    }


def _some(alias: str, configured: frozenset[str]) -> str:
    """Those that may be meant, where there are many."""
    if len(configured) <= _ALIASES_SHOWN:
        return ", ".join(sorted(configured))
    nearest = get_close_matches(alias, sorted(configured), _ALIASES_SHOWN)
    return ", ".join([*nearest, "..."])


def missing_credentials_hint(alias: str, port: int) -> str:
    """For an alias without a key whose port is the one for remote clusters that come with a key."""
    return (
        f"port [{port}] is for remote clusters with an API key, and the keystore holds none for [{alias}]: add one "
        f"with [sealane keystore add {credentials_key(alias)}] and reload the secure settings"
    )


def _aliases_of(names: frozenset[str]) -> frozenset[str]:
    return frozenset(alias for name in names if (alias := alias_of(name)) is not None)
