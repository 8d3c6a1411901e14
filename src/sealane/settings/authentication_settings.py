"""The settings of who is let in: realms, anonymous callers, API keys, and how passwords are hashed.

Names and defaults are Elasticsearch's; those that begin with `sealane.` are ours.
"""

from typing import Final

from sealane.errors import IllegalArgument
from sealane.settings.parse import as_bool, as_int, as_list, as_text, as_time
from sealane.settings.registry import AnySetting
from sealane.settings.setting import AffixSetting, Setting
from sealane.settings.text import Value
from sealane.settings.units import TimeValue

_AUTHC: Final = "xpack.security.authc."
_FAMILIES: Final = ("pbkdf2", "pbkdf2_stretch")
_ROUNDS: Final = ("1000", "10000", "50000", "100000", "500000", "1000000")
PASSWORD_HASHING_NAMES: Final = (
    "bcrypt",
    *(f"bcrypt{cost}" for cost in range(4, 15)),
    *(
        f"{family}{rounds}"
        for family in _FAMILIES
        for rounds in ("", *(f"_{each}" for each in _ROUNDS))
    ),
)


def as_password_hashing(value: Value, key: str) -> str:
    return _one_of(PASSWORD_HASHING_NAMES, value, key)


def as_key_hashing(value: Value, key: str) -> str:
    return _one_of((*PASSWORD_HASHING_NAMES, "ssha256"), value, key)


def _one_of(names: tuple[str, ...], value: Value, key: str) -> str:
    name = as_text(value, key).lower()
    if name not in names:
        raise IllegalArgument(
            f"Invalid algorithm: {name}. Valid values for password hashing are [{', '.join(names)}]"
        )
    return name


PASSWORD_HASHING: Final = Setting[str](
    key=f"{_AUTHC}password_hashing.algorithm",
    default="bcrypt",
    parse=as_password_hashing,
    help="How passwords are hashed that are set from now on: bcrypt4 to bcrypt14, pbkdf2_<n>, pbkdf2_stretch_<n>.",
)
RESERVED_REALM_ENABLED: Final = Setting[bool](
    key=f"{_AUTHC}reserved_realm.enabled",
    default="true",
    parse=as_bool,
    help="Whether elastic and the other built-in users are there.",
)
RUN_AS_ENABLED: Final = Setting[bool](
    key=f"{_AUTHC}run_as.enabled",
    default="true",
    parse=as_bool,
    help="Whether es-security-runas-user is heeded.",
)
ANONYMOUS_USERNAME: Final = Setting[str](
    key=f"{_AUTHC}anonymous.username",
    default="_anonymous",
    parse=as_text,
    help="What a caller without credentials is called.",
)
ANONYMOUS_ROLES: Final = Setting[tuple[str, ...]](
    key=f"{_AUTHC}anonymous.roles",
    default=(),
    parse=as_list,
    help="The roles of callers without credentials, which every user then has too. None: such callers are refused.",
)
ANONYMOUS_AUTHZ_EXCEPTION: Final = Setting[bool](
    key=f"{_AUTHC}anonymous.authz_exception",
    default="true",
    parse=as_bool,
    help="Whether a caller without credentials is told 403 where its roles do not do, rather than 401.",
)
API_KEY_ENABLED: Final = Setting[bool](
    key=f"{_AUTHC}api_key.enabled",
    default="true",
    parse=as_bool,
    help="Whether API keys can be made and used.",
)
API_KEY_HASHING: Final = Setting[str](
    key=f"{_AUTHC}api_key.hashing.algorithm",
    default="ssha256",
    parse=as_key_hashing,
    help="How the secrets of API keys are hashed. They are random, so a fast hash is as good as a slow one.",
)
API_KEY_CACHE_TTL: Final = Setting[TimeValue](
    key=f"{_AUTHC}api_key.cache.ttl",
    default="24h",
    parse=as_time(min="0ms"),
    help="How long a key that was checked is remembered.",
)
API_KEY_CACHE_MAX: Final = Setting[int](
    key=f"{_AUTHC}api_key.cache.max_keys",
    default="25000",
    parse=as_int(min=0),
    help="How many of them.",
)
API_KEY_RETENTION: Final = Setting[TimeValue](
    key=f"{_AUTHC}api_key.delete.retention_period",
    default="7d",
    parse=as_time(min="0ms"),
    dynamic=True,
    help="How long a key is shown after it has expired or was invalidated.",
)
API_KEY_SWEEP_INTERVAL: Final = Setting[TimeValue](
    key=f"{_AUTHC}api_key.delete.interval",
    default="24h",
    parse=as_time(min="1s"),
    help="How often keys are removed that are past that.",
)
USER_CACHE_TTL: Final = Setting[TimeValue](
    key="sealane.security.user_cache.ttl",
    default="20m",
    parse=as_time(min="0ms"),
    help="How long a password that was checked is remembered.",
)
USER_CACHE_MAX: Final = Setting[int](
    key="sealane.security.user_cache.max_users",
    default="100000",
    parse=as_int(min=0),
    help="How many of them.",
)
LOGIN_BACKOFF: Final = Setting[bool](
    key="sealane.security.login_backoff",
    default="true",
    parse=as_bool,
    help="Whether a source whose logins fail again and again has to wait, longer each time, before the next is tried.",
)


def _order(kind: str) -> AffixSetting[int]:
    return AffixSetting[int](
        prefix=f"{_AUTHC}realms.{kind}.",
        suffix="order",
        default="2147483647",
        parse=as_int(),
        help=f"Gives the {kind} realm a name, and its place among the realms: lower ones are asked first.",
    )


def _enabled(kind: str) -> AffixSetting[bool]:
    return AffixSetting[bool](
        prefix=f"{_AUTHC}realms.{kind}.",
        suffix="enabled",
        default="true",
        parse=as_bool,
        help=f"Whether the {kind} realm is asked.",
    )


NATIVE_ORDER: Final = _order("native")
NATIVE_ENABLED: Final = _enabled("native")
FILE_ORDER: Final = _order("file")
FILE_ENABLED: Final = _enabled("file")
PKI_ORDER: Final = _order("pki")
PKI_ENABLED: Final = _enabled("pki")
PKI_USERNAME_RDN: Final = AffixSetting[str](
    prefix=f"{_AUTHC}realms.pki.",
    suffix="username_rdn_name",
    default="CN",
    parse=as_text,
    help="Which part of the certificate's subject is the user's name; of several the most specific one.",
)

AUTHENTICATION_SETTINGS: Final[tuple[AnySetting, ...]] = (
    PASSWORD_HASHING,
    RESERVED_REALM_ENABLED,
    RUN_AS_ENABLED,
    ANONYMOUS_USERNAME,
    ANONYMOUS_ROLES,
    ANONYMOUS_AUTHZ_EXCEPTION,
    API_KEY_ENABLED,
    API_KEY_HASHING,
    API_KEY_CACHE_TTL,
    API_KEY_CACHE_MAX,
    API_KEY_RETENTION,
    API_KEY_SWEEP_INTERVAL,
    USER_CACHE_TTL,
    USER_CACHE_MAX,
    LOGIN_BACKOFF,
    NATIVE_ORDER,
    NATIVE_ENABLED,
    FILE_ORDER,
    FILE_ENABLED,
    PKI_ORDER,
    PKI_ENABLED,
    PKI_USERNAME_RDN,
)
