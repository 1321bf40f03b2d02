"""Bar charts and curves of a result file, as SVG."""

from pathlib import Path
from statistics import median

from sluice_bench.results import Results
from sluice_bench.targets import TARGETS
from sluice_bench.workload import Workload

_ACCENT = "#0b6e99"
_GREYS = ("#4d4d4d", "#8c8c8c", "#6e6e6e", "#b0b0b0", "#d0d0d0")
_MARKS = ("s", "^", "D", "v", "x")
_BAR_GROUPS = {
    "bulk": ("bulk-", "CPU of the proxy, ms/GB", 1e12),
    "ping-pong": ("ping-pong-", "CPU of the proxy, us per round trip", 1e6),
    "connect": ("connect-", "CPU of the proxy, us per connection", 1e6),
}


class MissingLibrary(Exception):
    """There is nothing to draw with."""


def draw(results: Results, workloads: list[Workload], directory: Path) -> list[Path]:
    """The files written: a chart for each group of workloads that was measured."""
    try:
        import matplotlib
    except ImportError:
        raise MissingLibrary("charts need matplotlib: apt install python3-matplotlib") from None
    matplotlib.use("svg")
    # The same results make the same file.
    matplotlib.rcParams["svg.hashsalt"] = "sluice"
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (prefix, title, scale) in _BAR_GROUPS.items():
        group = [w for w in workloads if w.name.startswith(prefix) and _has(results, w)]
        if group:
            files.append(_draw_bars(results, group, title, scale, directory / f"{name}.svg"))
    open_loop = [w for w in workloads if w.capacity_share and _has(results, w)]
    if open_loop:
        files.append(_draw_latency(results, open_loop, directory / "latency.svg"))
    return files


def _has(results: Results, workload: Workload) -> bool:
    return any(s["workload"] == workload.name and "figures" in s for s in results.samples)


def _names(results: Results, workloads: list[Workload]) -> list[str]:
    """Sluice first, then the others as they are listed."""
    measured = {
        s["target"] for s in results.samples if s["workload"] in {w.name for w in workloads}
    }
    names = [target.name for target in TARGETS if target.name in measured]
    return sorted(names, key=lambda name: name != "sluice")


def _colours(names: list[str]) -> dict[str, str]:
    others = [name for name in names if name != "sluice"]
    return {"sluice": _ACCENT} | {n: _GREYS[i % len(_GREYS)] for i, n in enumerate(others)}


def _draw_bars(
    results: Results, workloads: list[Workload], title: str, scale: float, file: Path
) -> Path:
    from matplotlib import pyplot

    names = _names(results, workloads)
    colours = _colours(names)
    columns = min(3, len(workloads))
    lines = -(-len(workloads) // columns)
    height = lines * (0.26 * len(names) + 0.9) + 0.6
    figure, axes = pyplot.subplots(lines, columns, figsize=(3.4 * columns, height), squeeze=False)
    for axis, workload in zip(axes.flat, workloads):
        _draw_bar_axis(axis, results, workload, names, colours, scale)
    for axis in list(axes.flat)[len(workloads) :]:
        axis.set_visible(False)
    figure.suptitle(f"{title}: median, minimum and maximum; less is better", fontsize=10)
    return _save(figure, file)


def _draw_bar_axis(axis, results, workload, names, colours, scale) -> None:
    for place, name in enumerate(names):
        values = [
            v * scale for v in results.by_round(workload.name, name, "cpu").values()
        ]
        if not values:
            continue
        middle = median(values)
        whiskers = [[middle - min(values)], [max(values) - middle]]
        axis.barh(
            place,
            middle,
            color=colours[name],
            xerr=whiskers,
            ecolor="#222222",
            capsize=2,
            error_kw={"linewidth": 0.8},
        )
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.invert_yaxis()
    axis.set_title(workload.name, fontsize=9)
    _clean(axis)


def _draw_latency(results: Results, workloads: list[Workload], file: Path) -> Path:
    from matplotlib import pyplot

    names = _names(results, workloads)
    colours = _colours(names)
    figure, axis = pyplot.subplots(figsize=(6, 3.6))
    for place, name in enumerate(names):
        points = []
        for workload in workloads:
            rates = results.by_round(workload.name, name, "asked_rate").values()
            latencies = results.by_round(workload.name, name, "p99").values()
            if rates and latencies:
                points.append((median(rates) / 1e3, median(latencies) * 1e6))
        mark = "o" if name == "sluice" else _MARKS[place % len(_MARKS)]
        axis.plot(*zip(*sorted(points)), marker=mark, color=colours[name], label=name)
    axis.set_yscale("log")
    axis.set_xlabel("thousand requests per second, 64 connections, 64 B", fontsize=8)
    axis.set_ylabel("p99, us, from when it was due", fontsize=8)
    axis.legend(fontsize=8, frameon=False)
    _clean(axis)
    return _save(figure, file)


def _clean(axis) -> None:
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axis.set_axisbelow(True)


def _save(figure, file: Path) -> Path:
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(file, facecolor="white", metadata={"Date": None})
    pyplot.close(figure)
    return file
