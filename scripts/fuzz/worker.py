"""One target under libFuzzer, in a process of its own, which `scripts.fuzz.run` starts.

The environment names the module of the target and the target, since libFuzzer starts the process anew with arguments
of its own. atheris instruments sealane's modules while they are imported, so nothing of sealane may be imported
before.
"""

import importlib
import os
import resource
import sys

import atheris

_MEMORY_MAX_BYTES = 4 << 30
"""Of address space: an allocation of a size that the input names fails here, and is a finding."""


def main() -> None:
    module_name, name = os.environ["FUZZ_MODULE"], os.environ["FUZZ_TARGET"]
    with atheris.instrument_imports(include=["sealane"], enable_loader_override=False):
        module = importlib.import_module(module_name)
    (target,) = (each for each in module.TARGETS if each.name == name)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX_BYTES, _MEMORY_MAX_BYTES))

    def run(data: bytes) -> None:
        target.check(data)

    # libFuzzer hands its own command to the shell where it merges corpora.
    atheris.Setup([f"{sys.executable} {__file__}", *sys.argv[1:]], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
