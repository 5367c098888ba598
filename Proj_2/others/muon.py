"""Muon: steps along matrices that are made orthogonal, for the weights between hidden channels."""

from .optim import Adam
from .patches import channel_last

NARROWEST = 16  # rows or columns of channels; what has fewer, such as a network's ends, takes Adam's steps
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the polynomial a·s + b·s³ + c·s⁵, whose repetition takes s to about 1
REPETITIONS = 5
SIZE = 0.2  # root of the mean square of a step's entries over lr, about that of Adam's


class Muon(Adam):
    """Muon (K. Jordan et al., 2024, kellerjordan.github.io/posts/muon) for convolutions' weights, as
    `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"` takes steps for matrices; Adam for all else, at the same
    rate, as its authors advise for biases and a network's first and last layers.

    A weight is the matrix M, rows × (k_h·k_w·columns), by which patches are multiplied:

        m ← μ·m + (1 − μ)·g,   θ ← θ − lr · 0.2·√(largest side of M) · O((1 − μ)·g + μ·m)

    With U·S·Vᵀ the singular value decomposition of a matrix, O makes it about U·Vᵀ, so that a step moves in all
    directions by as much, those too in which gradients are small. `mixed`: O is computed in bfloat16.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, momentum=0.95, mixed=False):
        super().__init__(params, lr, betas, eps)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be a number from 0 to below 1, not {momentum!r}")
        self.momentum, self.mixed = momentum, mixed

    def _update(self, parameter, gradient, state):
        if parameter.dim() != 4 or min(parameter.shape[:2]) < NARROWEST:
            super()._update(parameter, gradient, state)
            return
        mean = state.take_like("mean", parameter)
        if self.steps == 1:
            mean.zero_()
        mean.lerp_(gradient, 1 - self.momentum)
        direction = channel_last(gradient.lerp(mean, self.momentum))
        matrix = direction.reshape(len(direction), -1)
        step = orthogonal(matrix.bfloat16() if self.mixed else matrix).to(matrix)
        size = SIZE * max(matrix.shape) ** 0.5
        channel_last(parameter).sub_(step.view(direction.shape), alpha=self.lr * size)


def orthogonal(matrix, eps=1e-7):
    """With the matrix U·S·Vᵀ, about U·Vᵀ: with singular values of 0.7 to 1.2 where S is not very small. All products
    are of matrices (Newton's and Schulz's iteration), which is far cheaper than the decomposition.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if tall else matrix
    x = x / (x.norm() + eps)
    for _ in range(REPETITIONS):
        square = x @ x.t()
        x = x.addmm(square.addmm(square, square, beta=b, alpha=c), x, beta=a)
    return x.t() if tall else x
