"""Settings: their texts, their meaning, and the registry that knows them all. Pure; nothing here
is stored.
"""

from sealane.settings.parse import (
    Parse,
    as_bool,
    as_bytes,
    as_enum,
    as_float,
    as_int,
    as_list,
    as_list_of,
    as_text,
    as_time,
)
from sealane.settings.registry import AnySetting, Registry, Rule, raise_first
from sealane.settings.setting import AffixSetting, Scope, Setting
from sealane.settings.text import Value, flatten, value_text
from sealane.settings.units import (
    OFF,
    TimeValue,
    bytes_text,
    exact_bytes_text,
    parse_bytes,
    parse_time,
)
from sealane.settings.values import EMPTY, Settings

__all__ = [
    "EMPTY",
    "OFF",
    "AffixSetting",
    "AnySetting",
    "Parse",
    "Registry",
    "Rule",
    "Scope",
    "Setting",
    "Settings",
    "TimeValue",
    "Value",
    "as_bool",
    "as_bytes",
    "as_enum",
    "as_float",
    "as_int",
    "as_list",
    "as_list_of",
    "as_text",
    "as_time",
    "bytes_text",
    "exact_bytes_text",
    "flatten",
    "parse_bytes",
    "parse_time",
    "raise_first",
    "value_text",
]
