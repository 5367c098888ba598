import abc


class Module(abc.ABC):
    """Abstract base for everything in the framework."""

    def __init__(self):
        self._params = {}      # name -> tensor
        self._grads = {}       # name -> tensor of the same size
        self._cache = ()

    def __call__(self, x):
        return self.forward(x)

    @abc.abstractmethod
    def forward(self, x):
        ...

    @abc.abstractmethod
    def backward(self, grad):
        ...

    def register(self, name, tensor):
        self._params[name] = tensor
        self._grads[name] = tensor.new_zeros(tensor.size())

    def param(self):
        return [(self._params[n], self._grads[n]) for n in self._params]

    def zero_grad(self):
        for n, p in self._params.items():
            self._grads[n] = p.new_zeros(p.size())

    @property
    def weight(self):
        return self._params['weight']

    @weight.setter
    def weight(self, value):
        self._params['weight'] = value

    @property
    def bias(self):
        return self._params['bias']

    @bias.setter
    def bias(self, value):
        self._params['bias'] = value
