"""The optimisers: how a step follows from the gradients. Each equals torch's, step for step."""

from .buffers import Buffers, workspace


class _Optimizer:
    """What a training loop needs of an optimiser. `params` is what `param()` returns: pairs of a parameter and
    its gradient. The parameters are changed in place.
    """

    remembers = ()  # the names of the tensors that a step may leave of a parameter for the next

    def __init__(self, params, lr):
        self.params = list(params)
        if not self.params:
            raise ValueError(f"{type(self).__name__} got no parameters")
        if not lr >= 0:
            raise ValueError(f"lr must be a number of at least 0, not {lr!r}")
        self.lr = lr
        self.state = [Buffers() for _ in self.params]
        self.steps = 0

    def zero_grad(self):
        """Clear the gradients, which `backward` only ever adds to."""
        for _, gradient in self.params:
            gradient.zero_()

    def state_dict(self):
        """What has to be kept, beside the parameters, to go on later as if nothing had happened."""
        state = [{name: b.kept(name) for name in self.remembers if b.kept(name) is not None} for b in self.state]
        return {"steps": self.steps, "state": state}

    def load_state_dict(self, state):
        """Go on from what `state_dict` returned for the same parameters."""
        self.steps = state["steps"]
        for buffers, remembered, (parameter, _) in zip(self.state, state["state"], self.params, strict=True):
            for name, tensor in remembered.items():
                buffers.take_like(name, parameter).copy_(tensor)

    def step(self):
        """Update every parameter from its gradient."""
        self.steps += 1
        for (parameter, gradient), state in zip(self.params, self.state, strict=True):
            self._update(parameter, gradient, state)


class SGD(_Optimizer):
    """Stochastic gradient descent with momentum, v ← μ·v + (1 − τ)·g and θ ← θ − lr·v, as `torch.optim.SGD`."""

    remembers = ("velocity",)

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        super().__init__(params, lr)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"nesterov needs a momentum above 0 and no dampening, not momentum={momentum!r} and "
                f"dampening={dampening!r}"
            )
        self.momentum, self.dampening = momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov

    def _update(self, parameter, gradient, state):
        step = gradient
        if self.weight_decay:
            step = state.copy_of("step", step).add_(parameter, alpha=self.weight_decay)
        if self.momentum and self.steps == 1:
            velocity = state.copy_of("velocity", step)
        elif self.momentum:
            velocity = state.take_like("velocity", parameter)
            velocity.mul_(self.momentum).add_(step, alpha=1 - self.dampening)
        if self.momentum:
            step = step.add(velocity, alpha=self.momentum) if self.nesterov else velocity
        parameter.add_(step, alpha=-self.lr)


class Adam(_Optimizer):
    """Adam (Kingma and Ba, arXiv 1412.6980) as `torch.optim.Adam`:

    m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²,  θ ← θ − lr · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε).
    """

    remembers = ("mean", "square")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, lr)
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be two numbers from 0 to below 1, not {betas!r}")
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def _update(self, parameter, gradient, state):
        beta1, beta2 = self.betas
        mean, square = state.take_like("mean", parameter), state.take_like("square", parameter)
        if self.steps == 1:
            mean.zero_()
            square.zero_()
        if self.weight_decay:
            gradient = state.copy_of("gradient", gradient).add_(parameter, alpha=self.weight_decay)
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        correction = (1 - beta2**self.steps) ** 0.5  # of √v, moved to where it is a number and not a tensor
        root = workspace.take_like("root", square).copy_(square).sqrt_().add_(self.eps * correction)
        parameter.addcdiv_(mean, root, value=-self.lr * correction / (1 - beta1**self.steps))


def clip_grad_norm(params, max_norm):
    """Scale all gradients of `params`, pairs of a parameter and its gradient, by one number so that their norm, taken
    together, is at most `max_norm`, as `torch.nn.utils.clip_grad_norm_`; returns the norm before.
    """
    norm = sum(float(gradient.norm()) ** 2 for _, gradient in params) ** 0.5
    if norm > max_norm:
        for _, gradient in params:
            gradient.mul_(max_norm / (norm + 1e-6))
    return norm


class Average:
    """An exponential moving average of parameters, a dictionary name -> tensor. It is what a network with a constant
    learning rate would come to if the rate fell (B. Polyak and A. Juditsky, 1992; as in arXiv 2311.05556).

    It forgets by `decay` a step, in the beginning faster: the first steps' weights are far from any good ones.
    """

    def __init__(self, params, decay):
        if not 0 <= decay < 1:
            raise ValueError(f"decay must be a number from 0 to below 1, not {decay!r}")
        self.params, self.decay = params, decay
        self.means = {name: parameter.clone() for name, parameter in params.items()}

    def update(self, steps):
        """Take the parameters in, as they are after `steps` steps."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        for name, mean in self.means.items():
            mean.lerp_(self.params[name], 1 - decay)

    def state_dict(self):
        return self.means

    def load_state_dict(self, state):
        for name, mean in self.means.items():
            mean.copy_(state[name])
