"""Judges histograms that SPIRE's page alone told, against the stream's of the same minutes. Pure."""

from __future__ import annotations

from spirelab.verdict import Line

# What serving the page may take of the time: the promise of the adaptive poll.
SERVING_MAX = 0.005
# Of what the stream told the page must have placed as much, or the ranks say nothing.
PLACED_MIN = 0.5


def judge_share(name: str, told: dict[str, float], serving: float, cores: float) -> Line:
    """`told`: observations by placement; `serving`: the share of the time; `cores`: ours for reading."""
    total = sum(told.values())
    text = ", ".join(f"{count / max(total, 1):.1%} {key}" for key, count in told.items())
    return Line(total > 0 and serving <= SERVING_MAX, f"{name}: the page tells observations",
                f"{total:g}: {text}; serving takes {serving:.2%} (limit {SERVING_MAX:.1%}), reading "
                f"{cores:.2%} of a core")


def judge_ranks(name: str, family: str, bounds: list[str], truth: list[float], told: list[float],
                limit: float) -> Line:
    """`truth` and `told`: how many observations up to each finite bound came, by the stream and by the
    page; the share up to any of them may differ by `limit`."""
    what = f"{name}: {family} as the stream tells it"
    if not bounds or truth[-1] <= 0:
        return Line(False, what, "nothing was observed, so nothing was held against it")
    if told[-1] < PLACED_MIN * truth[-1]:
        return Line(False, what, f"{told[-1]:g} placed of {truth[-1]:g}")
    farthest, bound = max((abs(mine / told[-1] - true / truth[-1]), bound)
                          for mine, true, bound in zip(told, truth, bounds, strict=True))
    return Line(farthest <= limit, what,
                f"{told[-1]:g} of {truth[-1]:g} placed, ranks differ by {farthest:.3f} at most "
                f"(limit {limit}), at {bound} s")
