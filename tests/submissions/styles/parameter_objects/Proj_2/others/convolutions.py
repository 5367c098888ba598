"""Convolutions by index tables.

A table of shape (channels * k * k, windows) says for each window which values of a (flattened) picture it covers.
Reading with it is im2col, adding at its places is the opposite.
"""
from typing import Tuple

import torch
from torch import arange

from .module import Module
from .parameter import Parameter


def window_table(channels: int, height: int, width: int, k: int, stride: int) -> torch.Tensor:
    """Index table for pictures of the given size (padding included)."""
    channel = arange(channels).view(-1, 1, 1, 1, 1) * height * width
    in_window = arange(k).view(-1, 1, 1, 1) * width + arange(k).view(-1, 1, 1)
    rows = arange((height - k) // stride + 1).view(-1, 1) * stride * width
    columns = arange((width - k) // stride + 1) * stride
    table = channel + in_window + rows + columns  # (C, k, k, rows, columns)
    return table.reshape(channels * k * k, -1)


def read(pictures: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, C * k * k, windows)"""
    return pictures.flatten(1)[:, table]


def add_at(columns: torch.Tensor, table: torch.Tensor, size: Tuple[int, int, int, int]) -> torch.Tensor:
    """(N, C * k * k, windows) -> pictures of the given size, where the windows overlap they are added"""
    n = size[0]
    flat = columns.new_zeros(n, size[1] * size[2] * size[3])
    flat.scatter_add_(1, table.view(1, -1).expand(n, -1), columns.flatten(1))
    return flat.view(size)


def zero_pad(x: torch.Tensor, p: int) -> torch.Tensor:
    n, c, h, w = x.shape
    padded = x.new_zeros(n, c, h + 2 * p, w + 2 * p)
    padded[:, :, p:p + h, p:p + w] = x
    return padded


class Conv2d(Module):
    """Args: see torch.nn.Conv2d, but everything is square and there is always a bias."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        std = (1. / (in_channels * kernel_size ** 2)) ** 0.5
        self.weight = Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size).normal_(0., std))
        self.bias = Parameter(torch.empty(out_channels).fill_(0.))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = zero_pad(x, self.padding)
        self.padded_size = padded.shape
        self.table = window_table(*padded.shape[1:], self.kernel_size, self.stride).to(x.device)
        self.columns = read(padded, self.table)
        output = self.weight.value.flatten(1).matmul(self.columns) + self.bias.value.view(-1, 1)
        rows = (padded.shape[2] - self.kernel_size) // self.stride + 1
        return output.view(x.shape[0], output.shape[1], rows, -1)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        _, _, h, w = self.input.shape
        p = self.padding
        grad = grad_output.flatten(2)
        weight_gradient = grad.matmul(self.columns.transpose(1, 2)).sum(0)
        self.weight.add_gradient(weight_gradient.view(self.weight.value.shape))
        self.bias.add_gradient(grad_output.sum(dim=(0, 2, 3)))
        padded = add_at(self.weight.value.flatten(1).t().matmul(grad), self.table, self.padded_size)
        return padded[:, :, p:p + h, p:p + w]


class ConvTranspose2d(Module):
    """Args: see torch.nn.ConvTranspose2d, but everything is square and there is always a bias."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        std = stride * (1. / (in_channels * kernel_size ** 2)) ** 0.5
        self.weight = Parameter(torch.empty(in_channels, out_channels, kernel_size, kernel_size).normal_(0., std))
        self.bias = Parameter(torch.empty(out_channels).fill_(0.))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, _, h, w = x.shape
        p, channels = self.padding, self.weight.value.shape[1]
        height = (h - 1) * self.stride + self.kernel_size
        width = (w - 1) * self.stride + self.kernel_size
        self.table = window_table(channels, height, width, self.kernel_size, self.stride).to(x.device)
        columns = self.weight.value.flatten(1).t().matmul(x.flatten(2))
        output = add_at(columns, self.table, (n, channels, height, width))
        return output[:, :, p:height - p, p:width - p] + self.bias.value.view(-1, 1, 1)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        columns = read(zero_pad(grad_output, self.padding), self.table)
        weight_gradient = self.input.flatten(2).matmul(columns.transpose(1, 2)).sum(0)
        self.weight.add_gradient(weight_gradient.view(self.weight.value.shape))
        self.bias.add_gradient(grad_output.sum(dim=(0, 2, 3)))
        return self.weight.value.flatten(1).matmul(columns).view(self.input.shape)
