def psnr(denoised, ground_truth):
    # Peak Signal to Noise Ratio, both in [0, 1]
    mse = ((denoised - ground_truth) ** 2).mean((1, 2, 3))
    return (-10 * mse.log10()).mean().item()


def shuffled(n, gen_like):
    """indices 0..n-1 in random order, on the device of gen_like"""
    return gen_like.new_empty(n).float().uniform_(0, 1).sort()[1]


def batches(n, size):
    start = 0
    while start < n:
        yield start, min(size, n - start)
        start += size
