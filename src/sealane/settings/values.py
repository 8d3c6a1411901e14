"""An immutable flat map of settings, and its nested and flat renderings."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

from sealane.model.security import Secret
from sealane.settings.text import Value, flatten, value_text

NO_SECRETS: Mapping[str, Secret] = MappingProxyType({})


class Settings(Mapping[str, Value]):
    """`key -> text or list of texts`, ordered by key. Equal and hashable by content.

    What came from the keystore is beside that, in `secrets`: neither iterated over nor shown. Only a setting that is
    `secure` looks there.
    """

    __slots__ = ("_hash", "_values", "secrets")

    def __init__(
        self,
        values: Mapping[str, Value] = MappingProxyType({}),
        secrets: Mapping[str, Secret] = NO_SECRETS,
    ) -> None:
        self._values: dict[str, Value] = dict(sorted(values.items()))
        self._hash: int | None = None
        self.secrets = secrets

    @classmethod
    def from_nested(cls, data: Mapping[str, Any]) -> Self:
        """Reads nested and dotted keys alike. A null says nothing. Raises SettingsError (see
        `flatten`).
        """
        return cls({key: value for key, value in flatten(data).items() if value is not None})

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._values == other._values

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(self._values.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={value_text(v)}' for k, v in self._values.items())})"

    def text(self, key: str, default: str | None = None) -> str | None:
        """The value as one text, lists as `[a, b]`."""
        value = self._values.get(key)
        return default if value is None else value_text(value)

    def with_secrets(self, secrets: Mapping[str, Secret]) -> "Settings":
        """These with the keystore's values beside them."""
        return Settings(self._values, secrets)

    def filtered(self, keep: Callable[[str], bool]) -> "Settings":
        return Settings(
            {key: value for key, value in self._values.items() if keep(key)}, self.secrets
        )

    def with_prefix(self, prefix: str) -> "Settings":
        """Those whose key starts with `prefix`; keys stay whole."""
        return self.filtered(lambda key: key.startswith(prefix))

    def strip_prefix(self, prefix: str) -> "Settings":
        """Those whose key starts with `prefix`, without it."""
        return Settings(
            {k.removeprefix(prefix): v for k, v in self._values.items() if k.startswith(prefix)}
        )

    def merged(self, over: Mapping[str, Value]) -> "Settings":
        """These with `over` on top, and the secrets of these."""
        return Settings({**self._values, **over}, self.secrets)

    def to_flat(self) -> dict[str, str | list[str]]:
        """As `flat_settings=true` shows them; lists are arrays."""
        return {key: _shown(value) for key, value in self._values.items()}

    def to_nested(self) -> dict[str, Any]:
        """As a tree. A key that is also the beginning of another (`a` and `a.b`) leaves that one
        dotted beside it.
        """
        tree: dict[str, Any] = {}
        for key, value in self._values.items():
            _plant(tree, key, _shown(value))
        return tree


EMPTY = Settings()


def _shown(value: Value) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _plant(tree: dict[str, Any], key: str, shown: str | list[str]) -> None:
    parts = key.split(".")
    branch = tree
    start = 0
    for end in range(1, len(parts)):
        name = ".".join(parts[start:end])
        below = branch.get(name)
        if below is None:
            below = branch[name] = {}
        elif not isinstance(below, dict):
            continue  # a value sits here: the name goes on with a dot
        branch, start = below, end
    branch[".".join(parts[start:])] = shown
