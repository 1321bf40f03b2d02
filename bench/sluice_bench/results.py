"""Everything that was measured, as it is kept in a file."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Results:
    about: dict = field(default_factory=dict)
    # One for each workload, target and round: {workload, target, round, attempts, disturbed,
    # figures} or {workload, target, round, failed}.
    samples: list[dict] = field(default_factory=list)

    def note(self, remark: str) -> None:
        """What a reader of the tables has to know; once."""
        notes = self.about.setdefault("notes", [])
        if remark not in notes:
            notes.append(remark)

    def of(self, workload: str, target: str) -> list[dict]:
        return [
            sample
            for sample in self.samples
            if sample["workload"] == workload and sample["target"] == target
        ]

    def by_round(self, workload: str, target: str, metric: str) -> dict[int, float]:
        return {
            sample["round"]: sample["figures"][metric]
            for sample in self.of(workload, target)
            if metric in sample.get("figures", {})
        }

    def is_mostly_disturbed(self, workload: str, target: str = "sluice") -> bool:
        samples = self.of(workload, target)
        return 2 * sum(sample.get("disturbed", False) for sample in samples) > len(samples)

    def save(self, file: Path) -> None:
        """One sample a line, so that two files can be compared by eye."""
        samples = ",\n".join(json.dumps(sample) for sample in self.samples)
        about = json.dumps(self.about, indent=1)
        file.write_text(f'{{"about": {about},\n"samples": [\n{samples}\n]}}\n')

    @classmethod
    def load(cls, file: Path) -> "Results":
        content = json.loads(file.read_text())
        return cls(content["about"], content["samples"])
