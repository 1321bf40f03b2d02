"""A run in words: what it was measured on, a table for each workload, the goals."""

from statistics import median

from sluice_bench.goals import NOT_MEASURED, Ratio, judge, ratio_to, ratio_to_best
from sluice_bench.results import Results
from sluice_bench.table import render_table, spread
from sluice_bench.targets import PEERS
from sluice_bench.workload import Workload

# Of a core. From here on the figure says how fast the load is, not how fast the proxy is.
SATURATED_SHARE = 0.95


def render_all(results: Results, workloads: list[Workload]) -> str:
    measured = [w for w in workloads if any(s["workload"] == w.name for s in results.samples)]
    parts = [_render_about(results.about)]
    parts += [_render_workload(results, workload) for workload in measured]
    parts.append(_render_goals(results, measured))
    return "\n\n".join(parts)


def _figures(results: Results, workload: str, target: str, metric: str) -> list[float]:
    return list(results.by_round(workload, target, metric).values())


def _targets(results: Results, workload: str) -> list[str]:
    return list(dict.fromkeys(s["target"] for s in results.samples if s["workload"] == workload))


def peers(results: Results) -> list[str]:
    names = dict.fromkeys(sample["target"] for sample in results.samples)
    return [name for name in names if name in PEERS]


def _render_about(about: dict) -> str:
    lines = [f"- {key}: {value}" for key, value in about.items() if key != "notes"]
    lines += [f"- {note}" for note in about.get("notes", [])]
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
            row.append(spread(values, metric.scale, metric.digits) or "failed")
        if is_timed:
            row += [
                _share(results, workload.name, target, share)
                for share in ("proxy_share", "load_share", "client_share")
            ]
        rows.append(row)
    rows += [row + [""] * (len(rows[0]) - len(row)) for row in _ratio_rows(results, workload)]
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


def _ratio_rows(results: Results, workload: Workload) -> list[list[str]]:
    if workload.kind == "skew":
        return []
    if not workload.reference:
        return [
            ["sluice / best peer"]
            + [
                _ratio_cell(
                    ratio_to_best(results, workload.name, m.key, m.more_is_better, peers(results))
                )
                for m in workload.metrics
            ]
        ]
    rows = []
    for subject in _targets(results, workload.name):
        if subject != workload.reference:
            cells = [
                _ratio_cell(
                    ratio_to(results, workload.name, m.key, workload.reference, subject), ""
                )
                for m in workload.metrics
            ]
            rows.append([f"{subject} / {workload.reference}", *cells])
    return rows


def _ratio_cell(ratio: Ratio | None, reference: str | None = None) -> str:
    if ratio is None:
        return ""
    words = ratio.reference if reference is None else reference
    return f"{spread(list(ratio.rounds), 1, 2)} {words}".strip()


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
    if workload.capacity_share:
        notes += _schedule_notes(results, workload, targets)
    if workload.kind == "skew":
        notes += [
            f"- sessions of each worker: {', '.join(map(str, s['figures']['sessions']))}"
            for target in targets
            for s in results.of(workload.name, target)
            if "figures" in s
        ]
    if saturated:
        names = ", ".join(saturated)
        notes.append(f"- load core saturated, so throughput says little about the proxy: {names}")
    if disturbed:
        notes.append(f"- rounds disturbed by other work: {', '.join(disturbed)}")
    return notes


def _schedule_notes(results: Results, workload: Workload, targets: list[str]) -> list[str]:
    asked = _figures(results, workload.name, targets[0], "asked_rate")
    notes = [f"- asked for: {asked[0] / 1e3:,.2f} k/s of each target"] if asked else []
    late = []
    for target in targets:
        kept = _figures(results, workload.name, target, "schedule_kept")
        if count := kept.count(False):
            late.append(f"{target} {count} of {len(kept)}")
    if late:
        notes.append(f"- rounds in which the load did not keep its schedule: {', '.join(late)}")
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
                spread(list(ratio.rounds), 1, digits) if ratio else "",
                ratio.reference if ratio else "",
                verdict.word,
            ]
        )
    lines = ["### goals: sluice / reference, median of the rounds' ratios [min max]", ""]
    lines += [render_table(rows) if len(rows) > 1 else "None is about these workloads."]
    lines += ["", "Wanted and not measured yet:", ""]
    return "\n".join(lines + [f"- {line}" for line in NOT_MEASURED])
