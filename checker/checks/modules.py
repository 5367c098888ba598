"""Forward and backward of every module against torch, with random cotangents."""

from ..context import Grading
from ..registry import check
from .judging import judge


@check("modules", needs=("api.imports",))
def conv2d_forward(g: Grading):
    """Conv2d.forward gives torch's values"""
    return judge(g, "Conv2d", "forward")


@check("modules", needs=("api.imports",))
def conv2d_grad_input(g: Grading):
    """Conv2d.backward returns the gradient with respect to its input"""
    return judge(g, "Conv2d", "grad_input")


@check("modules", needs=("api.imports",))
def conv2d_grad_weight(g: Grading):
    """Conv2d.backward gives the gradient of the weight"""
    return judge(g, "Conv2d", "grad_weight")


@check("modules", needs=("api.imports",))
def conv2d_grad_bias(g: Grading):
    """Conv2d.backward gives the gradient of the bias"""
    return judge(g, "Conv2d", "grad_bias")


@check("modules", needs=("api.imports",))
def transposed_forward(g: Grading):
    """TransposeConv2d.forward gives torch's values"""
    return judge(g, "TransposeConv2d", "forward")


@check("modules", needs=("api.imports",))
def transposed_grad_input(g: Grading):
    """TransposeConv2d.backward returns the gradient with respect to its input"""
    return judge(g, "TransposeConv2d", "grad_input")


@check("modules", needs=("api.imports",))
def transposed_grad_weight(g: Grading):
    """TransposeConv2d.backward gives the gradient of the weight"""
    return judge(g, "TransposeConv2d", "grad_weight")


@check("modules", needs=("api.imports",))
def transposed_grad_bias(g: Grading):
    """TransposeConv2d.backward gives the gradient of the bias"""
    return judge(g, "TransposeConv2d", "grad_bias")


@check("modules", needs=("api.imports",))
def nearest_conv_forward(g: Grading):
    """Upsampling (doubling and a convolution).forward gives torch's values"""
    return judge(g, "NearestConv", "forward")


@check("modules", needs=("api.imports",))
def nearest_conv_grad_input(g: Grading):
    """Upsampling (doubling and a convolution).backward returns its input's gradient"""
    return judge(g, "NearestConv", "grad_input")


@check("modules", needs=("api.imports",))
def nearest_conv_grad_weight(g: Grading):
    """Upsampling (doubling and a convolution).backward gives the gradient of the weight"""
    return judge(g, "NearestConv", "grad_weight")


@check("modules", needs=("api.imports",))
def nearest_conv_grad_bias(g: Grading):
    """Upsampling (doubling and a convolution).backward gives the gradient of the bias"""
    return judge(g, "NearestConv", "grad_bias")


@check("modules", needs=("api.imports",))
def nearest_forward(g: Grading):
    """NearestUpsampling.forward gives torch's values"""
    return judge(g, "NearestUpsampling", "forward")


@check("modules", needs=("api.imports",))
def nearest_backward(g: Grading):
    """NearestUpsampling.backward returns the gradient with respect to its input"""
    return judge(g, "NearestUpsampling", "grad_input")


@check("modules", needs=("api.imports",))
def relu_forward(g: Grading):
    """ReLU.forward gives torch's values"""
    return judge(g, "ReLU", "forward")


@check("modules", needs=("api.imports",))
def relu_backward(g: Grading):
    """ReLU.backward returns the gradient with respect to its input"""
    return judge(g, "ReLU", "grad_input")


@check("modules", needs=("api.imports",))
def sigmoid_forward(g: Grading):
    """Sigmoid.forward gives torch's values"""
    return judge(g, "Sigmoid", "forward")


@check("modules", needs=("api.imports",))
def sigmoid_backward(g: Grading):
    """Sigmoid.backward returns the gradient with respect to its input"""
    return judge(g, "Sigmoid", "grad_input")
