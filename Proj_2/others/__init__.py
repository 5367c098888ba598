"""The framework, a concept a file. In the order to read them: module, buffers, activation, loss, container, skip,
patches, convolution, winograd, conv, upsampling, pooling, initialisation, optim, networks, training, reach,
prediction.
"""
