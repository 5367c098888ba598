from .module import Module


class ReLU(Module):
    def forward(self, *input):
        self.input = input[0]
        return self.input.clamp(min=0)

    def backward(self, *gradwrtoutput):
        return gradwrtoutput[0] * (self.input > 0)


class Sigmoid(Module):
    def forward(self, *input):
        self.output = input[0].sigmoid()
        return self.output

    def backward(self, *gradwrtoutput):
        # s'(x) = s(x) (1 - s(x))
        return gradwrtoutput[0] * self.output * (1 - self.output)


class MSE(Module):
    """Mean of the squared errors over all the pixels of the batch."""

    def forward(self, *input):
        self.prediction, self.target = input
        return (self.prediction - self.target).pow(2).mean()

    def backward(self):
        return 2 * (self.prediction - self.target) / self.prediction.numel()
