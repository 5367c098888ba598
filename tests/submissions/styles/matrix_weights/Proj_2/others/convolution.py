from torch import empty
from torch.nn.functional import fold, unfold
from .module import Module


class Conv2d(Module):
	"""
	Y = W P + b
	P (in*k*k, N*L): all the patches of all the images as columns
	W (out, in*k*k), b (out, 1)
	"""

	def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
		self.k, self.s, self.p = kernel_size, stride, padding
		self.W = empty(out_channels, in_channels * kernel_size ** 2).normal_() * (2 / (in_channels * kernel_size ** 2)) ** 0.5
		self.b = empty(out_channels, 1).fill_(0.)
		self.dW = self.W * 0
		self.db = self.b * 0

	def output_size(self, size):
		return (size + 2 * self.p - self.k) // self.s + 1

	def forward(self, X):
		N, C, H, Wd = X.shape
		self.size = H, Wd
		P = unfold(X, self.k, stride=self.s, padding=self.p)
		# (N, in*k*k, L) -> (in*k*k, N*L)
		self.P = P.permute(1, 0, 2).reshape(P.shape[1], -1)
		Y = self.W @ self.P + self.b
		return Y.view(-1, N, self.output_size(H), self.output_size(Wd)).transpose(0, 1)

	def backward(self, dY):
		N, C, H, Wd = dY.shape
		dY = dY.transpose(0, 1).reshape(C, -1)
		# dL/dW = dL/dY P^T
		self.dW += dY @ self.P.T
		self.db += dY.sum(1, keepdim=True)
		dP = self.W.T @ dY
		dP = dP.view(-1, N, H * Wd).permute(1, 0, 2)
		return fold(dP, self.size, self.k, stride=self.s, padding=self.p)

	def param(self):
		return [(self.W, self.dW), (self.b, self.db)]


class Upsampling(Module):
	"""
	Transposed convolution, see the arithmetic of Dumoulin and Visin:
	s - 1 zeros between the pixels, k - 1 around, then a convolution of stride 1 with the flipped kernel, and
	`padding` rows and columns are taken away on each side
	"""

	def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
		self.k, self.s, self.p = kernel_size, stride, padding
		self.conv = Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size - 1)
		# most of what the kernel meets are the zeros: variance 1/s^2 of that of a convolution
		self.W = self.conv.W * stride
		self.b = self.conv.b
		self.dW = self.conv.dW
		self.db = self.conv.db

	def flip(self, W):
		# rotation of the kernels by 180 degrees = reversed order of their k*k numbers
		return W.view(W.shape[0], -1, self.k ** 2).flip(2).view(W.shape)

	def forward(self, X):
		N, C, H, Wd = X.shape
		Z = X.new_zeros(N, C, (H - 1) * self.s + 1, (Wd - 1) * self.s + 1)
		Z[:, :, ::self.s, ::self.s] = X
		self.conv.W, self.conv.b = self.flip(self.W), self.b
		Y = self.conv.forward(Z)
		self.full = Y.shape
		return Y[:, :, self.p:Y.shape[2] - self.p, self.p:Y.shape[3] - self.p]

	def backward(self, dY):
		dfull = dY.new_zeros(self.full)
		dfull[:, :, self.p:self.full[2] - self.p, self.p:self.full[3] - self.p] = dY
		# the convolution starts from zero, its dW is that of the flipped kernel
		self.conv.dW, self.conv.db = self.W * 0, self.b * 0
		dZ = self.conv.backward(dfull)
		self.dW += self.flip(self.conv.dW)
		self.db += self.conv.db
		return dZ[:, :, ::self.s, ::self.s]

	def param(self):
		return [(self.W, self.dW), (self.b, self.db)]
