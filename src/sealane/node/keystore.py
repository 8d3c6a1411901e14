"""The keystore as a node starts: its password, its values beside the settings, and reading it again later."""

import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sealane.cluster.secure_reload import SecureReload
from sealane.model.security import Secret
from sealane.node.start_error import StartError
from sealane.security.stores.keystore import Keystore
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile
from sealane.settings import Registry, Settings
from sealane.settings.secure_settings import SecureSettings, check_secrets

PASSWORD_FILE: Final = "ES_KEYSTORE_PASSPHRASE_FILE"
"""The environment variable that names a file with the keystore's password, as the reference's images have it."""
_PASSWORD_FILE_MAX_BYTES: Final = 64 * 1024

_log = logging.getLogger("sealane.node")

AskPassword = Callable[[], Secret]


def refuse_to_ask() -> Secret:
    """For a node that nobody sits in front of. Raises StartError."""
    raise StartError(
        f"the keystore has a password: set {PASSWORD_FILE} to a file that holds it, or pass it on stdin"
    )


def with_keystore(
    settings: Settings, folder: Path, registry: Registry, ask_password: AskPassword
) -> Settings:
    """The settings with the keystore's values beside them, where the folder has one.

    Raises StartError, KeystoreError, IOFailure; IllegalArgument for names that are no secure settings.
    """
    file = KeystoreFile(folder)
    if not file.exists():
        return settings
    password = NO_PASSWORD
    if file.has_password():
        password = _password_of_file(os.environ) or ask_password()
    keystore = file.open(password).keystore
    check_secrets(registry, dict.fromkeys(keystore.names()))
    return settings.with_secrets(keystore.texts)


def secure_reload(folder: Path, registry: Registry, secure: SecureSettings) -> SecureReload:
    """Reads the folder's keystore again, judged as at the start."""

    def check(keystore: Keystore) -> None:
        check_secrets(registry, dict.fromkeys(keystore.names()))

    return SecureReload(KeystoreFile(folder), secure, check=check)


def _password_of_file(environment: Mapping[str, str]) -> Secret | None:
    """The first line of the file that the environment names; None where it names none. Raises StartError."""
    named = environment.get(PASSWORD_FILE)
    if not named:
        return None
    try:
        with Path(named).open("rb") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
                # As secrets of containers often are, where nobody else is there to read them.
                _log.warning("[%s], which %s names, may be read by anybody", named, PASSWORD_FILE)
            first = file.readline(_PASSWORD_FILE_MAX_BYTES)
    except OSError as error:
        raise StartError(
            f"cannot read [{named}], which {PASSWORD_FILE} names: {error.strerror}"
        ) from error
    try:
        text = first.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise StartError(f"[{named}], which {PASSWORD_FILE} names, is not UTF-8") from None
    if not text:
        raise StartError(f"[{named}], which {PASSWORD_FILE} names, is empty")
    return Secret(text)
