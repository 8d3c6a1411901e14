"""The settings of signatures: with what this node signs what it asks of a remote, and whose signatures it trusts.

Names are Elasticsearch's. Passwords are secure settings: see `settings.secure_settings`. The files are read by whoever
makes the node.
"""

from typing import Any, Final

from sealane.settings import AffixSetting, AnySetting, Setting, as_bool, as_list, as_text

_PREFIX: Final = "cluster.remote."
_SIGNING: Final = "cluster.remote.signing."


def _of_alias(name: str, help: str) -> AffixSetting[Any]:
    return AffixSetting(
        prefix=_PREFIX,
        suffix=f"signing.{name}",
        default=None,
        parse=as_text,
        help=help,
        dynamic=True,
    )


CERTIFICATE = _of_alias(
    "certificate", "File of the certificate that requests are signed with, PEM."
)
KEY = _of_alias("key", "File of its private key, PEM: RSA or EC.")
KEYSTORE_PATH = _of_alias("keystore.path", "Instead of both: a PKCS#12 file.")
KEYSTORE_TYPE = _of_alias("keystore.type", "PKCS12; nothing else is read.")
KEYSTORE_ALGORITHM = _of_alias("keystore.algorithm", "Known for its name; it has no effect.")
KEYSTORE_ALIAS = _of_alias("keystore.alias", "Known for its name; a PKCS#12 file has one key.")
KEY_PASSPHRASE: Final = "secure_key_passphrase"
KEYSTORE_PASSWORD: Final = "keystore.secure_password"

AUTHORITIES: Final = Setting[tuple[str, ...]](
    key=f"{_SIGNING}certificate_authorities",
    default=None,
    parse=as_list,
    help="Files of the authorities whose signatures are trusted, PEM.",
    dynamic=True,
)
TRUSTSTORE_PATH: Final = Setting[str](
    key=f"{_SIGNING}truststore.path",
    default=None,
    parse=as_text,
    help="Instead: a PKCS#12 file of them.",
    dynamic=True,
)
TRUSTSTORE_TYPE: Final = Setting[str](
    key=f"{_SIGNING}truststore.type",
    default=None,
    parse=as_text,
    help="PKCS12; nothing else is read.",
    dynamic=True,
)
DIAGNOSE_TRUST: Final = Setting[bool](
    key=f"{_SIGNING}diagnose.trust",
    default="true",
    parse=as_bool,
    help="Whether the log says why a signature is not trusted.",
    dynamic=True,
)
TRUSTSTORE_PASSWORD: Final = f"{_SIGNING}truststore.secure_password"

SIGNING_SETTINGS: Final[tuple[AnySetting, ...]] = (
    CERTIFICATE,
    KEY,
    KEYSTORE_PATH,
    KEYSTORE_TYPE,
    KEYSTORE_ALGORITHM,
    KEYSTORE_ALIAS,
    AUTHORITIES,
    TRUSTSTORE_PATH,
    TRUSTSTORE_TYPE,
    DIAGNOSE_TRUST,
)


def secure_name(alias: str, name: str) -> str:
    """Of an alias' secure setting: `KEY_PASSPHRASE`, `KEYSTORE_PASSWORD`."""
    return f"{_PREFIX}{alias}.signing.{name}"
