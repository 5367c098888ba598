"""How a training step and a prediction are run with our networks, and with the same ones in torch.nn."""

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

import torch
from torch import nn

from Proj_2.others.networks import NETWORKS
from Proj_2.others.prediction import predict
from Proj_2.others.training import Training, one_cycle

from .twin import in_torch

TEXTBOOK = Path(__file__).parent.parent / "tests/submissions/correct/textbook/Proj_2"
SIDES = {"unet": 64, "unet_small": 64}  # of the pictures, where they aren't 32×32
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def side(name):
    """The height and width of the pictures that a network is measured on."""
    return SIDES.get(name, 32)


def batch(name, pictures):
    """A batch of pairs with values 0–255 for a network, as training gets them."""
    generator, shape = torch.Generator().manual_seed(0), (2, pictures, 3, side(name), side(name))
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).to(DEVICE)


def our_step(name, pictures, mixed=False):
    """A training step of our own: scaling of the pictures, forward, loss, backward, Adam."""
    training = Training(NETWORKS[name]().to(DEVICE), 10**6, pictures, mixed=mixed)
    x, target = batch(name, pictures)

    def step():
        with torch.no_grad():
            training.step(x, target)
            _wait()

    return step


class TorchTraining(Training):
    """Our training, recipe and order of the pictures included, with every step done by torch and its fastest Adam."""

    def __init__(self, network, *recipe, channels_last=False, compiled=False, mixed=False, **options):
        super().__init__(network, *recipe, **options)
        self.order = torch.channels_last if channels_last else torch.contiguous_format
        self.model = in_torch(network).to(DEVICE, memory_format=self.order)
        self.adam = torch.optim.Adam(self.model.parameters(), fused=True)
        self.forward = torch.compile(self.model) if compiled else self.model
        self.mixed = mixed

    def step(self, x, target, known=None, of=None):
        self.adam.param_groups[0]["lr"] = one_cycle(self.optimizer.steps / self.steps, self.peak_lr)
        self.optimizer.steps += 1  # ours only counts
        x, target = (
            pictures.to(device=DEVICE, dtype=torch.float32, memory_format=self.order).div_(255)
            for pictures in (x, target)
        )
        self.adam.zero_grad()
        with torch.enable_grad():
            with torch.autocast(DEVICE, torch.bfloat16, enabled=self.mixed):
                prediction = self.forward(x)
            loss = nn.functional.mse_loss(prediction.float(), target)
            loss.backward()
        self.adam.step()
        return loss.detach()


def torch_step(name, pictures, **options):
    """The same step in torch.nn."""
    training = TorchTraining(NETWORKS[name]().to(DEVICE), 10**6, pictures, **options)
    x, target = batch(name, pictures)

    def step():
        training.step(x, target)
        _wait()

    return step


def textbook_step(name, pictures):
    """The step with the textbook's modules: unfold, batched product, fold."""
    textbook = _textbook()
    layers = []
    for module in NETWORKS[name]():
        kind = getattr(textbook, type(module).__name__)
        window = (
            ()
            if not hasattr(module, "weight")
            else (module.in_channels, module.out_channels, module.kernel_size[0], module.stride[0], module.padding[0])
        )
        layers.append(kind(*window))
    network, loss = textbook.Sequential(*layers), textbook.MSE()
    optimizer = textbook.SGD(network.param(), 1e-3)
    x, target = batch(name, pictures)

    def step():
        with torch.no_grad():
            optimizer.zero_grad()
            loss.forward(network.forward(x.float().div(255)), target.float().div(255))
            network.backward(loss.backward())
            optimizer.step()

    return step


def our_prediction(name, pictures, mixed=False):
    network = NETWORKS[name]().to(DEVICE)
    x, _ = batch(name, pictures)

    def run():
        with torch.no_grad():
            predict(network, x, mixed=mixed)
            _wait()

    return run


def torch_prediction(name, pictures, channels_last=False, at_once=100):
    """The same network under `inference_mode`, in batches of 100 as the course's evaluation has it."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    model = in_torch(NETWORKS[name]()).to(DEVICE, memory_format=order)
    x, _ = batch(name, pictures)

    def run():
        with torch.inference_mode():
            torch.cat(
                [
                    model(part.to(dtype=torch.float32, memory_format=order).div_(255)).mul_(255)
                    for part in x.split(at_once)
                ]
            )
            _wait()

    return run


def _wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


@cache
def _textbook():
    """The textbook submission's modules, loaded as a package of their own."""
    package = TEXTBOOK / "others"
    spec = importlib.util.spec_from_file_location(
        "textbook", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    sys.modules["textbook"] = importlib.util.module_from_spec(spec)
    return importlib.import_module("textbook.modules")
