"""Questions to the person at the terminal, or to the program that writes to stdin instead."""

import sys
from typing import Final

from sealane.model.security import Secret

_LINE_MAX: Final = 1 << 20


class NoAnswerError(Exception):
    """Stdin has ended, or what came is no text. The message says which."""


def ask_secret(prompt: str) -> Secret:
    """What is typed without being shown; the next line where stdin is no terminal. Raises NoAnswerError."""
    if sys.stdin.isatty():
        from getpass import getpass

        try:
            return Secret(getpass(prompt))
        except EOFError:
            raise NoAnswerError("nothing was entered") from None
    line = _line()
    if not line:
        raise NoAnswerError("stdin has ended before a value")
    return Secret(line.rstrip("\r\n"))


def ask_new_password(of_what: str) -> Secret | None:
    """A password that was entered twice; None where the two differ. Raises NoAnswerError."""
    one = ask_secret(f"Enter new password for {of_what} (empty for no password): ")
    other = ask_secret("Enter same password again: ")
    return one if one == other else None


def confirm(question: str) -> bool:
    """Whether the answer is yes; an empty line is no. Raises NoAnswerError at the end of stdin: a script that does not
    answer must not believe that it was done.
    """
    while True:
        print(f"{question} [y/N]", end="", file=sys.stderr, flush=True)
        answer = _line()
        if not answer:
            print(file=sys.stderr)
            raise NoAnswerError(f"stdin has ended before an answer to [{question}]")
        match answer.strip().lower():
            case "y" | "yes":
                return True
            case "n" | "no" | "":
                return False
        print("Did not understand the answer", file=sys.stderr)


def _line() -> str:
    try:
        return sys.stdin.readline(_LINE_MAX)
    except UnicodeDecodeError:
        raise NoAnswerError("what came on stdin is not UTF-8") from None
