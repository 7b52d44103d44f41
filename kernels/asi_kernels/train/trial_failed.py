"""What ends a trial by the candidate's doing, with a label."""

from __future__ import annotations

from asi_kernels.programs import DETAIL_LIMIT


class TrialFailed(Exception):
    """The trial is over by the candidate's doing. `label` is one of the closed set of failures."""

    def __init__(self, label: str, detail: str) -> None:
        super().__init__(f"{label}: {detail}")
        self.label = label
        self.detail = detail[:DETAIL_LIMIT]
