# Helper functions working on batches of images: (number of images, channels, rows, columns)
import torch

# float32 was not precise enough for our numerical gradient checks
torch.set_default_dtype(torch.float64)


def add_border(x: torch.Tensor, pad: int) -> torch.Tensor:
    """Puts a frame of zeros around every image."""
    if pad == 0:
        return x
    n, c, rows, cols = x.size()
    framed = x.new_zeros((n, c, rows + 2 * pad, cols + 2 * pad))
    framed[:, :, pad:-pad, pad:-pad] = x
    return framed


def cut_border(x: torch.Tensor, pad: int) -> torch.Tensor:
    return x if pad == 0 else x[:, :, pad:-pad, pad:-pad]


def get_windows(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """All the windows of the images, as (images, rows, columns, channels * kernel * kernel)."""
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.permute(0, 2, 3, 1, 4, 5).flatten(start_dim=3)


def put_windows(windows: torch.Tensor, out: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Adds every window back to the place in the image `out` where get_windows would find it."""
    n, rows, cols, _ = windows.size()
    windows = windows.reshape(n, rows, cols, -1, kernel, kernel)
    windows = windows.permute(0, 3, 1, 2, 4, 5)
    for i in range(kernel):
        for j in range(kernel):
            out[:, :, i : i + rows * stride : stride, j : j + cols * stride : stride] += windows[..., i, j]
    return out
