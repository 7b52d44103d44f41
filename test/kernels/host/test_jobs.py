"""What a program does to itself ends its own job with the right label, and the host goes on."""

import contextlib
import errno
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

_HEAD = """
import ctypes, os, signal, sys, time
import torch
from torch import nn


def is_for_writing(descriptor):
    import fcntl
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
"""
_ANSWERING = """
import ctypes, os, signal, sys, time
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
"""
_BESIDE = "import ctypes, os, signal, sys, time\n"
_PIPE = "os.write(3, b"

# name: (body of forward in training, label, words of the detail, limits). OUTSIDE stands for the folder above the work
# folder.
PROGRAMS: dict[str, tuple[str, str, str, dict[str, float]]] = {
    "segfault": ("ctypes.string_at(0)", "signal", "signal 11 (SIGSEGV)", {}),
    "abort": ("os.abort()", "signal", "signal 6 (SIGABRT)", {}),
    "computes for ever": ("while True: x = x + 1", "timeout_wall", "longer than 1 s", {"wallSeconds": 1}),
    "sleeps for ever": ("time.sleep(1e6)", "timeout_idle", "no progress for 1 s", {"idleSeconds": 1}),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "timeout_idle", "no progress for 1 s", {"idleSeconds": 1}),
    "ignores signals": (
        "[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 19)]; time.sleep(1e6)",
        "timeout_idle",
        "no progress",
        {"idleSeconds": 1},
    ),
    "waits for input": ("sys.stdin.read(); return self.map(x), 1 / 0", "exit", "division by zero", {}),
    "prints 100 MB": ("print('x' * 100_000_000)", "log_flood", "more than 1,048,576 bytes", {}),
    "prints for ever": ("while True: os.write(2, b'flood ' * 1000)", "log_flood", "the limit", {}),
    "takes memory": (
        "kept = [torch.ones(1 << 24) for _ in range(60)]; time.sleep(60)",
        "oom_host",
        "bytes of memory; the limit is 1,000,000,000",
        {"memoryBytes": 1_000_000_000},
    ),
    "leaves without a result": ("os._exit(0)", "no_result", "status 0 in the middle", {}),
    "leaves with a status": ("os._exit(7)", "exit", "status 7", {}),
    "claims to be our fault": ("os._exit(70)", "exit", "status 70", {}),
    "raises past every handler": ("raise type('Odd', (BaseException,), {})('odd')", "exit", "Odd: odd", {}),
    "recurses": ("return self.forward(x)", "exit", "recursion", {}),
    "forks": ("os.fork(); return self.map(x), None", "forbidden_call", "os.fork", {}),
    "runs a command": ("os.system('true'); return self.map(x), None", "forbidden_call", "os.system", {}),
    "opens a socket": ("import socket; socket.socket()", "forbidden_call", "socket", {}),
    "signals its host": ("os.kill(os.getppid(), 9)", "forbidden_call", "tried to signal process", {}),
    "writes elsewhere": ("open('OUTSIDE/forbidden', 'w')", "forbidden_write", "/forbidden", {}),
    "writes above its folder": ("open('../beside', 'w')", "forbidden_write", "../beside", {}),
    "removes elsewhere": ("os.remove('/etc/hostname')", "forbidden_write", "os.remove", {}),
    "writes into its own folder": ("open('a', 'w')", "forbidden_write", "may write nothing", {}),
    "writes by a call of its own": (
        "assert ctypes.CDLL(None).creat(b'a', 0o600) >= 0, 'refused'",
        "exit",
        "refused",
        {},
    ),
    "looks into the trainer": ("open(f'/proc/{os.getppid()}/mem', 'rb')", "exit", "PermissionError", {}),
    "writes as the trainer's progress": ("os.write(3, b'{}')", "exit", "Bad file descriptor", {}),
    "says nonsense to the trainer": (
        "[os.write(n, b'nonsense!') for n in range(3, 9) if os.path.exists(f'/proc/self/fd/{n}') and"
        " os.readlink(f'/proc/self/fd/{n}').startswith('pipe') and is_for_writing(n)]",
        "bad_result",
        "began a reply with",
        {},
    ),
}

# The same for the mixers of a trial that answers: what they do as they are made.
ANSWERING: dict[str, tuple[str, str, str, dict[str, float]]] = {
    "abort": ("os.abort()", "signal", "signal 6 (SIGABRT)", {}),
    "sleeps for ever": ("time.sleep(1e6)", "timeout_idle", "no progress for 1 s", {"idleSeconds": 1}),
    "computes for ever": ("while True: pass", "timeout_wall", "longer than 1 s", {"wallSeconds": 1}),
    "prints for ever": ("while True: os.write(2, b'flood ' * 1000)", "log_flood", "the limit", {}),
    "takes memory": (
        "kept = [bytearray(b'x') * (1 << 26) for _ in range(60)]; time.sleep(60)",
        "oom_host",
        "bytes of memory; the limit is 1,000,000,000",
        {"memoryBytes": 1_000_000_000},
    ),
    "leaves without a result": ("os._exit(0)", "no_result", "status 0 in the middle", {}),
    "claims to be our fault": ("os._exit(70)", "exit", "status 70", {}),
    "raises past every handler": ("raise type('Odd', (BaseException,), {})('odd')", "exit", "Odd: odd", {}),
    "opens a socket": ("import socket; socket.socket()", "forbidden_call", "socket", {}),
    "writes into its own folder": ("open('a', 'w')", "forbidden_write", "may write nothing", {}),
    "writes a result": ("open('result.json', 'w')", "forbidden_write", "may write nothing", {}),
    "looks into the process that answers": ("open(f'/proc/{os.getppid()}/mem', 'rb')", "exit", "PermissionError", {}),
    "reads its request": ("open('request.json')", "exit", "PermissionError", {}),
    "answers the judge itself": ("os.write(5, b'ASIa')", "exit", "Bad file descriptor", {}),
    "says nonsense where its layers are told": (_PIPE + "'nonsense!')", "exit", "Bad file descriptor", {}),
}

# For a program that the gates import, who run it beside themselves: it may write into its folder.
BESIDE: dict[str, tuple[str, str, str, dict[str, float]]] = {
    "leaves without a result": ("os._exit(0)", "no_result", "left no result.json", {}),
    "moves a file out": ("open('a', 'w'); os.rename('a', 'OUTSIDE/moved')", "forbidden_write", "os.rename", {}),
    "writes through a link": (
        "os.symlink('OUTSIDE', 'link'); open('link/forbidden', 'w')",
        "forbidden_write",
        "link/forbidden",
        {},
    ),
    "forges progress": (_PIPE + r"""'{"task": "bytes"}\n')""", "bad_result", "step is missing", {}),
    "writes noise as progress": (_PIPE + r"b'\xff\0\n'".replace("b'", "'", 1) + ")", "bad_result", "progress", {}),
    "writes an endless line of progress": ("while True: os.write(3, b'x' * 4096)", "bad_result", "16,384 bytes", {}),
    "links its result": ("os.symlink('/etc/passwd', 'result.json'); os._exit(0)", "bad_result", "plain file", {}),
    "leaves a pipe as result": ("os.mkfifo('result.json'); os._exit(0)", "bad_result", "plain file", {}),
    "leaves a folder as result": ("os.mkdir('result.json'); os._exit(0)", "bad_result", "plain file", {}),
    "leaves a giant result": (
        "open('result.json', 'w')\ntry: os.truncate('result.json', 1 << 33)\n"
        "except OSError as error: os._exit(error.errno)\nos._exit(0)",
        "exit",
        f"status {errno.EFBIG}",
        {},
    ),
    "leaves a large result": (
        "open('result.json', 'w').write('[' * 17_000_000); os._exit(0)",
        "bad_result",
        "17,000,000 bytes",
        {},
    ),
    "leaves a deep result": (
        "open('result.json', 'w').write('[' * 300_000); os._exit(0)",
        "bad_result",
        "nests too deeply",
        {},
    ),
    "leaves numbers that are none": (
        "open('result.json', 'w').write('{\"a\": NaN}'); os._exit(0)",
        "bad_result",
        "NaN",
        {},
    ),
    "leaves another result": (
        "open('result.json', 'w').write('{\"status\": \"pass\"}'); os._exit(0)",
        "bad_result",
        "programHash",
        {},
    ),
}


def statuses_of(workdir: Path) -> dict[str, Any]:
    path = workdir / "result.json"
    return json.loads(path.read_text()) if path.is_file() else {}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_program_does_to_itself_has_its_label(host: Any, tmp_path: Path, make_trial: Any, name: str) -> None:
    body, label, said, limits = PROGRAMS[name]
    workdir = tmp_path / "work"
    make_trial(workdir, f"{_HEAD}        {body.replace('OUTSIDE', str(tmp_path))}\n", kinds=("bytes",))
    end = host.run(name, workdir, **limits)
    check_end(end, workdir, label, said)
    assert sorted(os.listdir(tmp_path)) == ["work"]
    assert not (workdir / "a").exists()


@pytest.mark.parametrize("name", ANSWERING)
def test_what_a_program_does_as_it_answers_has_its_label(
    host: Any, tmp_path: Path, make_answer: Any, name: str
) -> None:
    body, label, said, limits = ANSWERING[name]
    workdir = tmp_path / "work"
    make_answer(workdir, f"{_ANSWERING}        {body.replace('OUTSIDE', str(tmp_path))}\n")
    check_end(host.run(name, workdir, "answer", **limits), workdir, label, said)
    assert sorted(os.listdir(tmp_path)) == ["work"]
    assert not (workdir / "a").exists()


@pytest.mark.parametrize("name", BESIDE)
def test_what_a_program_does_beside_the_gates_has_its_label(
    host: Any, tmp_path: Path, make_check: Any, name: str
) -> None:
    body, label, said, limits = BESIDE[name]
    workdir = tmp_path / "work"
    make_check(workdir, f"{_BESIDE}{body.replace('OUTSIDE', str(tmp_path))}\n")
    check_end(host.run(name, workdir, "check", **limits), workdir, label, said)
    assert sorted(os.listdir(tmp_path)) == ["work"]


def test_what_a_program_raises_past_every_handler_of_the_gates_is_its_own(
    host: Any, tmp_path: Path, make_check: Any
) -> None:
    make_check(tmp_path, f"{_ANSWERING}        raise type('Odd', (BaseException,), {{}})('odd')\n")
    end = host.run("odd", tmp_path, "check")
    assert (end["label"], end["detail"]) == ("exit", "it ended with status 1")


def check_end(end: dict[str, Any], workdir: Path, label: str, said: str) -> None:
    if end["label"] is None:  # candidate code raised: who ran it caught it and its result tells
        result = statuses_of(workdir)
        assert result["status"] == "failed"
        assert result["label"] == label, result
        assert said in result["detail"]
    else:
        assert end["label"] == label, end
        assert said in end["detail"]
    assert end["wallSeconds"] < 30


def test_a_kill_that_nobody_here_sent_is_an_outage_once(host: Any, tmp_path: Path, make_trial: Any) -> None:
    make_trial(tmp_path, f"{_HEAD}        os.kill(os.getpid(), signal.SIGKILL)\n", kinds=("bytes",))
    first, second = host.run("kills itself", tmp_path), host.run("kills itself", tmp_path)
    assert (first["label"], second["label"]) == ("infra", "signal")
    assert "SIGKILL" in first["detail"]
    assert "signal 9 (SIGKILL)" in second["detail"]


def test_a_fault_that_a_candidate_may_have_told_is_believed_once(host: Any, tmp_path: Path, make_check: Any) -> None:
    make_check(tmp_path, f'{_BESIDE}os.write(3, b\'{{"fault": "the disk"}}\\n\'); os._exit(70)\n')
    first, second = (host.run("blames the host", tmp_path, "check") for _ in range(2))
    assert (first["label"], first["detail"]) == ("infra", "the disk")
    assert (second["label"], second["detail"]) == ("exit", "it ended with status 70")


def test_a_good_job_ends_without_a_label_and_tells_its_progress(
    host: Any, tmp_path: Path, make_trial: Any, deltanet_program: str
) -> None:
    make_trial(tmp_path, deltanet_program, report_every=5)
    host.start("good", tmp_path)
    assert host.next_event() | {"pid": 0} == {"event": "started", "id": "good", "pid": 0}
    progress = [host.next_event() for _ in range(4)]
    assert [(event["event"], event["progress"]["step"]) for event in progress] == [
        ("progress", 5),
        ("progress", 10),
    ] * 2
    end = host.next_event()
    assert (end["event"], end["label"], end["detail"]) == ("finished", None, "")
    assert 0 < end["cpuSeconds"] < 60
    assert 50e6 < end["peakMemoryBytes"] < 3e9
    assert statuses_of(tmp_path)["status"] == "trained"


def test_what_a_job_uses_is_told_while_it_runs(host: Any, tmp_path: Path, make_trial: Any) -> None:
    make_trial(tmp_path, f"{_HEAD}        while True: x = x + 1\n")
    end = host.run("burns", tmp_path, wallSeconds=5)
    told = host.told_seconds["burns"]
    assert 2 <= len(told) <= 5
    assert told == sorted(set(told))
    # What is missing in the last word is about a second.
    assert 0.5 * end["cpuSeconds"] < told[-1] <= end["cpuSeconds"]


def test_progress_keeps_a_slow_job_alive_past_its_idle_limit(host: Any, tmp_path: Path, make_trial: Any) -> None:
    slow = f"{_HEAD}        time.sleep(0.2)\n        return self.map(x), None\n"
    make_trial(tmp_path, slow, steps=12, kinds=("bytes",))
    end = host.run("slow", tmp_path, idleSeconds=1.5)
    assert end["label"] is None, end
    assert end["wallSeconds"] > 2


def test_a_program_sees_no_environment_no_descriptors_and_no_terminal(
    host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    looks = (
        "import os, sys\n"
        "def is_open(number):\n"
        "    try: return os.fstat(number) is not None\n"
        "    except OSError: return False\n"
        "numbers = [number for number in range(1024) if is_open(number)]\n"
        "print(repr([sorted(os.environ), numbers, sys.stdin.read(), os.getcwd(), os.getsid(0) == os.getppid(),"
        " os.getpriority(os.PRIO_PROCESS, 0)]))\n"
    )
    request = make_trial(tmp_path, looks + plain_program, steps=1)
    assert host.run("looks", tmp_path)["label"] is None
    said = (tmp_path / "log.txt").read_text().splitlines()
    assert len(said) == len(request["rung"]["tasks"])  # each task has a process of its own
    for line in said:
        environment, descriptors, read, folder, led, niceness = eval(line)
        assert environment == ["HOME", "LANG", "TMPDIR"]
        # Empty input, the log twice, and an end each of the two pipes to the trainer.
        assert len(descriptors) == 5
        assert descriptors[:3] == [0, 1, 2]
        assert (read, folder, led, niceness) == ("", str(tmp_path), True, 5)


def test_a_process_that_holds_the_pipes_of_a_dead_one_is_no_reason_to_wait(
    host: Any, tmp_path: Path, make_trial: Any
) -> None:
    body = "if ctypes.CDLL(None).fork() == 0: time.sleep(1000)\n        os._exit(9)\n"
    make_trial(tmp_path, f"{_HEAD}        {body}")
    end = host.run("holds", tmp_path, idleSeconds=5)
    assert end["wallSeconds"] < 15
    check_end(end, tmp_path, "exit", "status 9")
    assert processes_in(tmp_path) == []


def test_the_log_is_kept_clean_and_its_end_is_told(
    host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    noisy = r"print('first\x1b[31m red\x1b[0m \u202eback\x07 \x00end')" + "\n" + r"print('a\rb' + 'y' * 9000)" + "\n"
    make_trial(tmp_path, noisy + plain_program, steps=1)
    end = host.run("noisy", tmp_path)
    log = (tmp_path / "log.txt").read_text()
    assert log.splitlines()[0] == "first red back end"
    assert "\x1b" not in log
    assert len(end["logTail"]) == 4000
    assert log.endswith(end["logTail"])


def test_a_log_that_an_earlier_attempt_replaced_is_not_followed(
    host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    make_trial(tmp_path / "work", "print('hello')\n" + plain_program, steps=1)
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "work" / "log.txt").symlink_to(target)
    (tmp_path / "work" / "result.json").mkdir()
    assert host.run("link", tmp_path / "work")["label"] is None
    assert target.read_text() == "untouched"
    assert (tmp_path / "work" / "log.txt").read_text() == "hello\nhello\n"  # once a task


def test_a_result_of_an_earlier_attempt_does_not_count(
    host: Any, tmp_path: Path, make_trial: Any, make_check: Any, plain_program: str
) -> None:
    make_trial(tmp_path, plain_program, steps=1)
    assert host.run("before", tmp_path)["label"] is None
    make_check(tmp_path, "import os\nos._exit(0)\n")
    assert host.run("after", tmp_path, "check")["label"] == "no_result"


def test_a_request_that_cannot_be_used_is_our_fault_and_named(
    host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    make_trial(tmp_path, plain_program)
    (tmp_path / "request.json").write_text('{"trialId": 3}')
    end = host.run("bad", tmp_path)
    assert end["label"] == "infra"
    assert "is missing" in end["detail"] or "trialId is 3" in end["detail"]


def test_two_jobs_run_side_by_side_and_each_may_be_cancelled(host: Any, tmp_path: Path, make_trial: Any) -> None:
    slow = f"{_HEAD}        time.sleep(0.05)\n        return self.map(x), None\n"
    for name in ("one", "two"):
        make_trial(tmp_path / name, slow, steps=2000)
        host.start(name, tmp_path / name)
    moving: set[str] = set()
    while moving != {"one", "two"}:
        event = host.next_event()
        if event["event"] == "progress":
            moving.add(event["id"])
    host.send({"op": "cancel", "id": "one"})
    end = host.end_of("one")
    assert end["label"] == "cancelled"
    assert host.wait_for(lambda event: event["event"] == "progress")["id"] == "two"
    host.send({"op": "cancel", "id": "two"})
    assert host.end_of("two")["label"] == "cancelled"


def test_a_line_that_cannot_be_used_is_refused_and_the_host_goes_on(host: Any, tmp_path: Path) -> None:
    job = {"op": "run", "id": "x", "command": "train", "requestPath": "r", "workdir": str(tmp_path / "nothing")}
    job |= {"channel": None}
    limits = {"wallSeconds": 1, "idleSeconds": 1, "memoryBytes": 1, "logBytes": 1}
    cases: list[tuple[Any, str | None, str]] = [
        (b"{", None, "not JSON"),
        (b"\xff\xfe", None, "not JSON"),
        (b"[" * 50_000, None, "nests too deeply"),
        ({"op": "dance", "id": "x"}, "x", 'op is "dance"'),
        ({**job, "limits": {**limits, "wallSeconds": 0}}, "x", "limits.wallSeconds is 0; it must be more than 0"),
        ({**job, "limits": limits}, "x", "nothing"),
        ({"op": "cancel", "id": "gone"}, "gone", 'id is "gone", which is no running job'),
    ]
    for line, request_id, said in cases:
        host.send(line)
        event = host.next_event()
        assert (event["event"], event["id"]) == ("refused", request_id)
        assert said in event["message"]


def test_a_process_that_slipped_away_is_gone_when_its_job_ends(host: Any, tmp_path: Path, make_check: Any) -> None:
    # Native code raises no audit event: fork, own session, fork again, and the last one keeps the log open.
    body = (
        "libc = ctypes.CDLL(None)\n"
        "if libc.fork() == 0:\n"
        "    libc.setsid()\n"
        "    if libc.fork() == 0:\n"
        "        open('pid', 'w').write(str(os.getpid()))\n"
        "        time.sleep(1000)\n"
        "    libc._exit(0)\n"
        "while not os.path.exists('pid') or not os.path.getsize('pid'): time.sleep(0.01)\n"
        "os._exit(9)\n"
    )
    make_check(tmp_path, _BESIDE + body)
    assert host.run("slips", tmp_path, "check")["detail"] == "it ended with status 9"
    assert processes_in(tmp_path) == []


def test_a_job_begins_its_first_step_soon_after_it_was_asked_for(
    host: Any, tmp_path: Path, make_trial: Any, deltanet_program: str
) -> None:
    used = []
    for index in range(3):
        make_trial(tmp_path / str(index), deltanet_program, steps=1, kinds=("bytes",))
        used.append(host.run(f"soon{index}", tmp_path / str(index))["cpuSeconds"])
    # CPU time, so that a busy machine changes little; importing torch alone would cost more than a second.
    assert min(used) < 0.5


def processes_in(folder: Path) -> list[str]:
    """Living processes that work in a folder. Their numbers inside the wall say nothing here."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(entry) == str(folder):
                found.append(entry.parent.name)
    return found


def wait_until_gone(pid: int) -> bool:
    for _ in itertools.repeat(None, 200):
        if not Path(f"/proc/{pid}").exists() or "Z (zombie)" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", ["stdin ends", "SIGTERM", "SIGKILL"])
def test_nothing_outlives_the_host(own_host: Any, tmp_path: Path, make_trial: Any, how: str) -> None:
    make_trial(tmp_path, f"{_HEAD}        time.sleep(1000)\n")
    own_host.start("sleeper", tmp_path)
    pid = own_host.next_event()["pid"]
    while not (tmp_path / "checkpoints").exists():
        time.sleep(0.02)
    match how:
        case "stdin ends":
            own_host.process.stdin.close()
        case "SIGTERM":
            own_host.process.terminate()
        case "SIGKILL":
            own_host.process.kill()
    status = own_host.end_status()
    # Behind an outer wall the signal ends the wall, and the host with it.
    assert status in {"stdin ends": (0,), "SIGTERM": (0, -15), "SIGKILL": (-9,)}[how]
    assert wait_until_gone(pid)
    assert processes_in(tmp_path) == []
