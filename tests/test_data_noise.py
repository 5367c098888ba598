"""The corruption does what COURSE.md says: one uniformly random pixel of each 8×8 block, the same for all colours."""

import pytest
import torch

from data.noise import clean, corrupt


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_clean_is_the_rounded_mean_of_each_block():
    photos = torch.randint(256, (2, 3, 24, 40), generator=seeded(), dtype=torch.uint8)
    picture = clean(photos)
    assert picture.dtype == torch.uint8
    assert picture.shape == (2, 3, 3, 5)
    for row in range(3):
        for column in range(5):
            block = photos[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8].double()
            assert torch.equal(picture[:, :, row, column], block.mean((2, 3)).round().to(torch.uint8))


def test_corrupt_takes_one_pixel_of_the_block_and_the_same_for_the_three_colours():
    height, width = 24, 40
    position = torch.arange(height * width, dtype=torch.float64).view(1, 1, height, width)
    photos = torch.cat([position, position + 10_000, position + 20_000], 1).repeat(4, 1, 1, 1)
    noisy = corrupt(photos, seeded())
    assert noisy.shape == (4, 3, 3, 5)
    assert torch.equal(noisy[:, 1], noisy[:, 0] + 10_000)
    assert torch.equal(noisy[:, 2], noisy[:, 0] + 20_000)
    picked = noisy[:, 0].long()
    assert torch.equal(picked // width // 8, torch.arange(3).view(-1, 1).expand(4, 3, 5))
    assert torch.equal(picked % width // 8, torch.arange(5).expand(4, 3, 5))


def test_every_pixel_of_a_block_is_equally_likely_and_blocks_are_independent():
    photos = torch.arange(64).view(1, 1, 8, 8).repeat(2000, 1, 4, 4)  # each block counts its pixels
    picked = corrupt(photos, seeded()).flatten(1)  # 2000 pictures, 16 blocks
    counts = picked.flatten().bincount(minlength=64).double()
    expected = picked.numel() / 64
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < 110  # 63 degrees of freedom: exceeded once in 4,000
    correlation = torch.corrcoef(picked.T.double())
    assert (correlation - torch.eye(16)).abs().max() < 0.1  # 4.5 standard deviations


def test_the_noise_has_zero_mean():
    photos = torch.randint(256, (1, 3, 16, 16), generator=seeded(), dtype=torch.uint8)
    noisy = corrupt(photos.expand(20_000, -1, -1, -1), seeded(1)).float().mean(0)
    assert (noisy - clean(photos.float())[0]).abs().max() < 4 * 74 / 20_000**0.5 + 0.5  # 0.5: clean is rounded


def test_versions_differ_and_seeds_repeat():
    photos = torch.randint(256, (3, 3, 64, 64), generator=seeded(), dtype=torch.uint8)
    generator = seeded(5)
    first, second = corrupt(photos, generator), corrupt(photos, generator)
    assert (first != second).float().mean() > 0.9
    assert torch.equal(first, corrupt(photos, seeded(5)))
    assert first.dtype == torch.uint8


def test_the_input_may_be_non_contiguous_and_is_left_alone():
    photos = torch.randint(256, (3, 16, 24, 2), generator=seeded(), dtype=torch.uint8).permute(3, 0, 2, 1)
    before = photos.clone()
    assert torch.equal(corrupt(photos, seeded()), corrupt(before.contiguous(), seeded()))
    assert torch.equal(clean(photos), clean(before.contiguous()))
    assert torch.equal(photos, before)


def test_a_flat_photograph_has_no_noise():
    photos = torch.full((1, 3, 16, 16), 77, dtype=torch.uint8)
    assert torch.equal(corrupt(photos), clean(photos))


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 3, 15, 16), (1, 3, 16, 12)])
@pytest.mark.parametrize("function", [clean, corrupt])
def test_sizes_that_are_no_multiple_of_8_are_refused(function, shape):
    with pytest.raises(ValueError, match="multiples of 8, received"):
        function(torch.zeros(shape))
