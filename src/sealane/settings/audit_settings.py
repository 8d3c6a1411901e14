"""The settings of the audit log, and the folder of the logs."""

from collections.abc import Mapping
from typing import Final

from sealane.errors import IllegalArgument
from sealane.model.audit import USUAL_EVENTS, Event
from sealane.settings.parse import as_bool, as_list, as_text
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.text import Value

_ALL: Final = ("_all", "*")


def as_events(value: Value, key: str) -> frozenset[Event]:
    """The events that a list names. Raises IllegalArgument for a name that is none."""
    found: set[Event] = set()
    for name in as_list(value, key):
        if name in _ALL:
            found.update(Event)
            continue
        try:
            found.add(Event(name.strip().lower()))
        except ValueError:
            raise IllegalArgument(f"invalid event name specified [{name}]") from None
    return frozenset(found)


AUDIT_ENABLED: Final = Setting[bool](
    key="xpack.security.audit.enabled",
    default="false",
    parse=as_bool,
    help="Whether the audit log is written.",
)
AUDIT_INCLUDE: Final = Setting[frozenset[Event]](
    key="xpack.security.audit.logfile.events.include",
    default=USUAL_EVENTS,
    parse=as_events,
    dynamic=True,
    help="The events that are written; _all for all there are.",
)
AUDIT_EXCLUDE: Final = Setting[frozenset[Event]](
    key="xpack.security.audit.logfile.events.exclude",
    default=(),
    parse=as_events,
    dynamic=True,
    help="Events that are not, of those included.",
)
PATH_LOGS: Final = Setting[str](
    key="path.logs",
    default=None,
    parse=as_text,
    help="The folder of the audit log; it goes to stderr with the other logs where none is set.",
)
AUDIT_SETTINGS: Final[tuple[AnySetting, ...]] = (
    AUDIT_ENABLED,
    AUDIT_INCLUDE,
    AUDIT_EXCLUDE,
    PATH_LOGS,
)


def wanted_events(settings: Mapping[str, Value]) -> frozenset[Event]:
    """What is written with these settings; nothing where the log is off."""
    if not AUDIT_ENABLED.get(settings):
        return frozenset()
    return AUDIT_INCLUDE.get(settings) - AUDIT_EXCLUDE.get(settings)
