"""What every building block of a network has in common."""


class Module:
    """A differentiable function with, perhaps, parameters.

    `forward(x)` computes the output and saves what `backward` will read. `backward(grad_y)` takes the gradient
    of the loss with respect to that output, adds to the gradients of the parameters and returns the gradient
    with respect to the input. It may be called any number of times after one `forward`.

    Both take `scratch=False`. With `scratch=True` the caller gives its argument away and takes a result that
    lives only until the module's next call: the module may then work in place and in memory that it keeps.
    A network does so between its modules; what it hands to its own caller is always that caller's alone.
    """

    in_place = False  # whether forward and backward work in their argument's memory if given it as scratch
    on_gradients = None  # called, if any, with the module when it has added to its gradients, before it goes on

    def forward(self, x, scratch=False):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad_y, scratch=False):
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def accumulate(self, grad_y):
        """`backward` for a caller that has no use for the gradient with respect to the input, as training has none
        for that of the pictures. `grad_y` is given away, as with `scratch=True`.
        """
        self.backward(grad_y, scratch=True)

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def named_param(self):
        """The parameters by name: a dictionary name -> (parameter, gradient), the two of equal size."""
        return {}

    def leaves(self):
        """The modules, in order, that are not made of others."""
        return [self]

    def param(self):
        """The list of pairs (parameter, gradient), read live; empty for a module without parameters."""
        return list(self.named_param().values())

    def zero_grad(self):
        """Clear the gradients, which `backward` only ever adds to."""
        for _, gradient in self.param():
            gradient.zero_()

    def state_dict(self):
        """The parameters themselves by name, with the names that torch gives them."""
        return {name: parameter for name, (parameter, _) in self.named_param().items()}

    def load_state_dict(self, state):
        """Copy the tensors of `state` into the parameters; all of them fit, or none is copied.

        Raises ValueError if a name is missing or unknown, or if a shape differs.
        """
        own = self.state_dict()
        if set(own) != set(state):
            raise ValueError(
                f"the state holds {sorted(state) or 'nothing'}, but this network has the parameters {sorted(own)}"
            )
        for name, parameter in own.items():
            if state[name].shape != parameter.shape:
                raise ValueError(
                    f"{name} has shape {tuple(state[name].shape)} in the state, "
                    f"but {tuple(parameter.shape)} in this network"
                )
        for name, parameter in own.items():
            parameter.copy_(state[name])

    def to(self, device):
        """Move the parameters and their gradients to `device`, in place of the old ones; returns the module."""
        for parameter, gradient in self.param():
            parameter.data, gradient.data = parameter.to(device), gradient.to(device)
        return self
