"""Tables: Markdown that also reads well in a terminal."""

from statistics import median

from sluice_bench.goals import NOT_MEASURED, judge, ratio_to_best
from sluice_bench.results import Results
from sluice_bench.workloads import Metric, Workload

# Of a core. From here on the figure says how fast the load is, not how fast the proxy is.
SATURATED_SHARE = 0.95


def render_all(results: Results, workloads: list[Workload]) -> str:
    measured = [w for w in workloads if any(s["workload"] == w.name for s in results.samples)]
    parts = [_render_about(results.about)]
    parts += [_render_workload(results, workload) for workload in measured]
    parts.append(_render_goals(results, measured))
    return "\n\n".join(parts)


def render_table(rows: list[list[str]]) -> str:
    """The first row is the head; all but the first column are figures."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = []
    for row in [rows[0], rule, *rows[1:]]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(values: list[float], scale: float, digits: int) -> str:
    if not values:
        return ""
    three = (median(values), min(values), max(values))
    middle, low, high = (f"{value * scale:,.{digits}f}" for value in three)
    return middle if len(values) == 1 else f"{middle} [{low} {high}]"


def _figures(results: Results, workload: str, target: str, metric: str) -> list[float]:
    return list(results.by_round(workload, target, metric).values())


def _targets(results: Results, workload: str) -> list[str]:
    return list(dict.fromkeys(s["target"] for s in results.samples if s["workload"] == workload))


def peers(results: Results) -> list[str]:
    names = dict.fromkeys(sample["target"] for sample in results.samples)
    return [name for name in names if name not in ("direct", "sluice")]


def _render_about(about: dict) -> str:
    lines = [f"- {key}: {value}" for key, value in about.items()]
    return "\n".join(lines)


def _render_workload(results: Results, workload: Workload) -> str:
    is_timed = workload.kind == "timed"
    head = ["target", *(metric.title for metric in workload.metrics)]
    rows = [head + (["proxy core", "load core", "client"] if is_timed else [])]
    targets = sorted(_targets(results, workload.name), key=_display_order)
    for target in targets:
        row = [target]
        for metric in workload.metrics:
            values = _figures(results, workload.name, target, metric.key)
            row.append(_spread(values, metric.scale, metric.digits) or "failed")
        if is_timed:
            row += [
                _share(results, workload.name, target, share)
                for share in ("proxy_share", "load_share", "client_share")
            ]
        rows.append(row)
    rows.append(_ratio_row(results, workload, len(rows[0])))
    notes = _notes(results, workload, targets)
    if workload.kind == "syscalls":
        notes += _call_lists(results, workload, targets)
    title = f"### {workload.name}: {workload.title}"
    return "\n".join([title, "", render_table(rows), *(["", *notes] if notes else [])])


def _display_order(target: str) -> int:
    return {"direct": 0, "sluice": 1}.get(target, 2)


def _share(results: Results, workload: str, target: str, share: str) -> str:
    values = _figures(results, workload, target, share)
    return f"{median(values) * 100:.0f} %" if values else ""


def _ratio_row(results: Results, workload: Workload, columns: int) -> list[str]:
    row = ["sluice / best peer"]
    for metric in workload.metrics:
        ratio = ratio_to_best(
            results, workload.name, metric.key, metric.more_is_better, peers(results)
        )
        row.append(f"{_spread(list(ratio.rounds), 1, 2)} {ratio.reference}" if ratio else "")
    return row + [""] * (columns - len(row))


def _notes(results: Results, workload: Workload, targets: list[str]) -> list[str]:
    failures, disturbed, saturated = [], [], []
    for target in targets:
        samples = results.of(workload.name, target)
        failures += [f"- {target} failed: {s['failed']}" for s in samples if "failed" in s]
        if count := sum(sample.get("disturbed", False) for sample in samples):
            disturbed.append(f"{target} {count} of {len(samples)}")
        shares = _figures(results, workload.name, target, "load_share")
        if shares and median(shares) >= SATURATED_SHARE:
            saturated.append(target)
    notes = list(dict.fromkeys(failures))
    if saturated:
        names = ", ".join(saturated)
        notes.append(f"- load core saturated, so throughput says little about the proxy: {names}")
    if disturbed:
        notes.append(f"- rounds disturbed by other work: {', '.join(disturbed)}")
    return notes


def _call_lists(results: Results, workload: Workload, targets: list[str]) -> list[str]:
    lines = []
    for target in targets:
        lists = [s["figures"]["calls"] for s in results.of(workload.name, target) if "figures" in s]
        if lists:
            calls = sorted(lists[-1].items(), key=lambda item: -item[1])
            words = ", ".join(f"{name} {count:.2f}" for name, count in calls if count >= 0.02)
            lines.append(f"- {target}: {words}")
    return lines


def _render_goals(results: Results, workloads: list[Workload]) -> str:
    rows = [["goal", "workload", "wanted", "measured", "against", ""]]
    for verdict in judge(results, workloads, peers(results)):
        goal, ratio = verdict.goal, verdict.measured
        digits = 1 if goal.bound >= 10 else 2 if goal.bound >= 0.2 else 3
        rows.append(
            [
                goal.what,
                goal.workload,
                f"{'>=' if goal.at_least else '<='} {goal.bound:.{digits}f}",
                _spread(list(ratio.rounds), 1, digits) if ratio else "",
                ratio.reference if ratio else "",
                verdict.word,
            ]
        )
    lines = ["### goals: sluice / reference, median of the rounds' ratios [min max]", ""]
    lines += [render_table(rows), "", "Wanted and not measured yet:", ""]
    return "\n".join(lines + [f"- {line}" for line in NOT_MEASURED])
