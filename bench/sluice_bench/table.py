"""Tables: Markdown that also reads well in a terminal."""

from statistics import median


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


def spread(values: list[float], scale: float, digits: int) -> str:
    """Median, and minimum and maximum in brackets when there are several."""
    if not values:
        return ""
    three = (median(values), min(values), max(values))
    middle, low, high = (f"{value * scale:,.{digits}f}" for value in three)
    return middle if len(values) == 1 else f"{middle} [{low} {high}]"
