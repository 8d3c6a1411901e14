"""All the settings there are: finding one by key, suggesting one, and judging a set of values.

What is stored, merged and announced is `cluster.settings_service`'s; this module only decides.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sealane.errors import ApiError, IllegalArgument
from sealane.model.suggest import similarity
from sealane.settings.setting import AffixSetting, Scope, Setting
from sealane.settings.text import Value
from sealane.settings.values import Settings

AnySetting = Setting[Any] | AffixSetting[Any]

Rule = Callable[[Settings], Iterable[ApiError]]
"""A rule across settings. It sees all that are in force and yields what is wrong with them."""

Advice = Callable[[str], str | None]
"""What to set instead of a key that is not known, where a user is known to go wrong there."""

_SIMILAR = 0.7


class Registry:
    """Immutable. Keys are unique; a plain setting wins over a family that would hold its key
    too.
    """

    def __init__(
        self,
        settings: Iterable[AnySetting],
        rules: Iterable[Rule] = (),
        advice: Iterable[Advice] = (),
    ) -> None:
        self._plain: dict[str, Setting[Any]] = {}
        families: list[AffixSetting[Any]] = []
        for each in settings:
            if isinstance(each, Setting):
                assert each.key not in self._plain, each.key
                self._plain[each.key] = each
            else:
                families.append(each)
        # The longest suffix first, so that a family of any name comes last.
        self._families = sorted(families, key=lambda f: (-len(f.suffix), f.prefix))
        self._rules = tuple(rules)
        self._advice = tuple(advice)

    def extended(self, settings: Iterable[AnySetting], rules: Iterable[Rule] = ()) -> "Registry":
        """This registry with more in it."""
        return Registry([*self, *settings], [*self._rules, *rules], self._advice)

    def __iter__(self) -> Iterator[AnySetting]:
        yield from self._plain.values()
        yield from self._families

    def get(self, key: str) -> Setting[Any] | None:
        """The setting that `key` names, made concrete if it is of a family."""
        plain = self._plain.get(key)
        if plain is not None:
            return plain
        for family in self._families:
            namespace = family.namespace_of(key)
            if namespace is not None:
                return family.concrete(namespace)
        return None

    def nearest(self, key: str) -> tuple[str, ...]:
        """Known keys that look like `key`, the most alike first."""
        scored = [
            (score, k)
            for k, setting in self._plain.items()
            if not setting.private and (score := similarity(key, k)) > _SIMILAR
        ]
        scored.extend(
            (score, whole)
            for family in self._families
            if (whole := _respelled(family, key)) and (score := similarity(key, whole)) > _SIMILAR
        )
        return tuple(k for _, k in sorted(scored, key=lambda pair: -pair[0]))

    def unknown(self, key: str, kind: str = "setting") -> IllegalArgument:
        """The error for a key that is not known."""
        instead = self._instead_of(key)
        if instead is not None:
            return IllegalArgument(f"unknown {kind} [{key}], {instead}")
        like = self.nearest(key)
        if not like:
            return IllegalArgument(
                f"unknown {kind} [{key}] please check that any required plugins are installed, "
                "or check the breaking changes documentation for removed settings"
            )
        named = f"[{like[0]}]" if len(like) == 1 else f"any of [{', '.join(like)}]"
        return IllegalArgument(f"unknown {kind} [{key}] did you mean {named}?")

    def _instead_of(self, key: str) -> str | None:
        return next((text for each in self._advice if (text := each(key))), None)

    def broken_rules(self, settings: Settings) -> list[ApiError]:
        """What the rules across settings find wrong with `settings`."""
        return [error for rule in self._rules for error in rule(settings)]

    def _broken_rules_beside(self, settings: Settings, odd: Sequence[str]) -> list[ApiError]:
        """What the rules find though the values of the keys `odd` cannot be read: nothing about the namespaces of
        those, and no more from a rule that needs such a value.
        """
        namespaces = tuple(filter(None, map(self._namespace, odd)))
        readable = settings.filtered(lambda key: not key.startswith(namespaces))
        found: list[ApiError] = []
        for rule in self._rules:
            with contextlib.suppress(ApiError):  # of a value, which is told already
                found.extend(rule(readable))
        return found

    def _namespace(self, key: str) -> str | None:
        """What the keys of one namespace begin with, `cluster.remote.eu.`; None for a key outside of any."""
        for family in self._families:
            name = family.namespace_of(key)
            if name is not None and family.suffix:
                return f"{family.prefix}{name}."
        return None

    def validate(self, settings: Settings, *, private_allowed: bool = False) -> None:
        """Judges a whole set, as a node's file or a new index gives it: names, values, rules.

        Raises IllegalArgument with the further problems in `suppressed`.
        """
        problems: list[ApiError] = []
        odd: list[str] = []
        for key, value in settings.items():
            setting = self.get(key)
            if setting is None or (setting.private and not private_allowed):
                problems.append(self.unknown(key))
                continue
            if setting.secure:
                problems.append(not_in_the_keystore(key))
                continue
            try:
                setting.check(value)
            except ApiError as error:
                problems.append(error)
                odd.append(key)
        if odd:
            problems += self._broken_rules_beside(settings, odd)
        else:
            problems += self.broken_rules(settings)
        raise_first(problems)

    def validate_update(
        self, changes: Mapping[str, Value | None], before: Settings, after: Settings, *, kind: str
    ) -> None:
        """Judges a change made through the cluster settings.

        `changes` are what was asked for, `before` and `after` all settings in force (every scope
        merged) without and with it. `kind` is `persistent` or `transient`, for the error. What was
        wrong before the change and is not of its making does not stop it. Of several keys that are
        wrong by themselves the first by name is told, as the reference does.
        """
        for key, value in sorted(changes.items()):
            self._validate_change(key, value, kind)
        old = {(e.es_type, e.reason) for e in self.broken_rules(before)}
        raise_first([e for e in self.broken_rules(after) if (e.es_type, e.reason) not in old])

    def _validate_change(self, key: str, value: Value | None, kind: str) -> None:
        if value is None and (key.endswith("*") or key.startswith("archived.")):
            return
        setting = self.get(key)
        if setting is None or setting.scope is not Scope.NODE:
            instead = self._instead_of(key)
            raise IllegalArgument(
                f"{kind} setting [{key}], not recognized" + (f", {instead}" if instead else "")
            )
        if setting.secret or not setting.dynamic:
            raise IllegalArgument(f"{kind} setting [{key}], not dynamically updateable")
        if value is not None:
            setting.check(value)

    def defaults(self, settings: Settings) -> Settings:
        """The defaults of every plain setting that `settings` do not set and that may be shown."""
        shown: dict[str, Value] = {}
        for setting in self._plain.values():
            if setting.key in settings or setting.secret or setting.private or setting.secure:
                continue
            value = setting.default_raw(settings)
            if value is not None:
                shown[setting.key] = value
        return Settings(shown)


def not_in_the_keystore(key: str) -> IllegalArgument:
    """The error for a secret that stands where everybody can read it."""
    return IllegalArgument(
        f"Setting [{key}] is a secure setting and must be stored inside the keystore, "
        "but was found inside the settings"
    )


def raise_first(problems: Sequence[ApiError]) -> None:
    """Raises the first problem with the others as `suppressed`; no problem, no raise."""
    if not problems:
        return
    first, *rest = problems
    first.suppressed.extend(rest)
    raise first


def _respelled(family: AffixSetting[Any], key: str) -> str | None:
    """`key` as it would be in `family`: its own namespace, the family's suffix."""
    if not family.suffix or not key.startswith(family.prefix):
        return None
    namespace, dot, _ = key[len(family.prefix) :].partition(".")
    return family.key(namespace) if namespace and dot else None
