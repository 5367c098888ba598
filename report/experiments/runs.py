"""Train a network as a configuration says, and measure what became of it."""

import math
import statistics
import time

import torch

from data.build import keyed_generator
from data.psnr import psnr
from Proj_2.others.activation import Sigmoid
from Proj_2.others.container import Sequential
from Proj_2.others.loss import MSE
from Proj_2.others.optim import SGD
from Proj_2.others.prediction import predict
from Proj_2.others.training import Training

from . import pairs
from .defects import SummedMSE, modules

# The deviation or bound of a weight as a function of its fan-in, and how it is drawn. As in torch, the fan-in of a
# transposed convolution is counted as that of the convolution that it is the adjoint of: C_out·k².
INITIALISATIONS = {
    "torch": None,  # U(−b, b), b = 1/√fan_in: what the modules do
    "printed": lambda weight, fan_in: weight.uniform_(-1 / fan_in, 1 / fan_in),  # the paper's text lacks the root
    "kaiming_uniform": lambda weight, fan_in: weight.uniform_(-math.sqrt(6 / fan_in), math.sqrt(6 / fan_in)),
    "kaiming_normal": lambda weight, fan_in: weight.normal_(0, math.sqrt(2 / fan_in)),
}
LAST = 100  # steps that the training loss is averaged over


def network(config, seed):
    """The paper's network with the configuration's channels, initialisation and defects."""
    torch.manual_seed(seed)
    conv, relu, upsampling = modules(config["defects"])
    outer, inner = config["outer"], config["inner"]
    made = Sequential(
        conv(3, outer, 3, stride=2, padding=1),
        relu(),
        conv(outer, inner, 2, stride=2),
        relu(),
        upsampling(inner, outer, 2, stride=2),
        relu(),
        upsampling(outer, 3, 2, stride=2),
        Sigmoid(),
    )
    draw = INITIALISATIONS[config["initialisation"]]
    if draw:
        for name, parameter in made.state_dict().items():
            if name.endswith("weight"):
                draw(parameter, parameter[0].numel())
            elif config["initialisation"] == "printed":
                parameter.mul_(made[int(name.split(".")[0])].weight[0].numel() ** -0.5)
    return made.to("cuda" if torch.cuda.is_available() else "cpu")


class ConstantSGD(SGD):
    """SGD at one learning rate, whatever a schedule sets."""

    def __init__(self, params, lr, momentum):
        super().__init__(params, lr, momentum)
        self.constant = lr

    def step(self):
        self.lr = self.constant
        super().step()


class ConfiguredTraining(Training):
    """The training of `Proj_2` with the configuration's optimiser, loss, order of the pairs, and input."""

    def __init__(self, network, config, seed):
        super().__init__(network, 1, config["pairs"], config["lr"], config["batch"], seed)
        self.steps, self.config = config["steps"], config
        self.loss = SummedMSE() if config["scale"] == "sum" else MSE()
        if config["optimizer"] == "SGD":
            self.optimizer = ConstantSGD(network.param(), config["lr"], config["momentum"])

    def epoch(self, noisy_in, noisy_out):
        if self.config["augmented"]:
            yield from super().epoch(noisy_in, noisy_out)
            return
        order = torch.randperm(
            len(noisy_in), generator=keyed_generator(f"{self.seed} order {self.optimizer.steps}")
        ).to(noisy_in.device)
        for batch in order.split(self.batch_size):
            yield self.step(noisy_in[batch], noisy_out[batch])

    def _scaled(self, name, x, like):
        scaled = super()._scaled(name, x, like)
        return scaled.mul_(255) if name == "x" and "c" in self.config["defects"] else scaled


def score(network, config, folder):
    """The mean PSNR in dB over the validation pictures; the input as in training."""
    noisy, clean = pairs.validation(folder)
    return psnr(predict(network, noisy.float() * 255 if "c" in config["defects"] else noisy), clean).mean().item()


def run(config, seed, folder):
    """Train as `config` says and return the record of it; None stands for a number that is not finite.

    `seconds` is the whole run by the clock; `epoch_seconds` what the steps of an epoch over 50,000 pairs take of one
    core's time, which other work on the machine changes little.
    """
    start = time.perf_counter()
    made = network(config, seed)
    device = made.param()[0][0].device
    training, epoch_pairs = ConfiguredTraining(made, config, seed), pairs.source(config, folder)
    marks = {round(config["steps"] * i / config["evaluations"]) for i in range(1, config["evaluations"] + 1)}
    curve, losses, times, epoch = [[0, score(made, config, folder)]], [], [], 0
    while len(losses) < config["steps"]:
        steps, before = training.epoch(*(half.to(device) for half in epoch_pairs(epoch))), time.process_time()
        for loss in steps:
            losses.append(float(loss))
            times.append(time.process_time() - before)
            if not math.isfinite(losses[-1]) or len(losses) == config["steps"]:
                break
            if len(losses) in marks:
                curve.append([len(losses), score(made, config, folder)])
            before = time.process_time()
        epoch += 1
        if not math.isfinite(losses[-1]):
            break
    curve.append([len(losses), score(made, config, folder)])
    return record(config, seed, curve, losses, times, 50_000 / config["batch"], start)


def record(config, seed, curve, losses, times, steps, start):
    """What is kept of a run that began at `start`: the points of `curve` begin with a step's number and the PSNR
    after it; `losses` and `times` have an entry a step; an epoch has `steps`.
    """
    made = {
        "config": config,
        "seed": seed,
        "psnr": finite(curve[-1][1]),
        "loss": finite(statistics.fmean(losses[-LAST:])),
        "curve": [[step, *map(finite, values)] for step, *values in curve],
        "epoch_seconds": statistics.median(times) * steps,
        "seconds": time.perf_counter() - start,
    }
    if made["psnr"] is None or made["loss"] is None:
        made |= {"diverged": True, "psnr": None}
    return made


def finite(value):
    return value if math.isfinite(value) else None
