"""The edge of candidate code in a process that answers: what is the candidate's doing ends the trial with a label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from asi_kernels.models.language_model import MixerContractError
from asi_kernels.programs import DETAIL_LIMIT, ProgramError, describe_error


class TrialFailed(Exception):
    """The trial is over by the candidate's doing. `label` is one of the closed set of failures."""

    def __init__(self, label: str, detail: str) -> None:
        super().__init__(f"{label}: {detail}")
        self.label = label
        self.detail = detail[:DETAIL_LIMIT]


@contextmanager
def candidate_edge(where: str) -> Iterator[None]:
    """Runs candidate code. Whatever it raises becomes TrialFailed; `where` says at which point of the trial."""
    try:
        yield
    except TrialFailed:
        raise
    except ProgramError as error:
        raise TrialFailed(error.label, error.detail) from error
    except MixerContractError as error:
        raise TrialFailed("exit", f"{where}: {error}") from error
    except (Exception, SystemExit) as error:  # anything may come out of candidate code
        raise TrialFailed("exit", f"{where}: {describe_error(error)}") from error
