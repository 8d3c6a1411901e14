"""An index's settings as JSON: nested or flat, with their defaults where asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.cluster.views import IndexView
from sealane.rest.services import Services
from sealane.settings import Value


def _every(key: str) -> bool:
    return True


def index_settings(
    services: Services,
    index: IndexView,
    params: Mapping[str, Any],
    selects: Callable[[str], bool] = _every,
) -> dict[str, Any]:
    """`settings`, and `defaults` beside it for `include_defaults`."""
    flat = params.get("flat_settings", False)
    shown = {key: value for key, value in index.settings.items() if selects(key)}
    entry: dict[str, Any] = {"settings": shaped(shown, flat)}
    if params.get("include_defaults", False):
        defaults = services.indices.default_settings(index)
        entry["defaults"] = shaped(
            {key: value for key, value in defaults.items() if selects(key)}, flat
        )
    return entry


def shaped(settings: Mapping[str, Value | None], flat: bool) -> dict[str, Any]:
    """Nested, or flat and by name."""
    if flat:
        return {key: settings[key] for key in sorted(settings)}
    return nested(settings)


def nested(settings: Mapping[str, Value | None]) -> dict[str, Any]:
    """Objects within objects, by the dots of the keys."""
    whole: dict[str, Any] = {}
    for key, value in settings.items():
        *path, last = key.split(".")
        inner = whole
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return whole
