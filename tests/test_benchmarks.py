from importlib import import_module

import pytest

from benchmarks import breakdown, compat, configurations, learning_report, speed_report, vectorization
from benchmarks.contest import Refused, Rounds, take_turns
from benchmarks.peers.work import Size
from benchmarks.speed import OURS
from benchmarks.summary import exponent, overhead_percent, quartiles, ratios, share_of_limit, short
from rstdp_agents.training.reports.tables import table


def figures(**medians):
    return {name: quartiles([us, us]) for name, us in medians.items()}


class Clock:
    # a contestant that takes the same time for every env step, notes what it was asked, and gives up in one of its turns

    def __init__(self, us, turns=100):
        self.us, self.asked, self.turns = us, [], turns

    def run(self, steps):
        self.asked.append(steps)
        if len(self.asked) == self.turns:
            raise Refused("out of memory")
        return self.us


def test_reasons_name_no_place_on_the_machine():
    quoted = "No such file: '/opt/my venv/lib/python3.11/site-packages/a/b.png'"
    assert compat.short(quoted) == "No such file: 'a/b.png'"
    assert compat.short("see https://a.org/b/c, a/b or\n/home/me/x.py: <f at 0x7f25>, 1 / 2") == (
        "see https://a.org/b/c, a/b or x.py: <f>, 1 / 2"
    )
    assert compat.short("x" * 301) == "x" * 300 + " ..."


def test_results_of_a_package_leave_those_of_others(tmp_path):
    def group(*outcomes):
        results = [{"id": f"{i}-v0", "outcome": outcome, "reason": "a|b"} for i, outcome in enumerate(outcomes)]
        return {"version": "1.0", "ids": 5, "results": results}

    for name, outcomes in ("a", ["works"]), ("b", ["works", "cannot be made"]), ("a", ["works", "works"]):
        compat.write(tmp_path, name, group(*outcomes))
    page = (tmp_path / "compat.md").read_text()
    assert "| a 1.0 | 5 | 2 | 2 | 0 | 0 |\n| b 1.0 | 5 | 2 | 1 | 1 | 0 |\n" in page
    assert page.endswith("| `1-v0` | cannot be made | a/b |\n")


def test_quartiles_of_five_turns():
    assert quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == {"median": 3.0, "low": 2.0, "high": 4.0, "turns": 5}


def test_ratio_says_how_many_times_faster_than_the_baseline():
    assert ratios(figures(BindsNET=900.0, ours=30.0, slow=1800.0), "BindsNET") == {
        "BindsNET": 1.0, "ours": 30.0, "slow": 0.5
    }  # fmt: skip
    assert ratios(figures(ours=30.0), "BindsNET") == {}


def test_exponent_of_a_power_law():
    assert exponent([1, 4, 16], [3.0, 24.0, 192.0]) == pytest.approx(1.5)


def test_overhead_and_share_of_a_limit():
    assert overhead_percent(110.0, 100.0) == pytest.approx(10.0)
    assert share_of_limit(amount=5e6, us=1000.0, limit=20e9) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.1234, "0.123"), (9.999, "10.0"), (12.34, "12.3"), (431800, "432,000"), (0.999, "0.999")],
)
def test_short_keeps_three_digits(value, text):
    assert short(value) == text


def test_parts_of_the_loop_are_told_apart_and_sum_to_the_whole():
    parts = breakdown.once(400, "torch")
    assert tuple(parts) == breakdown.PARTS
    agent = breakdown.AGENT
    assert max(parts, key=lambda name: parts[name]) == agent, "the torch path takes most of the time"
    table = breakdown.breakdown_table({"torch": parts}).splitlines()
    assert table[-1] == f"| whole | {sum(parts.values()):.1f} |"
    shares = [float(line.split("(")[1].split(" %")[0]) for line in table[2:-1]]
    assert sum(shares) == pytest.approx(100.0, abs=0.5)


def test_least_traffic_and_operations_by_hand():
    size = Size(pre=3, post=2, envs=4, ticks=5)
    assert size.state_bytes == 4 * (6 + 4 * 6)
    assert size.bytes_moved == 2 * size.state_bytes
    assert size.flops == 2 * 6 * 4 * 5 + 2 * 6 * 4 * 6
    assert str(size) == "3->2, B4"


def test_table_of_layers_shows_ratios_and_what_did_not_run():
    rows = [
        {"name": "a", "contestants": figures(BindsNET=1000.0, ours=10.0)},
        {"name": "b", "contestants": figures(ours=20.0)},
    ]
    assert speed_report.layer_table(rows) == table(
        ["us per env step", "a", "b"],
        [
            ["BindsNET", "1,000 [1,000, 1,000], x1.00", "-"],
            ["ours, with encoding", "10.0 [10.0, 10.0], x100", "20.0 [20.0, 20.0]"],
        ],
    )


def test_a_single_turn_has_no_quartiles():
    assert speed_report.cell(quartiles([40.0]), 2.0) == "40.0, x2.00"
    assert speed_report.cell(None, None) == "-"


def test_loop_table_counts_the_steps_of_all_agents():
    results = {"cartpole": figures(BindsNET=5000.0, ours=500.0), "populations": {"16": figures(ours=800.0)}}
    rows = speed_report.cartpole_table(results).splitlines()[2:]
    assert rows == [
        "| BindsNET | 1 | 200 [200, 200] | x1.00 |",
        "| ours | 1 | 2,000 [2,000, 2,000] | x10.0 |",
        "| ours | 16 | 20,000 [20,000, 20,000] | x100 |",
    ]
    assert speed_report.groups({**results, "layers": []}) == {
        "CartPole loop": {"BindsNET": 1.0, "ours": 10.0}, "CartPole, 16 agents": {"ours": 100.0}
    }  # fmt: skip


def test_sentences_are_made_from_the_figures():
    rows = [{"name": "a", "contestants": figures(BindsNET=1000.0, ours=10.0)}]
    traced = [{"name": "b", "contestants": figures(BindsNET=3000.0, ours=30.0)}]
    text = speed_report.no_trace({"no_trace": rows, "layers": traced})
    assert "| ours, with encoding | 10.0 [10.0, 10.0], x100 |" in text
    assert text.endswith("Of BindsNET's MSTDPET at b: ours x300.")
    alone = [{"name": "b", "contestants": figures(ours=30.0)}]
    assert speed_report.no_trace({"no_trace": rows, "layers": alone}).endswith("x100 |")
    percent = {"pictures": 0.4, "points": 0.25}
    assert "1,000 env steps" in (text := speed_report.upkeep({"upkeep": {"steps": 1000, "percent": percent}}))
    assert text.endswith("pictures 0.40 %, points 0.25 % of the time, 0.65 % together.")


def test_everyone_gets_the_same_time_and_the_slow_one_a_single_turn():
    fast, medium, slow = Clock(10.0), Clock(2.5e5), Clock(5e6)
    contestants = {"fast": fast, "medium": medium, "slow": slow, "ends": Clock(10.0, turns=8)}
    samples = take_turns(contestants, Rounds(seconds=1.0, turn=0.25, least=3), gave_up := {})
    assert gave_up == {"ends": "out of memory"}
    assert {name: len(us) for name, us in samples.items()} == {"fast": 4, "medium": 4, "slow": 1}
    assert fast.asked[-1] == 25_000
    assert medium.asked[-1] == slow.asked[-1] == 1


@pytest.mark.parametrize("module", OURS.values())
def test_ours_do_the_work(module):
    contestant = import_module(f"benchmarks.peers.{module}")
    env_step = contestant.prepare(Size(pre=6, post=4, envs=2, ticks=3, agents=2))
    env_step()
    env_step()
    assert contestant.cartpole(metrics=True, agents=2)(5) > 0
    assert contestant.cartpole(metrics=False)(5) > 0


def test_cells_of_tasks_with_a_slash_are_found_again(tmp_path):
    path = learning_report.cell_file(tmp_path, "rstdp/Cue-v0", "rstdp-et")
    assert path == tmp_path / "rstdp-Cue-v0_rstdp-et.json"
    path.write_text('{"task": "rstdp/Cue-v0"}')
    assert learning_report.load(tmp_path) == {"rstdp/Cue-v0": {"rstdp-et": {"task": "rstdp/Cue-v0"}}}


def test_means_of_small_returns_keep_two_decimals():
    assert learning_report.mean([0.25, 0.3, None], bound=0.95) == "0.28"
    assert learning_report.mean([-110.25], bound=-110.0) == "-110.2"
    assert learning_report.mean([None], bound=1.0) == "-"


def test_a_page_of_configurations_is_made_from_the_figures():
    turns = {"torch": [90.0, 100.0, 130.0], "fused": [9.0, 10.0, 13.0]}
    grown = {str(n): {"fused": [us]} for n, us in ((100, 10.0), (10_000, 20.0))}
    body = configurations.tables(
        {"cases": {"one": turns}, "inputs": grown, "active": grown, "agents": grown, "starts": {"run": [2.5, 2.25]}}
    )
    assert "| one | 100 [95.0, 115] | 10.0 [9.50, 11.5] | x10.0 |" in body
    assert "| 10,000 | 20.0 [20.0, 20.0] |" in body
    assert "A power law of exponent 0.15." in body  # log 2 / log 100
    assert "| run | 2.50, 2.25 |" in body


def test_tiles_of_the_rows_have_as_many_inputs_and_active_ones_as_they_say():
    for sizes, of_active in ((configurations.INPUTS, False), (configurations.ACTIVE, True)):
        for said, (tilings, cells) in list(sizes.items())[:2]:
            life = configurations.Life(configurations.tiled(tilings, cells), "fused")
            arrays = life.agent._backend.arrays
            assert (arrays["many"][0, 0, 0] if of_active else arrays["critic"].shape[1]) == said
            assert not arrays["dense"]


@pytest.mark.parametrize("how", ["serial", "vector"])
def test_a_turn_is_as_many_steps_of_all_rows_as_it_is_divided_by(how):
    course = vectorization.Course(how, "rstdp/Reach-v0", 4)
    assert course.us_per_row(steps=43) > 0
    assert course.grid.steps == 10
    actions = vectorization.random_actions(course.grid, 4)
    assert len(actions) == vectorization.ACTIONS
    assert all(one in course.grid.action_space for batch in actions for one in batch[:, 0])


def test_vectorization_says_in_a_line_what_it_cannot_measure(capsys):
    for wrong in (["--rows", "0"], ["--turns", "0"], ["--envs", "FrozenLake-v1"]):
        with pytest.raises(SystemExit):
            vectorization.main(["--steps", "4", "--turns", "1", "--rows", "2", *wrong])
        assert capsys.readouterr().err.startswith("error: ")
