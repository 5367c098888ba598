"""The tables: each function returns the LaTeX of one tabular, whose every number is a result."""

from collections.abc import Callable

from .measured import Measured, Spread

LAYERS = {
    "0.weight": "conv.\\ 1",
    "2.weight": "conv.\\ 2",
    "4.weight": "transp.\\ 1",
    "6.weight": "transp.\\ 2",
}
DEFECTS = {  # letters of experiments.defects, and what they do
    "f": "none of the below",
    "af": "(a) only a batch's last picture is kept",
    "bf": "(b) gradient viewed, not transposed",
    "cf": "(c) input not divided by 255",
    "df": "(d) ReLU in place, mask $x>0$",
    "Df": "(d$'$) ReLU in place, mask $x\\ge0$",
    "ef": "(e) smaller initial bound",
    "": "without (f): gradient of the mean",
    "abf": "(a) and (b)",
    "acf": "(a) and (c)",
    "bcf": "(b) and (c)",
    "bcdef": "all but (a)",
    "abcdef": "all",
}
OUTER, INNER = (8, 16, 32, 64), (16, 32, 64, 128)
BATCHES = (10, 20, 50, 100, 200)
INITIALISATIONS = {
    "torch": "PyTorch",
    "printed": "printed",
    "kaiming_uniform": "Kaiming U",
    "kaiming_normal": "Kaiming N",
}
TIMES = {  # rows of benchmarks/results/train_step.json, the fastest of each
    "this framework": ("ours",),
    "\\quad bfloat16 products": ("ours, bfloat16 products",),
    "PyTorch, eager": ("torch eager", "torch eager, channels_last"),
    "\\quad compiled": ("torch.compile", "torch.compile, channels_last"),
}


def cell(spread: Spread) -> str:
    """Mean and standard deviation in a table, to a hundredth of a decibel."""
    if not spread.values:
        return "diverged"
    deviation = f"{spread.deviation:.2f}".removeprefix("0")
    return f"${spread.mean:.2f}_{{\\pm{deviation}}}$" + (f" ({spread.diverged} div.)" if spread.diverged else "")


def signed(value: float) -> str:
    """Two decimals, with a minus sign where that leaves a number below zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else f"${text}$"


def power(value: float) -> str:
    """A rate as a power of ten: 3e-4 is $3\\cdot10^{-4}$."""
    digits, exponent = f"{value:.0e}".split("e")
    return f"${'' if digits == '1' else digits + chr(92) + 'cdot'}10^{{{int(exponent)}}}$"


def tabular(columns: str, *blocks: list[list[str]]) -> str:
    """Blocks of rows with a rule between them; a row is a list of cells."""
    body = "\\midrule\n".join("".join(" & ".join(row) + " \\\\\n" for row in block) for block in blocks)
    return f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\\bottomrule\n\\end{{tabular}}%\n"


def choices(measured: Measured) -> str:
    """Learning rate, batch size, initialisation and epochs; channels have a table of their own."""

    def by_rate(name, **wanted):
        configs = sorted(measured.configs("learning_rate", **wanted), key=lambda config: config["lr"])
        yield _padded([f"{name}'s rate", *(power(config["lr"]) for config in configs)])
        yield _padded(["\\quad dB", *(cell(measured.psnr("learning_rate", **config)) for config in configs)])

    def by_batch(variant):
        return [cell(measured.psnr("batch_size", variant=variant, batch=batch)) for batch in BATCHES]

    def by_initialisation(optimizer):
        return [
            cell(measured.psnr("initialisation", optimizer=optimizer, initialisation=name))
            for name in INITIALISATIONS
        ]

    def by_length(optimizer):
        return [cell(measured.psnr("epochs", optimizer=optimizer, epochs=epochs)) for epochs in (30, 100)]

    return tabular(
        "@{}l*{5}{r}@{}",
        [*by_rate("SGD", optimizer="SGD", momentum=0), *by_rate("Adam", optimizer="Adam")],
        [
            ["batch size", *map(str, BATCHES)],
            [f"\\quad {_length(measured, 'batch_size', variant='equal epochs')}", *by_batch("equal epochs")],
            [
                f"\\quad {measured.configs('batch_size', variant='equal steps')[0]['steps']} steps",
                *by_batch("equal steps"),
            ],
        ],
        [
            _padded(["initial values", *INITIALISATIONS.values()]),
            _padded(["\\quad SGD", *by_initialisation("SGD")]),
            _padded(["\\quad Adam", *by_initialisation("Adam")]),
        ],
        [
            _padded(["epochs", "30", "100"]),
            _padded(["\\quad SGD", *by_length("SGD")]),
            _padded(["\\quad Adam", *by_length("Adam")]),
        ],
    )


def _padded(row: list[str]) -> list[str]:
    return row + [""] * (1 + len(BATCHES) - len(row))


def _length(measured: Measured, experiment: str, **wanted) -> str:
    (epochs,) = {config["epochs"] for config in measured.configs(experiment, **wanted)}
    return f"{epochs:g} epoch{'s' * (epochs != 1)}"


def lengths(measured: Measured) -> str:
    """For how long the runs of the table trained, where their rows do not say it."""
    sgd, adam = (_length(measured, "initialisation", optimizer=optimizer) for optimizer in ("SGD", "Adam"))
    (pairs,) = {config["pairs"] for config in measured.configs("epochs")}
    return (
        f"learning rates {_length(measured, 'learning_rate')}, initial values {sgd} (SGD) and {adam} (Adam), "
        f"channels {_length(measured, 'channels')} (Adam); the last two rows over {pairs} pairs"
    )


def channels(measured: Measured) -> str:
    """PSNR and time of an epoch over outer and inner channels."""
    head = [
        [
            "",
            f"\\multicolumn{{{len(INNER)}}}{{c}}{{dB}}",
            f"\\multicolumn{{{len(INNER)}}}{{c}}{{s an epoch}}",
        ],
        ["outer", *map(str, INNER), *map(str, INNER)],
    ]
    rows = []
    for outer in OUTER:
        spreads = [measured.psnr("channels", outer=outer, inner=inner) for inner in INNER]
        seconds = [measured.spread("epoch_seconds", "channels", outer=outer, inner=inner).mean for inner in INNER]
        rows.append([str(outer), *map(cell, spreads), *(f"{value:.0f}" for value in seconds)])
    return tabular(f"@{{}}r*{{{len(INNER)}}}{{r}}@{{\\hspace{{8pt}}}}*{{{len(INNER)}}}{{r}}@{{}}", head, rows)


def results(measured: Measured) -> str:
    """PSNR of what there is and of what was made, and the time of an epoch."""
    course, ours = course_scores(measured), measured.measures("results")["default"]

    def published(name):
        return measured.published[name]["value"]

    def both(key):
        return [f"{course[key]:.2f}", f"{ours[key]:.2f}"]

    others = [
        ["constant picture", *both("constant")],
        ["noisy input", *both("noisy")],
        ["the original~\\cite{source}", published("source.psnr"), ""],
        ["the course's marks", f"{published('course.simple')} / {published('course.eight')}", ""],
        ["public, from scratch", f"{published('scratch.low')}--{published('scratch.best')}", ""],
        ["public, \\texttt{torch.nn} U-Nets", f"{published('unet.low')}--{published('unet.best')}", ""],
    ]
    own = [["original's network, repaired", *both("paper")], ["larger network", *both("shipped")]]
    times = [["seconds an epoch", "original's", "larger"]]
    for label, names in TIMES.items():
        times.append([label, *(f"{epoch_seconds(measured, network, *names):.1f}" for network in ("paper", "large"))])
    return tabular("@{}lrr@{}", [["PSNR, dB", "course", "ours"]], others, own, times)


def course_scores(measured: Measured) -> dict:
    """The scores on the course-equivalent file. Raises MissingResult if it wasn't there."""
    return measured.needed(
        measured.measures("results")["course"],
        "a PSNR on the course's data",
        "N2N_COURSE_DATA=FOLDER python -m report run results --again",
    )


def epoch_seconds(measured: Measured, network: str, *names: str) -> float:
    """The time of 50,000 pairs in batches of 100, by the fastest of the benchmark's rows `names`."""
    results = measured.benchmark("train_step")["results"]
    (result,) = (r for r in results if (r["network"], r["batch"]) == (network, 100))
    return min(row["ms"] for row in result["rows"] if row["name"] in names) / 1000 * 500


def defects(measured: Measured) -> str:
    """What each of the original's defects costs, in its recipe and in others."""
    longer = {  # the runs as long as the original's
        "f": measured.psnr("paper", variant="sum"),
        "": measured.psnr("paper", variant="mean"),
        "af": measured.psnr("postmortem", variant="a+f, 30 epochs"),
        "abcdef": measured.psnr("postmortem", variant="a+b+c+d+e+f, 30 epochs"),
    }
    rows = [
        [name, cell(postmortem(measured, letters)), cell(longer[letters]) if letters in longer else "", ""]
        for letters, name in DEFECTS.items()
    ]

    def others(*variants):
        return [cell(measured.psnr("postmortem", variant=variant)) for variant in variants]

    further = [
        ["other recipes", "none", "(a)", "(b)"],
        ["2000 steps of 10 pictures", *others("f, batch 10", "a+f, batch 10"), ""],
        ["Adam, two epochs", *others("none, Adam", "a, Adam", "b, Adam")],
    ]
    head = ["defects put back", "4 epochs", "30 epochs", ""]
    return tabular("@{}lrrr@{}", [head], rows[:1], rows[1:8], rows[8:], further)


def postmortem(measured: Measured, letters: str) -> Spread:
    """The PSNR with the defects `letters` in the original's recipe."""
    return measured.psnr("postmortem", variant="+".join(letters) or "none")


def cosines(measured: Measured) -> str:
    """The cosine between the true and the defective weight gradient, over layers and batch sizes."""
    batches, states = (1, 2, 8, 100), ("initial", "stalled")
    head = [
        ["", *(f"\\multicolumn{{{len(batches)}}}{{c}}{{{state}}}" for state in ("at the start", "where (a) stalls"))],
        ["batch", *(str(batch) for _ in states for batch in batches)],
    ]

    def rows(letter, layers):
        yield from (
            [
                f"({letter}) {LAYERS[layer]}",
                *(signed(cosine(measured, letter, layer, batch, state)) for state in states for batch in batches),
            ]
            for layer in layers
        )

    return tabular("@{}l*{8}{r}@{}", head, [*rows("a", LAYERS)], [*rows("b", list(LAYERS)[2:])])


def cosine(measured: Measured, defects: str, layer: str, batch: int, state: str = "initial") -> float:
    """The mean cosine over batches and seeds."""
    key = {"defects": defects, "layer": layer, "batch": batch, "state": state}
    (found,) = (entry for entry in measured.measures("postmortem")["cosines"] if key.items() <= entry.items())
    return found["mean"]


TABLES: dict[str, Callable[[Measured], str]] = {
    "choices": choices,
    "channels": channels,
    "results": results,
    "defects": defects,
    "cosines": cosines,
}
