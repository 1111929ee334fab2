"""The distal reward demonstration: its network by hand, a pinned course, and who is rewarded when."""

from dataclasses import replace

import numpy as np
import pytest

from rstdp_agents.tools.demos.cortex import EVERY, LATEST, Cortex, live, network, rates
from rstdp_agents.tools.demos.distal_reward import CONDITIONS, draw, main, measure, run, table

NOBODY = np.empty(0, np.int64)
TWO = Cortex(excitatory=2, inhibitory=0, targets=1, noise=0.0)


def forced(times, p, until, rewards=NOBODY):
    """Two neurons that project to each other and are made to fire: c of both synapses, and the state, after ``until`` ms."""
    s, constants, earned = network(p, 0), rates(p), []
    for t in range(until):
        for neuron in (0, 1):
            s.v[neuron] = 35.0 if t in times[neuron] else -65.0
        s.u[:] = -13.0
        earned += live(s, constants, 0, t, t + 1, rewards[rewards == t], len(rewards) > 0)[1].tolist()
    return s, earned


def test_pairs_of_spikes_are_eligible_by_their_times_of_arrival():
    """Neuron 0 fires at 20 ms, which arrives at 21; neuron 1 at 27: causal by 6 ms one way, anti-causal by 8 ms the other."""
    s, _ = forced(({20}, {27}), TWO, 29)
    assert s.target.tolist() == [[1], [0]]
    assert s.c[0, 0] == pytest.approx(TWO.a_plus * np.exp(-6 / TWO.tau))
    assert s.c[1, 0] == pytest.approx(-TWO.a_minus * np.exp(-8 / TWO.tau))


def test_the_watched_pair_is_rewarded_between_one_and_three_seconds_later_and_no_other():
    times = [(({20}, {27}), 1), (({20}, {39}), 1), (({20}, {40}), 0), (({27}, {20}), 0), (({20, 30}, {24, 33}), 2)]
    for fired, rewards in times:
        s, earned = forced(fired, TWO, 60)
        assert len(earned) == rewards, fired
        assert all(1000 <= time - 27 + 7 <= 3020 for time in earned)
        assert (s.rewards > 0).sum() == rewards
        assert s.rewards.sum() == pytest.approx(rewards * TWO.dose)


def test_dopamine_writes_what_is_eligible_when_it_comes():
    """w grows by (baseline + d) c every 10 ms, d decaying with tau_d from the dose on, c with tau_c."""
    with_dose, _ = forced(({20}, {27}), TWO, 1301, np.array([1300]))
    without, _ = forced(({20}, {27}), TWO, 1301, np.array([LATEST + 1]))
    eligible = TWO.a_plus * np.exp(-6 / TWO.tau) * np.exp(-EVERY / TWO.tau_c) ** 127  # of 30, 40, ..., 1290 ms
    assert with_dose.weight[0, 0] - without.weight[0, 0] == pytest.approx(TWO.dose * eligible, rel=1e-6)
    assert with_dose.dopamine[0] == pytest.approx(TWO.dose)


def test_inhibition_is_of_excitatory_neurons_and_no_neuron_projects_to_itself():
    p = Cortex()
    s = network(p, 3)
    assert (s.target != np.arange(1000)[:, None]).all()
    assert s.target[800:].max() < 800 <= s.target[:800].max()
    assert all(len(set(row)) == p.targets for row in s.target.tolist())
    assert (s.weight[800:] == -1.0).all()
    incoming = s.incoming[s.first[5] : s.first[6]]
    assert (s.target[:800].reshape(-1)[incoming] == 5).all()
    assert len(incoming) == (s.target[:800] == 5).sum()


@pytest.fixture(scope="module")
def found():
    return measure(Cortex(), (0, 1), 60)


def test_a_minute_of_the_whole_network_is_what_it_was(found):
    """A thousand neurons fire about once a second; the first figures of a run that is an hour long on docs/demonstrations.md."""
    rewarded, yoked, short = (found[name] for name in CONDITIONS)
    assert rewarded[0].hertz == pytest.approx(1.35, abs=0.1)
    assert [len(course.weight) for course in (*rewarded, *yoked, *short)] == [60] * 6
    assert rewarded[0].others[-1] == pytest.approx(0.96, abs=0.03)
    assert run(Cortex(), 0, 60) == rewarded[0]
    assert yoked[0].rewards == []


def test_yoked_networks_get_their_rewards_from_another(found):
    given = [200, 5200]
    s = run(Cortex(), 0, 8, yoked_to=given)
    assert s.rewards == []
    assert s.weight != run(Cortex(), 0, 8, yoked_to=[]).weight or s.others != run(Cortex(), 0, 8, yoked_to=[]).others


def test_table_figure_and_file(found, tmp_path, capsys):
    p = replace(Cortex(), w_max=0.001)  # so that something counts as strengthened
    lines = table(found, p).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(CONDITIONS)
    assert len(draw(found, p).axes) == 3
    main(tmp_path / "d.png", (0, 0), 2)
    assert (tmp_path / "d.png").stat().st_size > 10_000
    assert (tmp_path / "d.json").exists()
    assert "| rewarded | 0/1 |" in capsys.readouterr().out
