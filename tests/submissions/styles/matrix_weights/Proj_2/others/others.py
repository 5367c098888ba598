from .module import Module


class ReLU(Module):
	def forward(self, X):
		self.mask = (X > 0) * 1
		return X * self.mask

	def backward(self, dY):
		return dY * self.mask


class Sigmoid(Module):
	def forward(self, X):
		self.Y = X.sigmoid()
		return self.Y

	def backward(self, dY):
		# sigma' = sigma (1 - sigma)
		return dY * self.Y * (1 - self.Y)


class Sequential(Module):
	def __init__(self, *modules):
		self.modules = list(modules)

	def forward(self, X):
		for module in self.modules:
			X = module.forward(X)
		return X

	def backward(self, dY):
		for module in self.modules[::-1]:
			dY = module.backward(dY)
		return dY

	def param(self):
		params = []
		for module in self.modules:
			for p in module.param():
				params.append(p)
		return params


class MSE(Module):
	def forward(self, Y, T):
		self.E = Y - T
		return (self.E ** 2).mean()

	def backward(self):
		# d/dY 1/n |Y - T|^2 = 2/n (Y - T)
		return 2 * self.E / self.E.numel()


class SGD():
	"""W <- W - lr dW"""

	def __init__(self, params, lr):
		self.params = params
		self.lr = lr

	def zero_grad(self):
		for W, dW in self.params:
			dW *= 0

	def step(self):
		for W, dW in self.params:
			W -= self.lr * dW
