"""`python -m asi_kernels <prepare|check|train|answer> --request r.json --workdir d`; long-lived: host, tools, judge.

Exit status: 0 only when result.json is complete, 2 for a request that cannot be used (one line on stderr), 1 for a
fault of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from asi_kernels.commands import COMMANDS, Report, load_command


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m asi_kernels", description=__doc__.splitlines()[0])
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        job = subparsers.add_parser(command, help=f"one {command} job: request.json in, result.json out")
        job.add_argument("--request", required=True, type=Path, help="request JSON")
        job.add_argument(
            "--workdir", required=True, type=Path, help="folder for result.json and everything else written"
        )
    subparsers.add_parser("host", help="warm process: a JSON request a line on stdin, an event a line on stdout")
    subparsers.add_parser(
        "tools", help="trusted process for program texts and embeddings, JSON lines on stdin and stdout"
    )
    judge = subparsers.add_parser("judge", help="process that alone holds held-out data, JSON lines as above")
    judge.add_argument("--home", required=True, type=Path, help="the judge's folder: its key and held-out data")
    judge.add_argument("--channels", required=True, type=Path, help="folder for the pipes to processes that answer")
    options = parser.parse_args(arguments)
    if options.command == "host":
        from asi_kernels.host.serve import serve

        return serve()
    if options.command == "tools":
        from asi_kernels.tools.serve import serve

        return serve()
    if options.command == "judge":
        from asi_kernels.judge.home import JudgeHomeError
        from asi_kernels.judge.serve import serve

        try:
            return serve(options.home, options.channels)
        except JudgeHomeError as error:
            print(f"judge: {error}", file=sys.stderr)
            return 2
    return _run_job(options.command, options.request, options.workdir)


def _run_job(command: str, request_path: Path, workdir: Path) -> int:
    from asi_kernels.requests import RequestError, read_request, write_result

    report = _progress_on_stdout()
    try:
        request = read_request(request_path, command)
        if not workdir.is_dir():
            raise RequestError(f"--workdir is {str(workdir)!r}, which is no folder; make it first")
        result = load_command(command)(request, workdir.resolve(), report)
    except RequestError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    write_result(workdir, command, result)
    return 0


def _progress_on_stdout() -> Report:
    """Keeps stdout for progress lines: whatever else is printed, by a candidate too, goes to stderr."""
    sys.stdout.flush()
    progress = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(line: dict[str, Any] | None) -> None:
        if line is not None:
            print(json.dumps(line, allow_nan=False), file=progress, flush=True)

    return report


if __name__ == "__main__":
    sys.exit(main())
