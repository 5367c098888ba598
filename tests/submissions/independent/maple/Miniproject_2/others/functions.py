class ReLU():

    def forward(self, x):
        self.x = x
        return x.clamp(min=0.)

    def backward(self, gradwrtoutput):
        return gradwrtoutput * (self.x > 0).float()

    def param(self):
        return []


class Sigmoid():

    def forward(self, x):
        self.s = 1. / (1. + (-x).exp())
        return self.s

    def backward(self, gradwrtoutput):
        return gradwrtoutput * self.s * (1. - self.s)

    def param(self):
        return []


class MSE():

    def forward(self, prediction, target):
        self.prediction = prediction
        self.target = target
        return ((prediction - target) ** 2).mean()

    def backward(self):
        return 2. * (self.prediction - self.target) / self.target.numel()

    def param(self):
        return []
