"""/metrics as a test reads it: scraped, parsed by Prometheus' own Python client, held against what
the test did, and looked over with the rules of `promtool check metrics`."""
import re
from copy import copy

from prometheus_client.parser import text_string_to_metric_families

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(\{{.*\}})? (\S+)")
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
# What a unit may not be called (promtool: use base units).
FOREIGN_UNITS = re.compile(r"_(milliseconds|microseconds|ms|minutes|hours|kilobytes|kib|mib|percent)(_|$)")


class Metrics:
    """One scrape: what was written, the families in it, and each series with its number."""

    def __init__(self, text):
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def but(self, changes):
        """The same with other numbers, or without them (None)."""
        other = copy(self)
        other.samples = {**self.samples, **changes}
        return other

    def get(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))

    def sum(self, name, **labels):
        """Over all series that have these labels."""
        wanted = set(labels.items())
        return sum(
            value for (its_name, its), value in self.samples.items() if its_name == name and wanted <= its
        )

    def label_names(self):
        """What series there are of each metric, as {name: {label names}}; a histogram's are those of
        the whole."""
        names = {}
        for family in self.families:
            for sample in family.samples:
                base = family.name if family.type == "histogram" else sample.name
                names.setdefault(base, set()).update(set(sample.labels) - {"le"})
        return names

    def types(self):
        return dict(re.findall(rf"^# TYPE ({NAME}) (\w+)$", self.text, re.MULTILINE))

    def help(self):
        return dict(re.findall(rf"^# HELP ({NAME}) (.*)$", self.text, re.MULTILINE))


def scrape(admin):
    answer = admin.request("GET", "/metrics")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Metrics(answer.text)


def differences(metrics, expected):
    """Where the numbers are not as expected; `expected` is {(name, (label, value)...): number}."""
    found = []
    for key, number in sorted(expected.items(), key=str):
        name, labels = key[0], dict(key[1:])
        actual = metrics.get(name, **labels)
        if actual != number:
            found.append(f"{name} {labels} is {actual}, not {number}")
    return found


def lint(text):
    """What promtool would say, and a little more."""
    return _order_problems(text) + _family_problems(text) + _histogram_problems(text)


def _base(name, types):
    for part in HISTOGRAM_PARTS:
        if name.endswith(part) and types.get(name[: -len(part)]) == "histogram":
            return name[: -len(part)]
    return name


def _order_problems(text):
    """HELP, TYPE, then all series of the family, each once; and nothing of it later."""
    problems, seen, finished, current = [], set(), set(), None
    helps, types = set(), {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            problems += [f"{name}: HELP comes twice"] if name in helps else []
            helps.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            problems += [f"{name}: TYPE comes twice"] if name in types else []
            types[name] = kind
            finished.add(current)
            current = name
        else:
            match = SAMPLE.fullmatch(line)
            if match is None:
                problems.append(f"no sample: {line!r}")
                continue
            base = _base(match[1], types)
            if base != current:
                problems.append(f"{base}: not below its TYPE" + (" again" if base in finished else ""))
            if base not in helps:
                problems.append(f"{base}: no HELP")
            if (match[1], match[2]) in seen:
                problems.append(f"{match[1]}{match[2]}: comes twice")
            seen.add((match[1], match[2]))
    return problems + [f"{name}: HELP without TYPE" for name in helps - set(types)]


def _family_problems(text):
    problems = []
    metrics = Metrics(text)
    for name, kind in metrics.types().items():
        if kind not in ("counter", "gauge", "histogram"):
            problems.append(f"{name}: a {kind}")
        if (kind == "counter") != name.endswith("_total"):
            problems.append(f"{name}: a {kind} of that name")
        if FOREIGN_UNITS.search(name):
            problems.append(f"{name}: no base unit")
        if kind != "histogram" and name.endswith(HISTOGRAM_PARTS):
            problems.append(f"{name}: looks like a part of a histogram")
        if not metrics.help().get(name, "").endswith("."):
            problems.append(f"{name}: its help is no sentence")
    return problems


def _histogram_problems(text):
    problems = []
    for family in Metrics(text).families:
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            entry = series.setdefault(frozenset(labels.items()), {"buckets": []})
            if sample.name.endswith("_bucket"):
                entry["buckets"].append((float(sample.labels["le"]), sample.value))
            else:
                entry[sample.name.rsplit("_", 1)[1]] = sample.value
        for labels, entry in series.items():
            where = f"{family.name}{sorted(labels)}"
            bounds = [bound for bound, _ in entry["buckets"]]
            counts = [count for _, count in entry["buckets"]]
            if bounds != sorted(bounds) or len(set(bounds)) != len(bounds):
                problems.append(f"{where}: bounds out of order")
            if counts != sorted(counts):
                problems.append(f"{where}: not cumulative")
            if not bounds or bounds[-1] != float("inf") or counts[-1] != entry.get("count"):
                problems.append(f"{where}: +Inf is not the count")
            if "sum" not in entry:
                problems.append(f"{where}: no sum")
    return problems
