class Module():
	"""Notation: X input, Y output, dX = dL/dX, dY = dL/dY (upper case since these are matrices or more)"""

	def forward(self, X):
		raise NotImplementedError

	def backward(self, dY):
		raise NotImplementedError

	def param(self):
		return []
