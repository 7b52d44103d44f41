"""The benchmark's spreads are those of a two-way table without interaction."""

import pytest

from asi_kernels.bench.trial import at_rate, spreads


def test_what_a_seed_does_to_all_rows_alike_is_not_noise() -> None:
    table = [[row + 10 * column for column in range(4)] for row in (1.0, 2.0, 3.0)]
    between, residual = spreads(table)
    assert between == pytest.approx(1.0)
    assert residual == pytest.approx(0.0, abs=1e-12)


def test_the_residual_is_what_rows_and_columns_do_not_explain() -> None:
    between, residual = spreads([[1.0, -1.0], [-1.0, 1.0]])
    assert between == pytest.approx(0.0)
    assert residual == pytest.approx(2.0)  # four squares of one over one degree of freedom


def test_another_rate_changes_the_rate_alone() -> None:
    rung = {"name": "quick", "tasks": [{"kind": "bytes", "learningRate": 4e-3, "steps": 9}]}
    twice = {"name": "quick", "tasks": [{"kind": "bytes", "learningRate": 8e-3, "steps": 9}]}
    assert at_rate(rung, 2.0) == twice
