"""The options of `sealane keystore` and `sealane reset-password`, apart from what they need when they are used."""

import argparse
from pathlib import Path
from typing import Final

CONFIG_FOLDER: Final = Path("~/.config/sealane")


def add_keystore_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sealane keystore`."""
    _add_conf(parser, CONFIG_FOLDER)
    commands = parser.add_subparsers(dest="keystore_command", required=True, metavar="command")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text)
        _add_conf(made, argparse.SUPPRESS)
        return made

    create = command("create", "Makes a new keystore.")
    create.add_argument(
        "-p", "--password", action="store_true", help="ask for a password to protect it with"
    )
    command("list", "Shows the names of the settings it holds.")
    add = command("add", "Adds settings, whose values are asked for.")
    add.add_argument("name", nargs="+", metavar="NAME")
    add.add_argument("-x", "--stdin", action="store_true", help="read the values from stdin")
    add_file = command("add-file", "Adds settings whose values are files.")
    add_file.add_argument("pair", nargs="+", metavar="NAME PATH")
    for each in (add, add_file):
        each.add_argument(
            "-f",
            "--force",
            action="store_true",
            help="overwrite without asking, make the keystore if there is none, take any value",
        )
    show = command("show", "Prints a value.")
    show.add_argument("name", metavar="NAME")
    show.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it there instead")
    remove = command("remove", "Removes settings.")
    remove.add_argument("name", nargs="+", metavar="NAME")
    command("passwd", "Changes the keystore's password.")
    command("has-passwd", "Succeeds if the keystore is protected by a password.")
    command("upgrade", "Writes the keystore in the newest format.")


def add_reset_password_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sealane reset-password`."""
    parser.add_argument("-u", "--username", required=True, metavar="NAME")
    parser.add_argument("-i", "--interactive", action="store_true", help="ask for the new password")
    parser.add_argument("--stdin", action="store_true", help="read the new password from stdin")
    parser.add_argument("-b", "--batch", action="store_true", help="do not ask for confirmation")
    parser.add_argument("-s", "--silent", action="store_true", help="print the new password alone")
    parser.add_argument("--url", help="the node's HTTP address, if not the one it wrote down")
    _add_conf(parser, CONFIG_FOLDER)


def _add_conf(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--conf",
        type=Path,
        default=default,
        metavar="DIR",
        help=f"the node's configuration folder, default {CONFIG_FOLDER}",
    )
