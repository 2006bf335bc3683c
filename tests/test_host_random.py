"""Random numbers of the host: what a seed fixes, and what it keeps apart."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from mlapi import host_random
from mlapi.errors import ArgumentError


def draws(count: int) -> list[float]:
    return [host_random.generator().random() for _ in range(count)]


def test_same_seed_same_draws() -> None:
    host_random.set_seed(7)
    first = draws(5)
    host_random.set_seed(7)
    assert draws(5) == first
    host_random.set_seed(8)
    assert not set(draws(5)) & set(first)
    assert len(set(first)) == 5


def test_state_goes_on_where_it_stopped() -> None:
    draws(3)
    state = host_random.state()
    expected = draws(4)
    host_random.restore(state)
    assert draws(4) == expected


def test_an_explicit_seed_alone_decides() -> None:
    a = host_random.generator(5).random(4)
    host_random.set_seed(99)
    before = host_random.state()
    assert np.array_equal(host_random.generator(5).random(4), a)
    assert host_random.state() == before


def test_streams_do_not_count_as_draws_and_do_not_meet() -> None:
    host_random.set_seed(5)
    epochs = [host_random.generator(stream=epoch).random() for epoch in range(3)]
    assert host_random.state()["counter"] == 0
    explicit = [host_random.generator(5, stream=epoch).random() for epoch in range(3)]
    assert len({*epochs, *explicit, *draws(3)}) == 9


def test_neighbouring_draws_are_independent() -> None:
    host_random.set_seed(0)
    numbers = np.array([host_random.generator().random(50) for _ in range(50)])
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 0.01
    correlation = np.corrcoef(numbers)[np.triu_indices(50, 1)]
    assert np.abs(correlation).max() < 0.65  # 5 standard deviations of 50 pairs


def test_seeds_for_frameworks_fit_32_bits() -> None:
    seeds = [host_random.next_seed() for _ in range(200)]
    assert len(set(seeds)) == 200
    assert 0 <= min(seeds) <= max(seeds) < 2**31 - 1


def test_without_a_seed_each_process_draws_its_own() -> None:
    program = "from mlapi import host_random; print(host_random.seed(), host_random.seed())"
    seeds = set()
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        first, second = run.stdout.split()
        assert first == second
        seeds.add(first)
    assert len(seeds) == 2


@pytest.mark.parametrize("seed", [-1, 2**53, 1.5, "1", None, True])
def test_what_is_no_seed_is_refused(seed: object) -> None:
    with pytest.raises(ArgumentError, match="seed must be an integer"):
        host_random.set_seed(seed)


def test_an_incomplete_state_is_refused_and_changes_nothing() -> None:
    host_random.set_seed(3)
    with pytest.raises(ArgumentError, match="no entry 'counter'"):
        host_random.restore({"seed": 4})
    assert host_random.state() == {"seed": 3, "counter": 0}
