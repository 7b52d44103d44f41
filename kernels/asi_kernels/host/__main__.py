"""`python -m asi_kernels.host --work FOLDER … --read FOLDER …`: the host behind the strongest wall of this machine."""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import sys
from typing import NoReturn, get_args

from asi_kernels.sandbox.launch import launch, read_ground
from asi_kernels.sandbox.wall import BuiltTier


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.host", description=__doc__.splitlines()[0])
    parser.add_argument("--work", action="append", default=[], help="folder below which jobs have their work folders")
    parser.add_argument("--read", action="append", default=[], help="folder of programs or data that jobs declare")
    parser.add_argument("--at-most", choices=get_args(BuiltTier), default="S2", help="try no stronger sandbox")
    parser.add_argument("--probe", action="store_true", help="print what the canaries found, as JSON, and end")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside is not None:
        ground = read_ground(options.inside)
    else:
        folders = {name: [os.path.abspath(path) for path in getattr(options, name)] for name in ("work", "read")}
        # A folder that is made later could not be seen from inside.
        for folder in folders["work"] + folders["read"]:
            os.makedirs(folder, exist_ok=True)
        command = ["--probe"] if options.probe else []
        # Comes back only where there is no outer wall.
        ground = launch(command, writable=folders["work"], readable=folders["read"], strongest=options.at_most)
    if options.probe:
        from .probe import probe

        print(json.dumps(probe(ground)[1]))
        return 0
    from .serve import serve

    return serve(ground)


def _run() -> NoReturn:
    # A host that hangs says where on SIGABRT.
    faulthandler.enable()
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Jobs and their processes are gone, so nothing is left to tidy; what libraries do at exit could only keep it.
    os._exit(status)


if __name__ == "__main__":
    _run()
