from .module import Module


class ReLU(Module):
    def forward(self, *input):
        x, = input
        self.save(x > 0)
        return x.clamp(min=0)

    def backward(self, *gradwrtoutput):
        mask, = self.restore()
        return gradwrtoutput[0] * mask,


class Sigmoid(Module):
    def forward(self, *input):
        y = input[0].sigmoid()
        self.save(y.clone())
        return y

    def backward(self, *gradwrtoutput):
        y, = self.restore()
        return gradwrtoutput[0] * y * (1 - y),


class MSE(Module):
    """forward(prediction, target), backward() without argument as there is nothing after the loss"""

    def forward(self, *input):
        prediction, target = input
        self.save(prediction - target)
        return (prediction - target).pow(2).mean()

    def backward(self, *gradwrtoutput):
        difference, = self.restore()
        return 2 * difference / difference.numel(),
