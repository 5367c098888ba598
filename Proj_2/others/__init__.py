"""The framework, a concept a file. In the order to read them: module, buffers, activation, loss, container,
patches, convolution, conv, upsampling, optim, networks, training, prediction.
"""
