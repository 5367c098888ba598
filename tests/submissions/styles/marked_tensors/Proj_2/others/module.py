"""
How the backward pass finds its way
-----------------------------------
A module keeps all the inputs it was given in a list. It marks each tensor it returns:

    tensor.creator        the module that computed it
    tensor.input_index    place of the corresponding input in creator.inputs
    tensor.grad_required  False: nobody needs the gradient of this tensor (pictures)

backpropagate() reads these marks from the output of the network back to its input. zero_grad() empties the lists, it
has to be called after each step.
"""


class Module:
    def __init__(self):
        self.inputs = []

    def forward(self, x):
        result = self.compute(x)
        result.creator = self
        result.input_index = len(self.inputs)
        result.grad_required = True
        self.inputs.append(x)
        return result

    def backward(self, gradwrtoutput):
        """gradwrtoutput: must carry the input_index of the output it belongs to"""
        x = self.inputs[gradwrtoutput.input_index]
        return self.gradient(x, gradwrtoutput)

    def compute(self, x):
        raise NotImplementedError

    def gradient(self, x, gradwrtoutput):
        """accumulate the gradients of the parameters, return the one of x"""
        raise NotImplementedError

    def param(self):
        return []

    def zero_grad(self):
        self.inputs = []
        for _, grad in self.param():
            grad.zero_()


def backpropagate(tensor, grad):
    """walk from tensor, whose gradient is grad, to the start"""
    while hasattr(tensor, 'creator') and grad is not None:
        grad.input_index = tensor.input_index
        previous = tensor.creator.inputs[tensor.input_index]
        tensor, grad = previous, tensor.creator.backward(grad)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules

    def forward(self, x):
        for module in self.modules:
            x = module.forward(x)
        self.last_output = x
        return x

    def backward(self, gradwrtoutput):
        backpropagate(self.last_output, gradwrtoutput)

    def param(self):
        params = []
        for module in self.modules:
            params.extend(module.param())
        return params

    def zero_grad(self):
        for module in self.modules:
            module.zero_grad()
        self.last_output = None
