"""Which runs are to be done, on a process a core, behind a progress bar; a table at the end of each experiment."""

import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch
from tqdm import tqdm

from benchmarks.timing import machine
from data.parallel import start_worker

from .catalogue import EXPERIMENTS
from .photographs import check_sets
from .store import Store, StoreError


def execute(names, folder, out, quickly=False, again=False, jobs=2):
    """Do what is missing of the experiments `names` and keep it in OUT/NAME.json, each run as soon as it is done.

    Raises StoreError or DataError in one sentence.
    """
    check_sets()
    names = [name for name in EXPERIMENTS if name in names]
    heads = _heads(names, folder, quickly)
    stores = {name: Store(out / f"{name}.json", heads[name], again) for name in names}
    tasks = [task for name in names for task in _missing(name, stores[name], quickly)]
    left = {name: sum(task[0] == name for task in tasks) for name in names}
    for name in names:
        if not left[name]:
            tqdm.write(table(stores[name].content))
    if not tasks:
        return
    # Spawned, as data.parallel's are, and ending with this process however it ends. Results come as they are made.
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), multiprocessing.get_context("spawn"), start_worker)
    try:
        futures = {pool.submit(perform, *task, folder, quickly): task for task in tasks}
        with tqdm(total=len(tasks), desc="runs", unit="run", smoothing=0) as bar:
            for future in as_completed(futures):
                name, config, _ = futures[future]
                if config is None:
                    stores[name].set_measures(future.result())
                else:
                    stores[name].add_run(future.result())
                    bar.set_postfix_str(f"{name}: {_decibels(future.result()['psnr'])} dB", refresh=False)
                bar.update()
                left[name] -= 1
                if not left[name]:
                    stores[name].keep_only(*_wanted(name, quickly))
                    stores[name].save()
                    tqdm.write(table(stores[name].content))
    except BrokenProcessPool as error:
        raise StoreError(
            "a worker process died, of too little memory perhaps; go on with the same command"
        ) from error
    except BaseException:  # an interrupt, for one: don't wait for the runs under way
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def perform(name, config, seed, folder, quickly):
    """One run, or, without a configuration, the measurements of the experiment."""
    with torch.no_grad():
        if config:
            return EXPERIMENTS[name].run(config, seed, folder)
        start = time.perf_counter()
        return {**EXPERIMENTS[name].measure(folder, quickly), "seconds": time.perf_counter() - start}


def _wanted(name, quickly):
    experiment = EXPERIMENTS[name]
    if not quickly:
        return experiment.configs, experiment.seeds
    short = [experiment.shortened(config) for config in experiment.configs]
    return [config for i, config in enumerate(short) if config not in short[:i]], experiment.seeds[:1]


def _missing(name, store, quickly):
    """(name, config, seed) of every run to be done, seed after seed; without a config for the measurements."""
    configs, seeds = _wanted(name, quickly)
    if EXPERIMENTS[name].measure and not store.content["measures"]:
        yield name, None, None
    for seed in seeds:
        for config in configs:
            if not store.find(config, seed):
                yield name, config, seed


def _heads(names, folder, quickly):
    """What the files begin with."""
    here = machine()
    if here["commit"] is None:
        raise StoreError(
            "results name the commit that made them: expected a git checkout of the project and git itself"
        )
    hardware = {"cpu": here["processor"], "cores": os.cpu_count(), "device": here["device"], "torch": here["torch"]}
    return {
        name: {
            "experiment": name,
            "title": EXPERIMENTS[name].title,
            "command": f"python -m report run {name}{' --quick' if quickly else ''}",
            "quick": quickly,
            "commit": here["commit"],
            "data": EXPERIMENTS[name].describe(folder),
            "hardware": hardware,
        }
        for name in names
    }


def table(content):
    """The experiment's results: mean and standard deviation over the seeds."""
    lines = ["", f"{content['experiment']}: {content['title']}"]
    kept = content["runs"]
    varying = [
        key for key in (kept[0]["config"] if kept else ()) if len({str(run["config"][key]) for run in kept}) > 1
    ]
    varying = [key for key in varying if key not in ("steps", "evaluations")]
    groups = {}
    for run in kept:
        groups.setdefault(tuple(str(run["config"][key]) for key in varying), []).append(run)
    if groups:
        lines.append("".join(f"{key:>15}" for key in varying) + f"{'dB':>10}{'±':>7}{'seeds':>7}{'s/epoch':>9}")
    for values, group in groups.items():
        scores = [run["psnr"] for run in group if run["psnr"] is not None]
        mean = _decibels(statistics.fmean(scores) if scores else None)
        spread = f"{statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        seconds = statistics.median(run["epoch_seconds"] for run in group)
        cells = "".join(f"{value:>15}" for value in values)
        lines.append(f"{cells}{mean:>10}{spread:>7}{len(group):>7}{seconds:>9.1f}")
    for name, value in content["measures"].items():
        if isinstance(value, dict):
            shown = {k: round(v, 2) if isinstance(v, float) else v for k, v in value.items()}
            lines.append(f"{name}: " + ", ".join(f"{k} {v}" for k, v in shown.items()))
    return "\n".join(lines)


def _decibels(value):
    return "diverged" if value is None else f"{value:.2f}"
