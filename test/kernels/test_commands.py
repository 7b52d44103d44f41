"""What the entry of a command says of it, against the function behind it."""

import importlib
import inspect

import pytest

from asi_kernels.commands import COMMANDS, CandidateCode, load_command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_what_guards_candidate_code_by_where_it_runs_that(
    name: str,
) -> None:
    parameters = inspect.signature(importlib.import_module(COMMANDS[name].module).run).parameters
    assert ("confine" in parameters) == (COMMANDS[name].candidate_code is CandidateCode.APART)
    assert ("close_files" in parameters) == (COMMANDS[name].candidate_code is CandidateCode.BESIDE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_can_be_called_with_a_request_a_folder_and_a_report(
    name: str,
) -> None:
    inspect.signature(load_command(name)).bind({}, None, lambda line: None)
