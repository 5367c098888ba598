"""What is no class: losses, activations and steps as functions, layers without methods."""

import pytest
import torch
from test_checker_driver import driver
from test_checker_families import LOSS, MADE, OWN_SGD, PLAIN, constructor, edited, errors

RELU = PLAIN[PLAIN.index("class ReLU") : PLAIN.index("\nclass Sequential")]
TRAINS = """
    def train(self, noisy, target, epochs):
        x = noisy[:4] / 255
        {body}
"""
ACTIVATIONS = {
    "the gradient and the input": "def relu(x):\n    return x.clamp(0)\n"
    "def relu_backward(dout, x):\n    return dout * (x > 0)\n",
    "the input and the gradient": "def Relu_fwd(z):\n    return z.clamp(0)\n"
    "def Relu_bwd(z, dA):\n    return dA * (z > 0)\n",
    "a derivative": "def reLU(x):\n    return x.clamp(0)\ndef reLU_prime(x):\n    return (x > 0) * 1.0\n",
    "a derivative before the name": "def my_relu(x):\n    return x.clamp(0)\ndef d_relu(x):\n    return (x > 0)\n",
    "a cache": "def relu_forward(x):\n    return x.clamp(0), (x,)\n"
    "def relu_backward(dy, cache):\n    return dy * (cache[0] > 0)\n",
    "a closure": "def relu(x):\n    return x.clamp(0), lambda g: g * (x > 0)\n",
    "by what it computes": "def seuil(v):\n    return v.clamp(0)\ndef seuil_derivee(v):\n    return (v > 0) * 1.0\n",
    "static methods": "class Act:\n    @staticmethod\n    def relu(x):\n        return x.clamp(0)\n"
    "    @staticmethod\n    def relu_grad(x):\n        return (x > 0) * 1.0\n",
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@torch.no_grad()
def test_an_activation_that_is_a_function_is_driven_and_a_wrong_gradient_shows(name, tmp_path):
    x, g = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for wrong in (False, True):
        source = ACTIVATIONS[name].replace("> 0)", ">= -0.5)") if wrong else ACTIVATIONS[name]
        folder = tmp_path / str(wrong)
        folder.mkdir()
        relu = driver(folder, edited((RELU, source), (", ReLU()", ""))).module("ReLU", [], {})
        torch.testing.assert_close(relu.forward(x), x.clamp(min=0))
        assert torch.allclose(relu.backward(g), g * (x > 0)) is not wrong


SIGMOIDS = {  # names that tell nothing: what the author's training hands on does
    "the output": ("sigmoid_backward(g, v)", "g * v * (1 - v)", "y = sigmoid(x)\n        sigmoid_backward(x * 0, y)"),
    "the input": (
        "sigmoid_backward(g, v)",
        "g * sigmoid(v) * (1 - sigmoid(v))",
        "y = sigmoid(x)\n        sigmoid_backward(g=x * 0, v=x)",
    ),
}


@pytest.mark.parametrize("name", SIGMOIDS)
@torch.no_grad()
def test_what_a_gradient_is_given_is_seen_in_the_authors_training(name, tmp_path):
    head, body, train = SIGMOIDS[name]
    functions = f"def sigmoid(x):\n    return 1 / (1 + (-x).exp())\ndef {head}:\n    return {body}\n"
    train = TRAINS.format(body=train)
    sigmoid = driver(tmp_path, edited(("class SGD", functions + "\nclass SGD")) + train).module("Sigmoid", [], {})
    x, g = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    y = sigmoid.forward(x)
    torch.testing.assert_close(sigmoid.backward(g), g * y * (1 - y))


COSTS = {
    "two functions": "def mse(p, t):\n    return (p - t).pow(2).mean()\n"
    "def mse_grad(p, t):\n    return SIGN * (p - t) / p.numel()\n",
    "the other order": "def mse(p, target):\n    return (p - target).pow(2).mean()\n"
    "def mse_prime(target, p):\n    return SIGN * (p - target) / p.numel()\n",
    "both at once": "def loss_fn(out, y):\n    return (out - y).pow(2).mean(), SIGN * (out - y) / y.numel()\n",
    "a closure": "def squared_error(out, y):\n"
    "    return (out - y).pow(2).mean(), lambda: SIGN * (out - y) / y.numel()\n",
    "the target first": "def cout(vrai, pred):\n    return (pred - vrai).pow(2).mean()\n"
    "def d_cout(vrai, pred):\n    return SIGN * (pred - vrai) / pred.numel()\n",
    "by what it computes": "def ecart(p, t):\n    return ((p - t) ** 2).mean()\n"
    "def ecart_grad(p, t):\n    return SIGN * (p - t) / p.numel()\n",
}


@pytest.mark.parametrize("name", COSTS)
@torch.no_grad()
def test_a_loss_that_is_a_function_is_driven_and_a_wrong_sign_shows(name, tmp_path):
    prediction, target = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    train = TRAINS.format(body="cout(target, noisy)") if name == "the target first" else ""
    for sign in (2, -2):
        folder = tmp_path / f"sign{sign}"
        folder.mkdir()
        source = COSTS[name].replace("SIGN", str(sign)) + "\n"
        one = driver(folder, edited(("class MSE:\n" + LOSS, source)) + train)
        loss = one.loss()
        value = loss.forward(prediction, target)
        torch.testing.assert_close(torch.as_tensor(value), (prediction - target).square().mean())
        torch.testing.assert_close(loss.gradient(), sign * (prediction - target) / target.numel())


STEPS = {
    "lists": "def sgd_step(params, grads, lr):\n    for p, g in zip(params, grads):\n        p.sub_(lr * g)\n",
    "pairs": "def sgd(pairs, learning_rate=0.1):\n    for p, g in pairs:\n        p -= learning_rate * g\n",
    "the network": "def update(net, lr):\n    for p, g in net.param():\n        p -= lr * g\n",
    "layers": "def update_weights(layers, eta):\n"
    "    for l in layers:\n        for p, g in l.param():\n            p -= eta * g\n",
    "one weight": "def sgd_update(w, grad, lr):\n    return w - lr * grad\n",
    "new lists": "def gradient_descent(weights, gradients, lr):\n"
    "    return [w - lr * g for w, g in zip(weights, gradients)]\n",
    "made by a function": "def sgd(pairs, lr):\n    def step():\n        for p, g in pairs:\n"
    "            p -= lr * g\n"
    "    return step\n",
    "the gradient first": "def apply_gradients(grads_and_vars, lr):\n    for g, p in grads_and_vars:\n"
    "        p -= lr * g\n",
    "a rate of the module": "RATE = 0.3\n"
    "def sgd_step(params, grads):\n    for p, g in zip(params, grads):\n        p.sub_(RATE * g)\n",
}


@pytest.mark.parametrize("name", STEPS)
@torch.no_grad()
def test_a_step_that_is_a_function_is_taken_and_a_wrong_sign_shows(name, tmp_path):
    for sign in (1, -1):
        source = (
            STEPS[name] if sign > 0 else STEPS[name].replace("-=", "+=").replace("sub_", "add_").replace("w -", "w +")
        )
        folder = tmp_path / f"sign{sign}"
        folder.mkdir()
        one = driver(folder, edited(("class SGD:\n" + OWN_SGD, source)))
        conv = one.module("Conv2d", [3, 5, 3], {})
        optimiser = one.optimiser(conv, lr=0.05)
        before = {k: v.clone() for k, v in conv.parameters().items()}
        conv.zero_grad()
        conv.forward(torch.randn(2, 3, 6, 6))
        conv.backward(torch.randn(2, 5, 4, 4))
        gradients = {k: v.clone() for k, v in conv.gradients().items()}
        optimiser.step()
        for name_, value in conv.parameters().items():
            torch.testing.assert_close(value, before[name_] - sign * 0.05 * gradients[name_], rtol=1e-4, atol=1e-5)


CONV = "    def forward(self, x):\n        self.x,", "    def backward(self, g):\n        g = g.flatten(2)"
RELU_BACKWARD = "    def backward(self, g):\n        return g *"
DATA = (  # a convolution without methods of the usual names
    (CONV[0], "    def ahead(self, x):\n        self.x,"),
    (CONV[1], "    def behind(self, g):\n        g = g.flatten(2)"),
)


def handed(source: str):
    return *DATA, ("class ReLU:", source + "\n\nclass ReLU:")


MANNERS = {
    "the gradient is set, the input's is kept": (
        (CONV[1], "    def backward(self):\n        g = self.grad_out.flatten(2)"),
        ("        return dx\n", "        self.grad_in = dx\n"),
        (RELU_BACKWARD, "    def backward(self):\n        self.grad_in = self.grad_out *"),
    ),
    "the gradient is set under another name": (
        (CONV[1], "    def backprop(self):\n        g = self.dY.flatten(2)"),
        (RELU_BACKWARD, "    def backprop(self):\n        return self.dY *"),
    ),
    "functions for all layers": handed(
        "def forward(layer, x):\n    return layer.ahead(x)\n\n\ndef backward(g, layer):\n    return layer.behind(g)"
    ),
    "functions for each layer": handed(
        "def conv_forward(layer, x):\n    return layer.ahead(x), x\n\n\n"
        "def conv_backward(layer, g, cache):\n    assert cache is not None\n    return layer.behind(g)"
    ),
    "visitors": handed(
        "class ForwardVisitor:\n    def visit_conv2d(self, node, x):\n        return node.ahead(x)\n\n\n"
        "class BackwardVisitor:\n    def visit_conv2d(self, node, g):\n        return node.behind(g)"
    ),
}

WEIGHTS = "        self.w, self.b = empty(o, c * k * k).uniform_(-1, 1), empty(o).uniform_(-1, 1)\n"
GRADIENTS = "        self.dw, self.db = self.w * 0, self.b * 0\n"
LISTED = "        return [(self.w, self.dw), (self.b, self.db)]\n"
NETWORK_LISTED = "        return [pair for layer in self.layers for pair in layer.param()]\n"
BIND = """        return []

    def bind(self, theta, grad):
        n = len(theta) - self.o
        self.w, self.b = theta[:n].view(self.o, -1), theta[n:]
        self.dw, self.db = grad[:n].view(self.o, -1), grad[n:]
"""
MANNERS |= {
    "whether it is trained is an argument": (
        ("    def forward(self, x):", "    def forward(self, x, training):"),
        ("layer.forward(x)", "layer.forward(x, training)"),
    ),
    "the input's channels are seen at the first call": (
        *constructor(
            "filters, kernel_size, stride=1, padding=0", "Conv2d(8, 3)", "None, filters, kernel_size, stride, padding"
        ),
        (WEIGHTS + GRADIENTS, "        self.o, self.w = o, None\n"),
        (
            CONV[0],
            "    def forward(self, x):\n        if self.w is None:\n"
            "            c, o, k = x.shape[1], self.o, self.k\n"
            + (WEIGHTS + GRADIENTS).replace("        self", "            self")
            + "        self.x,",
        ),
    ),
    "one vector has the parameters of all layers": (
        (WEIGHTS + GRADIENTS, "        self.o, self.size = o, o * c * k * k + o\n"),
        (LISTED, BIND),
        (
            "        self.layers = list(layers)\n",
            "        self.layers = list(layers)\n"
            "        own = [layer for layer in layers if hasattr(layer, 'size')]\n"
            "        sizes = [layer.size for layer in own]\n"
            "        self.theta, self.grad = empty(sum(sizes)).uniform_(-1, 1), empty(sum(sizes)).zero_()\n"
            "        for layer, *both in zip(own, self.theta.split(sizes), self.grad.split(sizes)):\n"
            "            layer.bind(*both)\n",
        ),
        (NETWORK_LISTED, "        return [(self.theta, self.grad)]\n"),
    ),
}

ARGUMENTS = "in_channels, out_channels, kernel_size, stride=1, padding=0"
MANNERS |= {
    "arguments by name alone": (
        ("def forward(self, x):", "def forward(self, *, x):"),
        ("def backward(self, g):", "def backward(self, *, g):"),
        ("layer.forward(x)", "layer.forward(x=x)"),
        ("layer.backward(g)", "layer.backward(g=g)"),
    ),
    "settings in a dictionary": constructor(
        "config",
        "Conv2d({'in_channels': 3, 'out_channels': 8, 'kernel_size': 3})",
        "config['in_channels'], config['out_channels'], config['kernel_size'], config.get('stride', 1), "
        "config.get('padding', 0)",
    ),
    "classes in a class": (
        (
            "class Model:",
            "class nn:\n    pass\n\nfor kind in (Conv2d, ReLU, Sequential, MSE, SGD):\n"
            "    setattr(nn, kind.__name__, kind)\n"
            "del kind, Conv2d, ReLU, Sequential, MSE, SGD\n\nclass Model:",
        ),
        ("Sequential(Conv2d(3, 8, 3), ReLU())", "nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())"),
    ),
    "a function that makes the layer": (
        (
            "class Conv2d:",
            f"def conv2d({ARGUMENTS}):\n"
            f"    return Layer(in_channels, out_channels, kernel_size, stride, padding)\n\n"
            "class Layer:",
        ),
        (MADE, "conv2d(3, 8, 3)"),
    ),
}


@pytest.mark.parametrize("name", MANNERS)
def test_a_manner_is_driven_and_a_wrong_gradient_shows(name, tmp_path):
    source = edited(*MANNERS[name])
    found = errors(tmp_path / "right", source)
    assert max(found.values()) < 1e-4, found
    found = errors(
        tmp_path / "wrong",
        source.replace("(w.t() @ g", "(2 * w.t() @ g").replace("(self.w.t() @ g", "(2 * self.w.t() @ g"),
    )
    assert found["input"] > 0.1, found
    assert max(error for part, error in found.items() if part != "input") < 1e-4, found


MORE = """
class Rate:
    def of(self, lr):
        return lr

class Loss(MSE):
    def __init__(self, reduction):
        assert reduction == "mean"

class OwnSGD(SGD):
    def __init__(self, net, schedule, lr):
        self.params, self.lr = net.param(), schedule.of(lr)

MSE = SGD = None
"""


@torch.no_grad()
def test_what_is_made_in_training_alone_is_seen_there(tmp_path):
    train = TRAINS.format(
        body="loss, sgd = Loss('mean'), OwnSGD(self.net, Rate(), 0.1)\n        self.net.forward(x)"
        "\n        self.net.backward(x)"
    )
    one = driver(tmp_path, edited(("class Model:", MORE + "\nclass Model:")) + train)
    x, y = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(one.loss().forward(x, y), (x - y).square().mean())
    conv = one.module("Conv2d", [3, 5, 3], {})
    optimiser, before = one.optimiser(conv, lr=0.5), conv.parameters()["bias"].clone()
    conv.zero_grad()
    conv.forward(torch.randn(2, 3, 6, 6))
    conv.backward(torch.ones(2, 5, 4, 4))
    optimiser.step()
    torch.testing.assert_close(conv.parameters()["bias"], before - 0.5 * conv.gradients()["bias"])


ONE_CLASS = {
    "by name": ("Activation('relu')", "kind", "x.clamp(0)", "(self.x > 0)"),
    "by functions": ("Activation(lambda x: x.clamp(0), lambda x: x > 0)", "f, d", "self.f(x)", "self.d(self.x)"),
}


@pytest.mark.parametrize("name", ONE_CLASS)
@torch.no_grad()
def test_an_activation_of_a_class_of_many_is_the_one_that_the_author_makes(name, tmp_path):
    made, arguments, forward, derivative = ONE_CLASS[name]
    kept = "".join(f"        self.{one} = {one}\n" for one in arguments.split(", "))
    source = (
        f"class Activation:\n    def __init__(self, {arguments}):\n{kept}\n    def forward(self, x):\n"
        f"        self.x = x\n"
        f"        return {forward}\n\n    def backward(self, g):\n        return g * {derivative}\n\n"
        f"    def param(self):\n        return []\n"
    )
    one = driver(tmp_path, edited((RELU, source), ("ReLU())\n", f"{made})\n")))
    relu, x, g = one.module("ReLU", [], {}), torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(relu.forward(x), x.clamp(min=0))
    torch.testing.assert_close(relu.backward(g), g * (x > 0))
    assert "ReLU" in one.facts()["functions"]


@torch.no_grad()
def test_a_target_that_is_set_before_is_set(tmp_path):
    own = LOSS.replace(
        "forward(self, x, t):\n", "set_target(self, t):\n        self.t = t\n\n    def forward(self, x):\n"
    )
    loss = driver(tmp_path, edited((LOSS, own.replace("x - t", "x - self.t")))).loss()
    x, t = torch.randn(2, 3), torch.randn(2, 3)
    torch.testing.assert_close(loss.forward(x, t), (x - t).square().mean())
    torch.testing.assert_close(loss.gradient(), 2 * (x - t) / 6)
