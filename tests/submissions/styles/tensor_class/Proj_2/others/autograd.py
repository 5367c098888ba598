"""A very small autograd.

Every operation on a Tensor makes a new Tensor which remembers its parents and a closure. The closure receives the
gradient of the result and hands the parents theirs. Tensor.backward() calls the closures in the right order.
"""
import torch.nn.functional as F


class Tensor:
    def __init__(self, data, parents=(), grad_fn=None):
        self.data = data
        self.grad = None
        self.parents = parents
        self.grad_fn = grad_fn

    @property
    def shape(self):
        return self.data.shape

    def accumulate(self, grad):
        self.grad = grad if self.grad is None else self.grad + grad

    def backward(self):
        """Gradients of this (scalar) tensor with respect to all the tensors it was computed from.

        Leaves (parameters, inputs) keep the sum over all the calls, the intermediate results only the last one.
        """
        tape, seen = [], set()

        def visit(tensor):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                for parent in tensor.parents:
                    visit(parent)
                tape.append(tensor)

        visit(self)
        for tensor in tape:
            if tensor.grad_fn is not None:
                tensor.grad = None
        self.grad = self.data.new_ones(self.shape)
        for tensor in reversed(tape):
            if tensor.grad_fn is not None:
                tensor.grad_fn(tensor.grad)

    # ---------------------------------------------------------------- operations

    def __add__(self, other):
        def grad_fn(grad):
            self.accumulate(_sum_to(grad, self.shape))
            other.accumulate(_sum_to(grad, other.shape))

        return Tensor(self.data + other.data, (self, other), grad_fn)

    def __matmul__(self, other):
        """matrix (I x J) times batch of matrices (N x J x L)"""

        def grad_fn(grad):
            self.accumulate((grad @ other.data.transpose(1, 2)).sum(0))
            other.accumulate(self.data.t() @ grad)

        return Tensor(self.data @ other.data, (self, other), grad_fn)

    def t(self):
        return Tensor(self.data.t(), (self,), lambda grad: self.accumulate(grad.t()))

    def reshape(self, *shape):
        return Tensor(
            self.data.reshape(*shape), (self,), lambda grad: self.accumulate(grad.reshape(self.shape))
        )

    def unfold(self, **window):
        size = self.shape[2:]
        return Tensor(
            F.unfold(self.data, **window), (self,), lambda grad: self.accumulate(F.fold(grad, size, **window))
        )

    def fold(self, size, **window):
        return Tensor(
            F.fold(self.data, size, **window), (self,), lambda grad: self.accumulate(F.unfold(grad, **window))
        )

    def relu(self):
        out = self.data.clamp(min=0)
        return Tensor(out, (self,), lambda grad: self.accumulate(grad * (out > 0)))

    def sigmoid(self):
        out = self.data.sigmoid()
        return Tensor(out, (self,), lambda grad: self.accumulate(grad * out * (1 - out)))


def _sum_to(grad, shape):
    """Undo a broadcast: sum over the dimensions that were 1 or missing."""
    grad = grad.sum(tuple(range(grad.dim() - len(shape)))) if grad.dim() > len(shape) else grad
    for i, n in enumerate(shape):
        if n == 1 and grad.shape[i] != 1:
            grad = grad.sum(i, keepdim=True)
    return grad
