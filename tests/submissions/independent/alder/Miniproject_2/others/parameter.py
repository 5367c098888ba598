from torch import empty


class Parameter(object):
    """ A tensor together with its gradient. """

    def __init__(self, data):
        self.data = data
        self.grad = data.new_zeros(data.shape)

    @property
    def shape(self):
        return self.data.shape

    def zero_grad(self):
        self.grad.zero_()

    def accumulate(self, g):
        self.grad.add_(g.view(self.data.shape))

    def to(self, device):
        self.data = self.data.to(device)
        self.grad = self.grad.to(device)
        return self

    def __repr__(self):
        return 'Parameter' + str(tuple(self.data.shape))


def uniform_init(shape, fan_in):
    bound = (1.0 / fan_in) ** 0.5
    return Parameter(empty(*shape).uniform_(-bound, bound))
