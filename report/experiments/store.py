"""The file of an experiment's results: complete at any moment, and gone on with by the next call."""

import json
from pathlib import Path

from data.files import replacing

RESULTS = Path(__file__).parents[1] / "results"


class StoreError(Exception):
    """What is wrong with a file of results, in one sentence with the way out."""


class Store:
    """`content` is what the file holds. `head` says how, on what and by which commit it was made."""

    def __init__(self, path, head, again=False):
        self.path = path
        self.content = {**head, "seconds": 0.0, "runs": [], "measures": {}}
        if path.exists() and not again:
            kept = self._read()
            if kept["data"] != head["data"]:
                raise StoreError(
                    f"{path} holds results of other data ({kept['data']['train']}) than today's "
                    f"({head['data']['train']}); put the data back, or start anew with --again"
                )
            self.content |= {name: kept[name] for name in ("runs", "measures")}

    def _read(self):
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            return {name: kept[name] for name in ("data", "runs", "measures")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self.path} is damaged ({type(error).__name__}: {error}); delete it, or start anew with --again"
            ) from error

    def keep_only(self, configs, seeds):
        """Drop the runs that the experiment no longer has; the others in the experiment's order."""
        runs = [self.find(config, seed) for config in configs for seed in seeds]
        self.content["runs"] = [run for run in runs if run]

    def find(self, config, seed):
        """The run of that configuration and seed, None if it is yet to be made."""
        for run in self.content["runs"]:
            if run["config"] == config and run["seed"] == seed:
                return run
        return None

    def add_run(self, run):
        self.content["runs"].append(run)
        self.save()

    def set_measures(self, measures):
        self.content["measures"] = measures
        self.save()

    def save(self):
        content = self.content
        content["seconds"] = sum(run["seconds"] for run in content["runs"]) + content["measures"].get("seconds", 0)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as partial:
            partial.write_text(_one_run_a_line(content), "utf-8")


def _one_run_a_line(content):
    """JSON that a diff can be read of: an entry a line, within lists an element a line."""

    def lines(value):
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if not isinstance(value, list) or not value:
            return text
        return (
            "[\n" + ",\n".join(f"  {json.dumps(item, ensure_ascii=False, allow_nan=False)}" for item in value) + "]"
        )

    flat = ",\n".join(f" {json.dumps(name)}: {lines(value)}" for name, value in content.items())
    return f"{{\n{flat}\n}}\n"
