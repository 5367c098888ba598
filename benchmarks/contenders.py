"""The same network as ours in torch.nn, and how a training step and a prediction are run with each."""

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

TEXTBOOK = Path(__file__).parent.parent / "tests/submissions/correct/textbook/Proj_2"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def in_torch(network):
    """The `torch.nn` network with the form and the weights of one of ours."""
    kinds = {"ReLU": nn.ReLU, "Sigmoid": nn.Sigmoid}
    layers = []
    for module in network:
        kind = type(module).__name__
        if kind in kinds:
            layers.append(kinds[kind]())
            continue
        convolution = nn.Conv2d if kind == "Conv2d" else nn.ConvTranspose2d
        layers.append(
            convolution(module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding)
        )
    model = nn.Sequential(*layers)
    model.load_state_dict({name: p.contiguous() for name, p in network.state_dict().items()})
    return model.to(DEVICE)


def operations(network, pictures, side=32):
    """Floating-point operations of the matrix products of one training step, and of one forward pass."""
    step = forward = 0
    h = w = side
    for i, module in enumerate(network):
        if not hasattr(module, "weight"):
            continue
        out_h, out_w = module.output_size(h, w)
        positions = out_h * out_w if type(module).__name__ == "Conv2d" else h * w
        product = 2 * pictures * positions * module.weight.numel()
        forward += product
        step += product * (2 if i == 0 else 3)  # the gradient of the pictures is not needed
        h, w = out_h, out_w
    return step, forward


def batch(pictures):
    """A batch of pairs with values 0–255, as training gets them."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, pictures, 3, 32, 32), generator=generator, dtype=torch.uint8).to(DEVICE)


def our_step(name, pictures, mixed=False):
    """A training step of our own: scaling of the pictures, forward, loss, backward, Adam."""
    training = Training(NETWORKS[name]().to(DEVICE), 10**6, pictures, mixed=mixed)
    x, target = batch(pictures)

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
        self.model = in_torch(network).to(memory_format=self.order)
        self.adam = torch.optim.Adam(self.model.parameters(), fused=True)
        self.forward = torch.compile(self.model) if compiled else self.model
        self.mixed = mixed

    def step(self, x, target):
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
    x, target = batch(pictures)

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
    x, target = batch(pictures)

    def step():
        with torch.no_grad():
            optimizer.zero_grad()
            loss.forward(network.forward(x.float().div(255)), target.float().div(255))
            network.backward(loss.backward())
            optimizer.step()

    return step


def our_prediction(name, pictures, mixed=False):
    network = NETWORKS[name]().to(DEVICE)
    x, _ = batch(pictures)

    def run():
        with torch.no_grad():
            predict(network, x, mixed=mixed)
            _wait()

    return run


def torch_prediction(name, pictures, channels_last=False, at_once=100):
    """The same network under `inference_mode`, in batches of 100 as the course's evaluation has it."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    model = in_torch(NETWORKS[name]()).to(memory_format=order)
    x, _ = batch(pictures)

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
