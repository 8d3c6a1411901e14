"""`sealane keystore`: the settings that must not stand in a file. Commands, prompts and exit codes are those of
`elasticsearch-keystore`. A value is shown by `show` alone.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sealane.cli.terminal import NoAnswerError, ask_new_password, ask_secret, confirm
from sealane.errors import ApiError, IllegalArgument, IOFailure, KeystoreError
from sealane.model.security import Secret
from sealane.security.stores.keystore import FILE_MAX_BYTES, Keystore, check_name
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore
from sealane.settings.secure_settings import alias_of, check_credentials, check_secrets

OK: Final = 0
NO_PASSWORD_SET: Final = 1
USAGE: Final = 64
DATA_ERROR: Final = 65
IO_ERROR: Final = 74
CONFIG: Final = 78
INTERRUPTED: Final = 130


class ToolError(Exception):
    """The command could not be done. Its message is one line; `code` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def keystore(options: argparse.Namespace) -> int:
    """Runs one command. Returns its exit code."""
    file = KeystoreFile(options.conf.expanduser())
    try:
        command = options.keystore_command
        with file.change() if command in _CHANGING else contextlib.nullcontext():
            return _COMMANDS[command](file, options)
    except ToolError as error:
        return _failed(options, str(error), error.code)
    except NoAnswerError as error:
        return _failed(options, str(error), DATA_ERROR)
    except IOFailure as error:
        return _failed(options, error.reason, IO_ERROR)
    except ApiError as error:
        return _failed(options, error.reason, DATA_ERROR)
    except KeyboardInterrupt:
        return INTERRUPTED


def _failed(options: argparse.Namespace, message: str, code: int) -> int:
    print(f"sealane keystore {options.keystore_command}: {message}", file=sys.stderr)
    return code


def _create(file: KeystoreFile, options: argparse.Namespace) -> int:
    password = _new_password() if options.password else NO_PASSWORD
    if file.exists() and not confirm("A keystore already exists. Overwrite?"):
        print("Exiting without creating keystore.")
        return OK
    file.save(new_keystore(), password)
    print(f"Created keystore in {file.path}")
    return OK


def _list(file: KeystoreFile, options: argparse.Namespace) -> int:
    for name in _opened(file)[0].names():
        print(name)
    return OK


def _add(file: KeystoreFile, options: argparse.Namespace) -> int:
    found = _opened_or_made(file, force=options.force, ask=not options.stdin)
    if found is None:
        return OK
    kept, password = found
    for name in options.name:
        check_name(name)
        if not _may_put(kept, name, options):
            return OK
        value = ask_secret("" if options.stdin else f"Enter value for {name}: ")
        _judge(name, value, force=options.force)
        kept = kept.with_text(name, value.reveal())
    file.save(kept, password)
    return OK


def _add_file(file: KeystoreFile, options: argparse.Namespace) -> int:
    if len(options.pair) % 2:
        raise ToolError(USAGE, "settings and filenames must come in pairs")
    found = _opened_or_made(file, force=options.force, ask=True)
    if found is None:
        return OK
    kept, password = found
    for name, path in zip(options.pair[::2], options.pair[1::2], strict=True):
        check_name(name)
        if not _may_put(kept, name, options):
            return OK
        value = _file_bytes(Path(path))
        _warn_of_unknown(name)
        kept = kept.with_file(name, value)
    file.save(kept, password)
    return OK


def _show(file: KeystoreFile, options: argparse.Namespace) -> int:
    kept, _ = _opened(file)
    _must_hold(kept, options.name)
    value = kept.bytes_of(options.name)
    if options.output is not None:
        _write_value(options.output, value)
        return OK
    try:
        text = value.decode()
    except UnicodeDecodeError:
        if sys.stdout.isatty():
            raise ToolError(
                IO_ERROR,
                f"the value of [{options.name}] is not a text: redirect the output, or name a file with -o",
            ) from None
        sys.stdout.buffer.write(value)
        sys.stdout.buffer.flush()
        return OK
    print(text)
    return OK


def _remove(file: KeystoreFile, options: argparse.Namespace) -> int:
    kept, password = _opened(file)
    for name in options.name:
        _must_hold(kept, name)
        kept = kept.without(name)
    file.save(kept, password)
    return OK


def _passwd(file: KeystoreFile, options: argparse.Namespace) -> int:
    kept, _ = _opened(file)
    file.save(kept, _new_password())
    print("Keystore password changed successfully.")
    return OK


def _has_passwd(file: KeystoreFile, options: argparse.Namespace) -> int:
    if not file.exists():
        raise ToolError(NO_PASSWORD_SET, "keystore not found")
    if not file.has_password():
        raise ToolError(NO_PASSWORD_SET, "keystore is not password-protected")
    print("Keystore is password-protected")
    return OK


def _upgrade(file: KeystoreFile, options: argparse.Namespace) -> int:
    kept, password = _opened(file)
    file.save(kept, password)
    return OK


_COMMANDS: Final[dict[str, Callable[[KeystoreFile, argparse.Namespace], int]]] = {
    "create": _create,
    "list": _list,
    "add": _add,
    "add-file": _add_file,
    "show": _show,
    "remove": _remove,
    "passwd": _passwd,
    "has-passwd": _has_passwd,
    "upgrade": _upgrade,
}


_CHANGING: Final = frozenset({"create", "add", "add-file", "remove", "passwd", "upgrade"})


def _opened(file: KeystoreFile) -> tuple[Keystore, Secret]:
    """What it holds, and its password. Raises ToolError where there is none, KeystoreError, IOFailure."""
    if not file.exists():
        raise ToolError(
            DATA_ERROR, f"keystore not found at [{file.path}]. Use 'create' command to create one."
        )
    password = NO_PASSWORD
    if file.has_password():
        password = ask_secret("Enter password for the keystore : ")
    return file.open(password).keystore, password


def _opened_or_made(
    file: KeystoreFile, *, force: bool, ask: bool
) -> tuple[Keystore, Secret] | None:
    """As `_opened`, or a new one; None where the person wants none. Without `ask`, stdin holds values, not answers."""
    if file.exists():
        return _opened(file)
    if ask and not force and not confirm("The keystore does not exist. Do you want to create it?"):
        print("Exiting without creating keystore.")
        return None
    made = new_keystore()
    file.save(made, NO_PASSWORD)
    print(f"Created keystore in {file.path}", file=sys.stderr)
    return made, NO_PASSWORD


def _may_put(kept: Keystore, name: str, options: argparse.Namespace) -> bool:
    if name not in kept or options.force:
        return True
    if confirm(f"Setting {name} already exists. Overwrite?"):
        return True
    print("Exiting without modifying keystore.")
    return False


def _must_hold(kept: Keystore, name: str) -> None:
    if name not in kept:
        raise ToolError(CONFIG, f"Setting [{name}] does not exist in the keystore.")


def _judge(name: str, value: Secret, *, force: bool) -> None:
    """Raises ToolError for credentials that are none: they would be refused by another cluster, much later."""
    _warn_of_unknown(name)
    if alias_of(name) is None or force:
        return
    try:
        check_credentials(value)
    except IllegalArgument as error:
        raise ToolError(DATA_ERROR, f"[{name}]: {error.reason} (--force takes it)") from None


def _warn_of_unknown(name: str) -> None:
    from sealane.node.config import registry

    try:
        check_secrets(registry(), {name: None})
    except IllegalArgument as error:
        print(f"warning: {error.reason}; a node will not start with it", file=sys.stderr)


def _new_password() -> Secret:
    password = ask_new_password("the keystore")
    if password is None:
        raise ToolError(DATA_ERROR, "Passwords are not equal, exiting.")
    return password


def _file_bytes(path: Path) -> bytes:
    if not path.exists():
        raise ToolError(IO_ERROR, f"File [{path}] does not exist")
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise IOFailure(f"cannot read [{path}]: {error.strerror}") from error
    if len(data) > FILE_MAX_BYTES:
        raise KeystoreError(f"[{path}] is larger than [{FILE_MAX_BYTES}] bytes")
    return data


def _write_value(path: Path, value: bytes) -> None:
    """For its owner's eyes only; a file that is there already is not overwritten."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with contextlib.closing(os.fdopen(number, "wb")) as file:
            file.write(value)
    except OSError as error:
        raise IOFailure(f"cannot write [{path}]: {error.strerror}") from error
