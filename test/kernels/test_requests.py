"""Requests and results are checked against the schemas, and what is wrong is said in one line."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.requests import RequestError, parse_json, read_request, schema_problem, write_result

PREPARE = {
    "source": {"kind": "stdlib"},
    "cacheFolder": "/cache",
    "judgeFolder": "/judge",
    "minimumTrainBytes": 1,
    "minimumHeldOutBytes": 1,
}


def changed(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(request))
    *parents, last = path.split(".")
    inner = copy
    for name in parents:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("minimumTrainBytes", -1, "minimumTrainBytes is -1; it must be at least 0"),
        ("minimumTrainBytes", 1.5, "minimumTrainBytes is 1.5; it must be of type integer"),
        ("minimumTrainBytes", True, "minimumTrainBytes is true; it must be of type integer"),
        ("minimumTrainBytes", 4.0, "minimumTrainBytes is 4.0; it must be of type integer"),
        ("colour", "red", 'colour is "red", which is no known field; known are source, cacheFolder'),
        ("source.kind", "web", 'source.kind is "web"; it must be one of "stdlib", "folder"'),
        ("source", {"kind": "folder"}, "source.path is missing; it must be there"),
        ("source", {"kind": "folder", "path": ""}, 'source.path is ""; it must have at least 1 character'),
        ("source", {}, "source.kind is null; it must be one of"),
        ("source", 3, "source is 3; it must"),
    ],
)
def test_a_bad_request_names_field_value_and_remedy(path: str, value: Any, said: str) -> None:
    problem = schema_problem("prepare-request", changed(PREPARE, path, value))
    assert problem is not None
    assert problem.startswith(said)
    assert "\n" not in problem


def test_a_field_deep_inside_a_list_of_variants_is_named(tmp_path: Path, make_trial: Any, plain_program: str) -> None:
    request = make_trial(tmp_path, plain_program)
    assert schema_problem("train-request", request) is None
    problem = schema_problem("train-request", changed(request, "rung.tasks.1.batch", 0))
    assert problem == "rung.tasks[1].batch is 0; it must be at least 1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"source": 1, "source": 2}', "one key twice"),
        ("[" * 100_000, "nests too deeply"),
        ("[]", "the request is []; it must be of type object"),
    ],
)
def test_a_file_that_is_no_request_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(RequestError, match=r"(?s).*") as caught:
        read_request(tmp_path / "r.json", "prepare")
    assert said in str(caught.value)


def test_a_missing_request_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nothing\.json.*No such file"):
        read_request(tmp_path / "nothing.json", "prepare")


def test_a_result_off_its_schema_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="status"):
        write_result(tmp_path, "prepare", {"status": "fine"})
    assert os.listdir(tmp_path) == []


def test_a_result_replaces_an_older_one_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("old")
    write_result(tmp_path, "prepare", {"status": "refused", "field": "path", "message": "no"})
    assert parse_json((tmp_path / "result.json").read_bytes())["field"] == "path"
    assert os.listdir(tmp_path) == ["result.json"]
