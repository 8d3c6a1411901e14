"""What one setting is: its key, what its text means, its default, and where it may be set."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from sealane.model.security import Secret
from sealane.settings.parse import Parse
from sealane.settings.text import Value
from sealane.settings.values import NO_SECRETS, Settings

T = TypeVar("T")

Default = Value | Callable[[Settings], Value | None] | None
"""The default's text, a function of the other settings, or None (from either): there is none, and
`get` raises LookupError.
"""

NAMESPACE = re.compile(r"[A-Za-z0-9_-]+")


def secrets_of(settings: Mapping[str, Value]) -> Mapping[str, Secret]:
    """What the keystore gave, where it was read."""
    return settings.secrets if isinstance(settings, Settings) else NO_SECRETS


class Scope(StrEnum):
    """NODE settings are set in a node's file, dynamic ones through the cluster settings too; INDEX
    ones per index.
    """

    NODE = "node"
    INDEX = "index"


@dataclass(frozen=True, kw_only=True)
class Setting(Generic[T]):
    """One key.

    `default` is text, parsed like a value, so that it can be shown. `validate` sees the parsed
    value and raises IllegalArgument. A `dynamic` one may be changed while it is in use. A `secret`
    one is never shown; a `private` one is ours to write, never a user's; a `final` one can be set
    only when its index is made. A `secure` one is kept in the keystore, and nowhere else.
    """

    key: str
    default: Default
    parse: Parse[T]
    help: str = ""
    scope: Scope = Scope.NODE
    dynamic: bool = False
    secret: bool = False
    private: bool = False
    final: bool = False
    secure: bool = False
    validate: Callable[[T], None] | None = None

    def raw(self, settings: Mapping[str, Value]) -> Value | None:
        """The text in force, the default's where the key is not set; None where it has no
        default.
        """
        value = self._hidden(settings) if self.secure else settings.get(self.key)
        return self.default_raw(settings) if value is None else value

    def _hidden(self, settings: Mapping[str, Value]) -> Value | None:
        secret = secrets_of(settings).get(self.key)
        return None if secret is None else secret.reveal()

    def default_raw(self, settings: Mapping[str, Value]) -> Value | None:
        if not callable(self.default):
            return self.default
        return self.default(settings if isinstance(settings, Settings) else Settings(settings))

    def get(self, settings: Mapping[str, Value]) -> T:
        """The value in force. Raises IllegalArgument; LookupError where it is neither set nor has
        a default.
        """
        value = self.raw(settings)
        if value is None:
            raise LookupError(self.key)
        return self.check(value)

    def is_set(self, settings: Mapping[str, Value]) -> bool:
        return self.key in (secrets_of(settings) if self.secure else settings)

    def check(self, value: Value) -> T:
        """Parses and validates `value`. Raises IllegalArgument."""
        parsed = self.parse(value, self.key)
        if self.validate is not None:
            self.validate(parsed)
        return parsed


@dataclass(frozen=True, kw_only=True)
class AffixSetting(Generic[T]):
    """A family of settings, one a namespace: `cluster.remote.<alias>.mode`.

    With `suffix` empty, what follows the prefix is the namespace and may hold dots:
    `node.attr.<name>`. `default` gets the settings and the namespace when it is a function.
    """

    prefix: str
    """Ends with a dot."""
    suffix: str
    default: Value | Callable[[Settings, str], Value] | None
    parse: Parse[T]
    help: str = ""
    scope: Scope = Scope.NODE
    dynamic: bool = False
    secret: bool = False
    private: bool = False
    final: bool = False
    secure: bool = False
    validate: Callable[[str, T], None] | None = None
    """Sees the namespace and the parsed value."""

    @property
    def pattern(self) -> str:
        """For people: `cluster.remote.*.mode`."""
        return f"{self.prefix}*.{self.suffix}" if self.suffix else f"{self.prefix}*"

    def key(self, namespace: str) -> str:
        return f"{self.prefix}{namespace}.{self.suffix}" if self.suffix else self.prefix + namespace

    def namespace_of(self, key: str) -> str | None:
        """The namespace if `key` is one of this family, else None."""
        if not key.startswith(self.prefix):
            return None
        name = key[len(self.prefix) :]
        if not self.suffix:
            return name if name else None
        if not name.endswith(f".{self.suffix}"):
            return None
        name = name[: -len(self.suffix) - 1]
        return name if NAMESPACE.fullmatch(name) else None

    def namespaces(self, settings: Mapping[str, Value]) -> tuple[str, ...]:
        """Those that `settings` set, in order of their keys."""
        keys = sorted(secrets_of(settings)) if self.secure else settings
        return tuple(name for key in keys if (name := self.namespace_of(key)) is not None)

    def concrete(self, namespace: str) -> Setting[T]:
        """The setting of one namespace."""
        default, validate = self.default, self.validate
        return Setting(
            key=self.key(namespace),
            default=(lambda s: default(s, namespace)) if callable(default) else default,
            parse=self.parse,
            help=self.help,
            scope=self.scope,
            dynamic=self.dynamic,
            secret=self.secret,
            private=self.private,
            final=self.final,
            secure=self.secure,
            validate=None if validate is None else (lambda value: validate(namespace, value)),
        )

    def is_set(self, settings: Mapping[str, Value], namespace: str) -> bool:
        return self.key(namespace) in (secrets_of(settings) if self.secure else settings)

    def get(self, settings: Mapping[str, Value], namespace: str) -> T:
        """As `Setting.get`."""
        return self.concrete(namespace).get(settings)
