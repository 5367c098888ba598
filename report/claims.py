"""What the words of report.tex rest on: each claim with the condition on the results that makes it true.

A new run of the experiments that turns a claim false stops the build, so that somebody rewrites the sentence.
"""

from collections.abc import Callable

from .measured import Measured
from .tables import BATCHES, LAYERS, cosine, course_scores, epoch_seconds, postmortem


class FalseClaim(Exception):
    """A sentence of the report that the results contradict."""


CLAIMS = {}  # sentence: its condition, a function of the results


def check_claims(claims: dict[str, Callable[[Measured], bool]], measured: Measured, text: str) -> None:
    """Raises FalseClaim with the first of the text's sentences that the results contradict."""
    for sentence, holds in claims.items():
        if not holds(measured):
            raise FalseClaim(f"{text} says that {sentence}, which the results contradict: rewrite it (claims.py)")


def claim(sentence):
    """Register the condition of `sentence`."""

    def register(condition):
        CLAIMS[sentence] = condition
        return condition

    return register


def constant(measured):
    return measured.measures("results")["default"]["constant_best"]


def flat(measured, spread):
    """Whether training ended less than half a decibel above a constant picture."""
    return spread.mean < constant(measured) + 0.5


def clearly(more, less, by=0.0):
    """Whether, seed by seed, the difference exceeds `by`, and on average by more than its standard deviation."""
    difference = more - less
    return min(difference.values) > by and difference.mean - by > difference.deviation


@claim("the original's recipe learns with the summed gradient and stays flat with that of the mean")
def _scale(measured):
    noisy = measured.measures("results")["default"]["noisy"]
    return measured.psnr("paper", variant="sum").mean > noisy + 1 and flat(
        measured, measured.psnr("paper", variant="mean")
    )


@claim("all six defects together stay flat for 30 epochs")
def _all(measured):
    return flat(measured, measured.psnr("postmortem", variant="a+b+c+d+e+f, 30 epochs"))


@claim("(a) alone stalls the training, and is still far behind after 30 epochs")
def _last_picture(measured):
    longer = measured.psnr("postmortem", variant="a+f, 30 epochs")
    return flat(measured, postmortem(measured, "af")) and clearly(measured.psnr("paper", variant="sum"), longer, 5)


@claim("with (a), batches of 10 learn more than batches of 100, and Adam does not help")
def _share(measured):
    small = measured.psnr("postmortem", variant="a+f, batch 10")
    adam = [measured.psnr("postmortem", variant=variant) for variant in ("none, Adam", "a, Adam")]
    return clearly(small, postmortem(measured, "af"), 2) and clearly(*adam, 5)


@claim("(b) costs some decibels and does not stall the training")
def _untransposed(measured):
    learnt = postmortem(measured, "bf")
    return clearly(postmortem(measured, "f"), learnt, 2) and clearly(learnt, postmortem(measured, "af"), 2)


@claim("(c) nearly stalls the training, to a depth that varies with the seed")
def _undivided(measured):
    depth = postmortem(measured, "cf")
    return clearly(postmortem(measured, "bf"), depth) and depth.deviation > 0.5


@claim("(d) is harmless if the derivative asks x > 0, to the last digit, and fatal if it asks x >= 0")
def _in_place(measured):
    same = postmortem(measured, "f").values == postmortem(measured, "df").values
    return same and postmortem(measured, "Df").mean < constant(measured) - 2


@claim("(e) costs about one decibel and does not stall the training")
def _bound(measured):
    return 0.5 < (postmortem(measured, "f") - postmortem(measured, "ef")).mean < 2


@claim("without (f) the start is as flat as with all six, and mending (a) alone leads hardly further")
def _symptom(measured):
    mended = postmortem(measured, "bcdef")
    return flat(measured, postmortem(measured, "")) and mended.mean < constant(measured) + 1


@claim("with (a) the cosine is above a half at the start and low where training stalls, and 1 for a batch of one")
def _cosines(measured):
    start = [cosine(measured, "a", layer, 100) for layer in LAYERS]
    stalled = [cosine(measured, "a", layer, 100, "stalled") for layer in LAYERS]
    single = [cosine(measured, "a", layer, 1) for layer in LAYERS]
    return min(start) > 0.5 and max(stalled) < 0.3 and min(single) > 0.9999


@claim("with the printed bound SGD stalls, and Kaiming's values are better than PyTorch's")
def _initial_values(measured):
    def reached(name, optimizer):
        return measured.psnr("initialisation", initialisation=name, optimizer=optimizer)

    better = [
        clearly(reached(kaiming, optimizer), reached("torch", optimizer))
        for kaiming in ("kaiming_uniform", "kaiming_normal")
        for optimizer in ("SGD", "Adam")
    ]
    return flat(measured, reached("printed", "SGD")) and all(better)


@claim("small batches learn more from as many pictures, and all sizes alike from as many steps")
def _batch_size(measured):
    def reached(variant, batch):
        return measured.psnr("batch_size", variant=variant, batch=batch)

    alike = [reached("equal steps", batch) for batch in BATCHES]
    widest = max(spread.mean for spread in alike) - min(spread.mean for spread in alike)
    return (
        clearly(reached("equal epochs", 10), reached("equal epochs", 100), 2)
        and clearly(reached("equal epochs", 100), reached("equal epochs", 200))
        and widest < max(spread.deviation for spread in alike)
    )


@claim("SGD's rate of 1e-3 is near the best: 3e-3 is a little better, 3e-4 and 1e-2 are worse")
def _learning_rate(measured):
    def reached(lr):
        return measured.psnr("learning_rate", optimizer="SGD", momentum=0, lr=lr)

    usual = reached(1e-3)
    near = 0 < (reached(3e-3) - usual).mean < 1.5
    return near and clearly(usual, reached(3e-4)) and clearly(usual, reached(1e-2), 3)


@claim("twice the original's channels are better")
def _channels(measured):
    return clearly(*(measured.psnr("channels", outer=outer, inner=2 * outer) for outer in (64, 32)))


@claim("100 epochs end higher than 30 over few pairs")
def _epochs(measured):
    return all(
        clearly(*(measured.psnr("epochs", optimizer=optimizer, epochs=epochs) for epochs in (100, 30)))
        for optimizer in ("SGD", "Adam")
    )


@claim("noisy targets cost nothing that three seeds could show, with 500 pairs or 50,000")
def _noisy_targets(measured):
    costs = [
        measured.psnr("noise2noise", targets="clean", pairs=pairs)
        - measured.psnr("noise2noise", targets="noisy", pairs=pairs)
        for pairs in (500, 50_000)
    ]
    return all(abs(cost.mean) < max(cost.deviation, 0.1) for cost in costs)


@claim("new noise for every epoch gains a little with 500 pictures")
def _fresh_noise(measured):
    return clearly(*(measured.psnr("fresh_noise", noise=noise, pairs=500) for noise in ("fresh", "fixed")))


@claim("the original's network is level with the best public one from scratch, the larger above it, below the U-Net")
def _results(measured):
    best, unet = (float(measured.published[name]["value"]) for name in ("scratch.best", "unet.best"))
    course = course_scores(measured)
    return abs(course["paper"] - best) < 0.1 and best < course["shipped"] < unet


@claim("in float32 an epoch takes longer than PyTorch's, compiled or not, and in bfloat16 less than any of these")
def _time(measured):
    def ratio(network, ours, theirs):
        names = (theirs, f"{theirs}, channels_last")
        return epoch_seconds(measured, network, ours) / epoch_seconds(measured, network, *names)

    return all(
        ratio(network, "ours", torch) > 1
        for network in ("paper", "large")
        for torch in ("torch eager", "torch.compile")
    ) and all(ratio(network, "ours, bfloat16 products", "torch.compile") < 0.9 for network in ("paper", "large"))
