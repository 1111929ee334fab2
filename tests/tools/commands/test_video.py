import numpy as np
import pytest

from rstdp_agents.training.reports.film import SIZE, Film, FilmStep


def moment(value, reward, step=0):
    spikes = np.eye(10, 4)
    picture = np.full((20, 30, 3), step, dtype=np.uint8)
    return FilmStep(picture, spikes, spikes, np.array([100.0, 200.0]), value, 0.1, reward, 0.0, f"step {step}")


def test_an_axis_grows_with_what_it_shows_and_only_then():
    film = Film(moment(1.0, 0.0), dt=1.0)
    film.frame(moment(1.0, 0.0))
    before = film._axes["value"].get_ylim()
    assert before[0] < 1.0 < before[1]
    film.frame(moment(1.01, 0.0))
    assert film._axes["value"].get_ylim() == before
    film.frame(moment(9.0, 0.0))
    assert film._axes["value"].get_ylim()[1] > 9.0


def test_a_frame_is_of_a_fixed_size_and_shows_what_is_new():
    film = Film(moment(None, 0.0), dt=1.0)
    assert "value" not in film._axes
    first, second, third = (film.frame(moment(None, 0.0, step)) for step in (0, 0, 200))
    assert first.shape == (round(SIZE[1] * 100), round(SIZE[0] * 100), 3)
    assert not np.array_equal(second, third)
    assert (third == 200).all(-1).sum() > 10_000  # the picture of the environment


def test_an_mp4_has_a_frame_for_every_env_step(run, command, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    pytest.importorskip("pygame")
    code, out, err = command("video", run, "--steps", 7, "--agent", 1, "--out", tmp_path / "film.mp4")
    assert code == 0, err
    assert out == f"wrote {tmp_path / 'film.mp4'}: 7 env steps\n"
    assert ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))[0] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_an_environment_without_pictures_is_one_line(command, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    line = ["--total-steps", 20, "--eval-episodes", 0, "--images", 0, "--no-progress", "--backend", "torch"]
    assert command("--env", "tests.helpers:Corridor-v0", "--run-dir", tmp_path / "run", *line)[0] == 0
    code, _, err = command("video", tmp_path / "run", "--trust", "--out", tmp_path / "film.mp4")
    assert (code, err) == (2, "error: tests.helpers:Corridor-v0 cannot render as rgb_array; it offers no mode\n")
    assert not (tmp_path / "film.mp4").exists()
