def relu(x):
    return x.clamp(min=0)


def relu_backward(dout, x):
    return dout * (x > 0)


def sigmoid(x):
    return (x / 2).tanh() / 2 + 0.5


def sigmoid_backward(dout, x):
    # x is what sigmoid has returned
    return dout * x * (1 - x)


def gradient_of(function, dout, x, y):
    return relu_backward(dout, x) if function is relu else sigmoid_backward(dout, y)


def mse_loss(pred, target):
    diff = pred - target
    return diff.square().mean(), diff * 2 / diff.numel()


def sgd_step(params, grads, lr=0.1):
    for p, g in zip(params, grads):
        p.sub_(g, alpha=lr)


def zero_grads(grads):
    for g in grads:
        g.zero_()
