"""The one-synapse demonstration: final weights, every step against the recorded ones, and the figure."""

from pathlib import Path

import numpy as np
import pytest

from rstdp_agents.tools.demos.florian import Demonstration, main, run

RECORDED = Path(__file__).parents[2] / "conformance" / "data" / "inferno_florian_demo.npz"
FINAL = {"STDP": 0.26904, "MSTDP": 0.20330, "MSTDPET": 0.33420, "MSTDPET, lagged": 0.33954}


@pytest.fixture(scope="module")
def courses():
    return run(Demonstration())


@pytest.mark.parametrize("rule", FINAL)
def test_final_weights(courses, rule):
    assert round(courses[rule].weight[-1].item(), 5) == FINAL[rule]


def test_every_step_is_the_recorded_one(courses):
    p, recorded = Demonstration(), np.load(RECORDED)
    for name, ours in zip(("pre", "post", "reward"), (*p.spikes(), p.reward()), strict=True):
        np.testing.assert_array_equal(ours[1:], recorded[name][1:])
    for rule in ("STDP", "MSTDP", "MSTDPET"):
        np.testing.assert_allclose(courses[rule].weight, recorded[f"w_{rule.lower()}"], atol=1e-6)
    np.testing.assert_allclose(courses["MSTDPET"].eligibility, recorded["elig_trace"] / p.lr, atol=1e-6)


def test_without_a_lag_a_constant_reward_makes_mstdp_stdp(courses):
    always = Demonstration(rewarded_until=200)
    assert run(always)["MSTDP"].weight.equal(courses["STDP"].weight)


def test_the_command_writes_a_picture_and_prints_the_weights(tmp_path, capsys):
    out = tmp_path / "florian.png"
    main(out)
    assert out.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert out.stat().st_size > 20_000
    printed = capsys.readouterr().out
    assert all(f"{weight:.5f}" in printed for weight in FINAL.values())
