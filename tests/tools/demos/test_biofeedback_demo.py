"""The biofeedback demonstration: its network and its reward by hand, a pinned course, and who is rewarded for what."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rstdp_agents.tools.demos.biofeedback import (
    A_NOT_B,
    B_NOT_A,
    CONDITIONS,
    MINUTE,
    NOTHING,
    Course,
    chosen,
    course,
    draw,
    main,
    measure,
    run,
    table,
)
from rstdp_agents.tools.demos.noisy_circuit import Circuit, circuit, constants, live

TWO = Circuit(
    excitatory=2, inhibitory=0, density=1.0, to_noisy=1.0, noise_exc=(0.0, 0.0, 2.7), noise_inh=(0.0, 0.0, 10.5), lr=0.0
)
SMALL = Circuit(excitatory=80, inhibitory=20, density=0.8)
NEVER = np.zeros(2)


def forced(times, p, until, pays=NEVER, given=()):
    """Two neurons that project to each other and are made to fire: the state after ``until`` ms, and the reward of every ms."""
    s, k, rewards = circuit(p, 0), constants(p), []
    for t in range(until):
        for neuron in (0, 1):
            s.v[neuron] = 0.0 if t in times[neuron] else -70.0
        fired, _ = live(s, k, 0, t, pays, np.array([float(t in given)]))
        assert fired.tolist() == [t in times[0], t in times[1]]
        rewards.append(s.reward[0, 1] / k.tau_rise - s.reward[1, 1] / k.tau_fall)
    return s, np.array(rewards)


def kernel(s):
    """The reward s ms after it began, in Hz."""
    return np.where(s > 0, s / 0.2**2 * np.exp(-s / 200) - s / 1.0**2 * np.exp(-s / 1000), 0.0) / 1000


def test_pairs_of_spikes_count_by_their_times_of_arrival():
    """Neuron 0 fires at 20 ms, which arrives at 21; neuron 1 at 27: causal by 6 ms one way, anti-causal by 8 ms the other."""
    s, _ = forced(({20}, {27}), TWO, 29)
    assert s.target.tolist() == [1, 0]
    assert s.pairs == pytest.approx([np.exp(-6 / 30), -1.05 * np.exp(-8 / 30)])


def test_all_pairs_count():
    s, _ = forced(({20, 26}, {28}), replace(TWO, a_minus=0.0), 29)
    assert s.pairs == pytest.approx([np.exp(-7 / 30) + np.exp(-1 / 30), 0.0])


def test_a_spike_is_rewarded_after_the_delay_and_all_of_it_is_taken_back():
    _, rewards = forced(({20}, set()), TWO, 9000, pays=np.array([1.0, 0.0]))
    assert rewards == pytest.approx(kernel(np.arange(9000) - 220.0), abs=1e-12)
    assert rewards[:221].tolist() == [0.0] * 221
    assert rewards[:700].sum() > 500 * 0.8
    assert rewards.sum() == pytest.approx(0.0, abs=2.0)
    _, punished = forced(({20}, set()), TWO, 900, pays=np.array([-1.0, 0.0]))
    assert punished == pytest.approx(-rewards[:900])
    _, given = forced((set(), set()), TWO, 900, given={20})
    assert given == pytest.approx(rewards[:900])


def test_a_reward_writes_what_is_eligible_when_it_comes():
    """Every 10 ms w grows by 0.01 s lr c d; c = A s / 400 exp(-s / 400), s after the pair (from the update before it)."""
    p = replace(TWO, lr=2.0)
    s, rewards = forced(({20}, {27}), p, 1001, pays=np.array([1.0, 0.0]))
    at = np.arange(30, 1001, 10)
    c = np.exp(-6 / 30) * (at - 20) / 400 * np.exp(-(at - 20) / 400)
    assert s.c[0] == pytest.approx(c[-1])
    assert s.weight[0] - p.w_start == pytest.approx(np.sum(0.01 * 2.0 * c * rewards[at]))
    assert s.weight[0] > p.w_start > s.weight[1]


def test_synapses_open_depress_and_recover():
    """Half of what is left is released at each spike: 0.5, then 0.5 (1 - 0.5 exp(-40 / 1100))."""
    s, _ = forced(({20, 60}, set()), TWO, 61)
    assert s.release[0] == pytest.approx(0.5 * (1 - 0.5 * np.exp(-40 / 1100)))
    s, _ = forced(({20}, set()), TWO, 26)
    assert s.g[:, 1] == pytest.approx([10.8 * 0.5 * np.exp(-4 / 5), 0.0])


def test_noise_has_the_mean_and_the_deviation_it_should_have():
    p = Circuit(density=0.0, lr=0.0)
    s = circuit(p, 0)
    live(s, constants(p), 0, 0, np.zeros(1000), np.zeros(200))
    assert s.noise.std(1) == pytest.approx([3.0, 6.6], rel=0.06)
    assert abs(s.noise.mean(1)).max() < 0.5
    assert s.loud.tolist() == [0.2] * 400 + [1.0] * 400 + [0.2] * 100 + [1.0] * 100


def test_neurons_with_full_noise_have_fewer_synapses():
    s = circuit(Circuit(), 3)
    counts = np.zeros((1000, 1000), int)
    np.add.at(counts, (s.source, s.target), 1)
    assert counts.max() == 1
    assert np.diag(counts).sum() == 0
    shares = [counts[:800, :400], counts[:800, 400:800], counts[800:, :400], counts[800:, 800:900], counts[:800, 900:]]
    assert [share.mean() for share in shares] == pytest.approx([0.08, 0.032, 0.096, 0.064, 0.032], rel=0.06)
    assert (s.target[s.leaves[5] : s.leaves[6]] == np.flatnonzero(counts[5])).all()
    arrive = s.incoming[s.arrives[5] : s.arrives[6]]
    assert (s.source[arrive] == np.flatnonzero(counts[:800, 5])).all()
    assert (s.weight[s.source >= 800] == 211.5).all()
    assert len(s.c) == counts[:800].sum()


def test_neurons_are_chosen_by_their_rates_among_the_excitatory_ones_with_little_noise():
    rates = np.zeros(100)
    rates[[3, 7, 30, 50, 90]] = 6.0, 3.0, 4.5, 4.0, 4.0
    assert chosen(rates, SMALL) == [30, 7]


def test_a_course_compares_the_end_of_each_phase_with_before():
    rates = np.zeros((7, 100))
    rates[:, 5], rates[:, 6] = [2, 2, 3, 5, 4, 2, 1], 1.0
    found = course(rates, [5, 6], [(10.0, 9.0)] * 7, 3, SMALL)
    assert found.stages(found.a) == [2.0, 4.0, 1.5]
    assert found.rose
    assert found.rank == 1.0
    assert found.others == [0.0] * 7
    assert not Course(3, [2, 3, 2.9, 2.9, 9, 9, 9], [], [], [], [], 0.0).rose


@pytest.fixture(scope="module")
def found():
    return measure(SMALL, (0, 1), 1)


def test_two_minutes_of_the_whole_network_are_what_they_were():
    """A thousand neurons fire 4 times a second; the beginning of a run that is 20 minutes long on docs/demonstrations.md."""
    first, earned = run(Circuit(), 3000, 1)
    assert first.a[0] == pytest.approx(4.0, abs=0.1)
    assert first.others == pytest.approx([3.82, 3.9], abs=0.15)
    assert earned.sum() == pytest.approx(first.a[1] * 60)
    assert first.to_all == pytest.approx([10.8, 10.86], abs=0.03)


def test_every_condition_has_its_minutes(found):
    assert [len(courses[0].a) for courses in found.values()] == [2, 2, 2, 2, 3]
    assert found["rewarded"][1] == run(SMALL, 1, 1)[0]
    assert found["any"][0].a != found["rewarded"][0].a
    assert found["yoked"][0].a[0] == found["rewarded"][0].a[0]


def test_yoked_networks_get_their_rewards_from_another(found):
    _, earned = run(SMALL, 1, 1)
    yoked, own = run(SMALL, 0, 1, (NOTHING,), earned)
    assert yoked == found["yoked"][0]
    assert not own.any()
    assert run(SMALL, 0, 1, (NOTHING,))[0].to_a == pytest.approx([10.8, 10.8])


def test_a_switch_turns_the_signs_of_what_is_earned():
    found, earned = run(SMALL, 0, 1, (A_NOT_B, B_NOT_A))
    balance = 60 * (np.array(found.a) - found.b)[1:]
    assert earned.reshape(2, MINUTE).sum(1) == pytest.approx(balance * [1, -1])


def test_table_figure_and_file(found, tmp_path, capsys, monkeypatch):
    lines = table(found).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(CONDITIONS)
    assert len(draw(found).axes) == 6
    monkeypatch.setattr("rstdp_agents.tools.demos.biofeedback.measure", lambda *_: found)
    main(tmp_path / "b.png", (0, 1), 1)
    assert (tmp_path / "b.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "b.json").read_text())["switched"][1]["minutes"] == 1
    assert "| rewarded |" in capsys.readouterr().out
