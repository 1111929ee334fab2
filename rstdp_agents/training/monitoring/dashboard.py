"""TensorBoard's page of custom scalars: what to look at first, in order, readable for one agent and for many."""

from __future__ import annotations

from typing import Any

from rstdp_agents.training.config import RunConfig, by_option

LOW, HIGH = "spread/low/", "spread/high/"
"""Prefixes of tags for the ends of the band that holds the middle 80 % of a population; the tag itself is the mean.
The page of custom scalars draws them; on the other pages they are one folded group after all others."""
INFO = "info/"
"""Prefix of tags for numbers of `info`."""

ALWAYS = {"env", "rule", "modulator", "plasticity.lr", "seed", "agents", "total_steps"}
"""Settings that are shown with every result; the others only if they differ from the default."""
NEVER = {"run_dir", "resume", "progress", "images", "map_dims", "log_every", "checkpoint_every", "eval_episodes"}


def charts(layers: list[str], critic: bool, held: bool, keywords: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """The tag of every chart, by page and title, first to last.

    layers: names of the layers, the output last. critic: whether there is one. held: whether homeostasis holds their rates.
    keywords: names of numbers in `info`.
    """
    spiking = ["input", *layers]
    hidden = {f" of {name}": f"/{name}" for name in layers[:-1]}
    return {
        "1 return": {
            "return": "charts/episodic_return",
            "episode length": "charts/episodic_length",
            **{INFO + name: INFO + name for name in keywords},
        },
        "2 activity": {f"rate of {name} (Hz)": f"activity/rate_hz/{name}" for name in reversed(spiking)}
        | {f"rate of {name} / target": f"activity/rate_of_target/{name}" for name in reversed(layers) if held}
        | {f"silent share of {name}": f"activity/silent_frac/{name}" for name in reversed(spiking)},
        "3 modulator": {
            "mean of m": "learn/modulator_mean",
            "size of m (rms)": "learn/modulator_rms",
            "sharpness of actions": "learn/sharpness",
        }
        | ({"largest critic weight": "learn/critic_w_max"} if critic else {}),
        "4 eligibility and weights": {
            "eligibility (rms)": "learn/eligibility_rms",
            "weight change per env step (rms)": "learn/dw_rms",
            **{f"weights{of} (rms)": f"learn/w_rms{tag}" for of, tag in {"": "", **hidden}.items()},
            **{f"share{of} on a bound": f"learn/w_saturated_frac{tag}" for of, tag in {"": "", **hidden}.items()},
        },
    }


def layout(pages: dict[str, dict[str, str]]) -> dict[str, dict[str, list[Any]]]:
    """`charts` as `SummaryWriter.add_custom_scalars` takes them; TensorBoard shows the last chart of a page first.

    A chart is the same for one agent and for many, because TensorBoard merges identical charts of all runs.
    """
    return {page: {title: _chart(titles[title]) for title in reversed(titles)} for page, titles in pages.items()}


def banded(pages: dict[str, dict[str, str]]) -> set[str]:
    """Tags that are drawn with a band."""
    return {tag for titles in pages.values() for tag in titles.values()}


def hyperparameters(config: RunConfig) -> dict[str, bool | int | float | str]:
    """Settings that tell runs apart, by their names on the command line, as the HParams plug-in takes them."""
    default = by_option(RunConfig())
    chosen = {k: v for k, v in by_option(config).items() if k in ALWAYS or (v != default[k] and k not in NEVER)}
    return {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in chosen.items()}


def _chart(tag: str) -> list[Any]:
    return ["Margin", [tag, LOW + tag, HIGH + tag]]
