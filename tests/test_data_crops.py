"""Crops of photographs and of noisy pictures: what a pair is made of, and which scene may be in which split."""

from itertools import pairwise
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import data.scenes
from data.crops import Crops
from data.load import DataError
from data.noise import noise
from data.scenes import noisy_scenes, photo_scenes

SIDE = 16


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def places(height: int = 40, width: int = 56) -> torch.Tensor:
    """A picture whose pixels say where they are: row, column, 7."""
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width)
    return torch.stack(
        [rows.expand(height, width), columns.expand(height, width), torch.full((height, width), 7)]
    ).byte()


def save(path: Path, size: tuple[int, int], colour) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr(data.scenes, "cores", lambda: 1)


def test_a_crop_lies_anywhere_in_its_picture_in_all_eight_orientations():
    first, second, known = Crops([[places()]], None, SIDE).batch(3000, seeded())
    assert torch.equal(first, second)  # of a scene with one picture
    assert known is None
    orientations, tops, lefts = set(), set(), set()
    for rows, columns, colour in first.int():
        steps = [(x[1, 0] - x[0, 0], x[0, 1] - x[0, 0]) for x in (rows, columns)]
        orientations.add(tuple(int(step) for pair in steps for step in pair))
        tops.add(int(rows.min()))
        lefts.add(int(columns.min()))
        assert rows.max() - rows.min() == columns.max() - columns.min() == SIDE - 1
        assert (colour == 7).all()
    assert len(orientations) == 8
    assert tops == set(range(40 - SIDE + 1))
    assert lefts == set(range(56 - SIDE + 1))


def test_both_noisy_versions_are_of_the_same_crop_and_independent():
    x, target, known = Crops([[places()]], noise("gaussian:2"), SIDE).batch(400, seeded())
    assert known is None
    assert (x - target).std().item() == pytest.approx(2 * 2**0.5, rel=0.02)
    assert x.dtype == target.dtype == torch.float32


def test_clean_targets_are_clean():
    x, target, known = Crops([[places()]], noise("gaussian:2"), SIDE, clean_targets=True).batch(50, seeded())
    assert torch.equal(target, target.round())
    assert (x - target).std().item() == pytest.approx(2, rel=0.05)
    assert known is None


def test_the_loss_is_told_what_the_target_lacks():
    x, target, known = Crops([[places() + 1]], noise("bernoulli:0.5"), SIDE).batch(50, seeded())
    assert torch.equal(target.sum(1, keepdim=True) > 0, known > 0)
    assert not torch.equal(x > 0, target > 0)


def test_a_burst_gives_two_different_pictures_of_one_place():
    burst = [places() + torch.tensor([0, 0, n]).view(3, 1, 1).byte() for n in range(3)]
    x, target, _ = Crops([burst], None, SIDE).batch(300, seeded())
    assert torch.equal(x[:, :2], target[:, :2])
    seen = {(int(a), int(b)) for a, b in zip(x[:, 2, 0, 0] - 7, target[:, 2, 0, 0] - 7, strict=True)}
    assert seen == {(a, b) for a in range(3) for b in range(3) if a != b}


def test_an_epoch_is_the_same_whenever_it_is_asked_for_and_none_is_like_another():
    scenes = [[torch.randint(256, (3, 30, 30), generator=seeded(n), dtype=torch.uint8)] for n in range(5)]
    crops = Crops(scenes, noise("poisson:5-50"), SIDE, seed=3)
    one, again, other = ([*crops.epoch(number, 25, 10)] for number in (4, 4, 5))
    assert [len(batch[0]) for batch in one] == [10, 10, 5]
    for a, b, c in zip(one, again, other, strict=True):
        assert torch.equal(a[0], b[0])
        assert torch.equal(a[1], b[1])
        assert not torch.equal(a[0], c[0])
    assert not torch.equal(next(Crops(scenes, crops.noise, SIDE, seed=4).epoch(4, 25, 10))[0], one[0][0])


@pytest.mark.parametrize("kept", ["gaussian:5-50", "bernoulli", "text", None])
def test_the_parts_of_a_batch_make_up_the_whole(kept):
    scenes = [[torch.randint(256, (3, 30, 30), generator=seeded(n), dtype=torch.uint8)] for n in range(5)]
    crops = Crops(scenes, kept and noise(kept), SIDE)
    cuts = [0, 3, 8, 8, 13, 20, 25]  # of a last batch of 5 crops, some get none
    parts = [
        [*crops.epoch(4, 25, 20, lambda size, a=a, b=b: slice(min(a, size), min(b, size)))] for a, b in pairwise(cuts)
    ]
    for number, whole in enumerate(crops.epoch(4, 25, 20)):
        here = [part[number] for part in parts]
        assert {part[3] for part in here} == {whole[3]} == {(20, 5)[number]}
        for tensor, *of_it in zip(whole[:3], *(part[:3] for part in here), strict=True):
            assert all(part is None for part in of_it) if tensor is None else torch.equal(torch.cat(of_it), tensor)


def test_what_is_measured_is_the_middle_of_every_scene():
    (noisy, clean), *_ = Crops([[places()]], noise("gaussian:9")).middles(20)
    assert torch.equal(clean[0].byte(), places()[:, 10:30, 18:38])
    assert (noisy - clean).std().item() == pytest.approx(9, rel=0.1)
    again, _ = next(Crops([[places()]], noise("gaussian:9"), seed=8).middles(20))
    assert torch.equal(noisy, again)
    burst = [torch.full((3, 9, 9), value, dtype=torch.uint8) for value in (10, 20, 31)]
    noisy, mean = next(Crops([burst], None).middles(20))
    assert (noisy == 10).all()
    assert (mean == 25.5).all()


def test_photographs_are_split_and_excluded_by_name(tmp_path):
    for n in range(30):
        save(tmp_path / "photos" / f"{n:02}.jpg", (40, 34), (8 * n, 0, 0))
    for n in range(10):
        save(tmp_path / "test" / f"{n:02}.png", (9, 9), 0)  # another format, and other content, but those names
    (tmp_path / "names.txt").write_text("".join(f"{n:02}.jpg\n" for n in range(10)))
    (tmp_path / "val.txt").write_text("20.jpg\n25.jpg\n")
    for exclude in ("test", "names.txt"):
        said = []
        train, held = photo_scenes([tmp_path / "photos"], SIDE, tmp_path / "val.txt", tmp_path / exclude, said.append)
        colours = [sorted(round(int(scene[0][0].median()) / 8) for scene in side) for side in (train, held)]
        assert colours == [[*range(10, 20), *range(21, 25), *range(26, 30)], [20, 25]]
        assert said[-1].startswith("10 photographs are excluded by the 10 names of")


def test_an_exclusion_that_excludes_nothing_is_refused(tmp_path):
    save(tmp_path / "photos" / "a.png", (40, 34), 0)
    (tmp_path / "names.txt").write_text("b.png\n")
    with pytest.raises(DataError, match="none of its 1 names is that of a photograph"):
        photo_scenes([tmp_path / "photos"], SIDE, exclude=tmp_path / "names.txt", say=lambda line: None)


def test_some_dozens_are_held_out_at_most(tmp_path, monkeypatch):
    for n in range(12):
        save(tmp_path / f"{n}.png", (40, 40), (20 * n, 0, 0))
    monkeypatch.setattr(data.scenes, "HELD_OUT", 2)
    train, held = photo_scenes([tmp_path], SIDE, say=lambda line: None)
    assert (len(train), len(held)) == (10, 2)


def test_photographs_smaller_than_a_crop_are_left_out(tmp_path):
    for n in range(8):
        save(tmp_path / f"{n}.png", (60, 50), n)
    save(tmp_path / "small.png", (70, 48), 9)
    said = []
    train, held = photo_scenes([tmp_path], 50, say=said.append)
    assert all(scene[0].shape == (3, 50, 60) for scene in train + held)
    assert said == [f"skipped {tmp_path / 'small.png'}: 70×48 is less than a crop of 50×50"]
    with pytest.raises(DataError, match="has 51 pixels a side or more; choose a smaller --crop"):
        photo_scenes([tmp_path], 51, say=said.append)


def test_of_photographs_too_large_for_the_memory_the_middle_is_kept(tmp_path, monkeypatch):
    Image.fromarray(numpy.ascontiguousarray(places(80, 120).permute(1, 2, 0).numpy())).save(tmp_path / "large.png")
    save(tmp_path / "held.png", (40, 40), 0)
    (tmp_path / "val.txt").write_text("held.png\n")
    monkeypatch.setattr(data.scenes, "MEMORY", 2 * 3 * 600)
    (((picture,),), _) = photo_scenes([tmp_path], SIDE, tmp_path / "val.txt", say=lambda line: None)
    assert picture.shape == (3, 20, 30)
    assert torch.equal(picture, places(80, 120)[:, 30:50, 45:75])


def test_two_folders_of_equal_names_are_pairs(tmp_path):
    for n in range(5):
        save(tmp_path / "a" / f"{n}.png", (40, 48), (n, 0, 0))
        save(tmp_path / "b" / f"{n}.jpg", (40, 48), (n, 0, 200))
    save(tmp_path / "a" / "alone.png", (40, 48), 0)
    said = []
    train, held = noisy_scenes([tmp_path / "a", tmp_path / "b"], SIDE, said.append)
    assert (len(train), len(held)) == (4, 1)
    assert all(len(scene) == 2 and scene[0][2].max() < 20 and scene[1][2].min() > 180 for scene in train + held)
    assert said == ["1 pictures have none of the same name in the other folder and are left out, alone for one"]


def test_a_sub_folder_is_a_scene(tmp_path):
    for scene in range(3):
        for shot in range(2 + scene):
            save(tmp_path / f"{scene}" / f"{shot}.png", (40, 48), (10 * scene, shot, 0))
    train, held = noisy_scenes([tmp_path], SIDE)
    assert sorted(len(scene) for scene in train + held) == [2, 3, 4]
    assert all(len({int(picture[0, 0, 0]) for picture in scene}) == 1 for scene in train + held)


@pytest.mark.parametrize(
    ("files", "folders", "complaint"),
    [
        ({"a/1.png": 40, "b/2.png": 40}, "a b", "have no two pictures of equal names"),
        ({"a/1.png": 40, "b/1.png": 40}, "a b", "a single scene; expected 2 at least"),
        (
            {"a/1.png": 40, "a/2.png": 40, "b/1.png": 40, "b/2.png": 41},
            "a b",
            "the pictures of a scene have one size",
        ),
        ({"a/x/1.png": 40, "a/y/1.png": 40, "a/y/2.png": 40}, "a", "not 1.png alone"),
        ({"a/x/1.png": 40, "a/x/2.png": 40, "a/3.png": 40}, "a", "not 3.png beside them"),
        ({"a/1.png": 40}, "a b c", "3 folders of noisy pictures"),
        ({"a/1.txt": 40}, "b", "no such folder"),
        ({"a/x/1.png": 8, "a/x/2.png": 8, "a/y/1.png": 8, "a/y/2.png": 8}, "a", "too small"),
    ],
)
def test_noisy_pictures_that_make_no_pairs_are_refused(files, folders, complaint, tmp_path):
    for name, side in files.items():
        save(tmp_path / name, (side, 40), 0) if name.endswith("png") else (tmp_path / "a").mkdir()
    with pytest.raises(DataError) as error:
        noisy_scenes([tmp_path / folder for folder in folders.split()], SIDE)
    assert complaint in str(error.value)
