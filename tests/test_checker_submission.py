"""What is handed in, as folder or zip, and the copy that is graded."""

import stat
import zipfile

import pytest
from checker_support import package

from checker.intake import archive, submission


def make(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("prefix", ["", "student-main/"])
@pytest.mark.parametrize("name", ["Proj_2", "Miniproject_2", "proj_2"])
def test_the_package_is_found_in_a_zip(prefix, name, tmp_path):
    path = make(tmp_path / "one.zip", (f"{prefix}{name}/model.py", "x = 1\n"), (f"{prefix}{name}/others/a.py", ""),
                (f"{prefix}notes.txt", ""), (f"__MACOSX/{name}/model.py", "junk"))  # fmt: skip
    found = submission.find(path)
    assert found.package == name
    assert submission.snapshot(found, tmp_path / "copy", cap_mb=1) == []
    assert names(tmp_path / "copy") == [f"{name}/model.py", f"{name}/others/a.py"]


def test_a_zip_without_package_says_what_is_there(tmp_path):
    found = submission.find(make(tmp_path / "one.zip", ("model.py", ""), ("deep/er/Proj_2/model.py", "")))
    assert found.folder is None
    assert found.found == ("deep", "model.py")


def test_what_leads_out_of_a_zip_is_left_out_and_told(tmp_path):
    link = zipfile.ZipInfo("Proj_2/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = make(tmp_path / "one.zip", ("Proj_2/model.py", "first"), ("Proj_2/model.py", "second"),
                ("../outside", ""), ("Proj_2/../../outside", ""), ("/outside", ""), ("Proj_2/..\\outside", ""),
                (link, "/etc/passwd"), ("Proj_2/a", ""), ("Proj_2/a/b", ""), ("Proj_2/" + "x" * 300, ""))  # fmt: skip
    left_out = submission.snapshot(submission.find(path), tmp_path / "in" / "copy", cap_mb=1)
    assert names(tmp_path) == ["in/copy/Proj_2/a", "in/copy/Proj_2/model.py", "one.zip"]
    assert (tmp_path / "in" / "copy" / "Proj_2" / "model.py").read_text() == "first"
    assert len(left_out) == 8
    assert sum("leads out" in sentence for sentence in left_out) == 4


def test_a_damaged_zip_is_the_submissions_fault(tmp_path):
    path = make(tmp_path / "one.zip", ("Proj_2/model.py", "x = 1\n" * 1000), ("Proj_2/__init__.py", ""))
    whole = path.read_bytes()
    start = whole.index(b"model.py") + len("model.py")
    path.write_bytes(whole[:start] + bytes(20) + whole[start + 20 :])
    left_out = submission.snapshot(submission.find(path), tmp_path / "copy", cap_mb=1)
    assert "can't be unpacked" in left_out[0]
    assert names(tmp_path / "copy") == ["Proj_2/__init__.py"]
    for content in (whole[:-30], b"", b"PK", bytes(100)):
        path.write_bytes(content)
        assert "can't be read" in submission.find(path).found[0]


def test_a_long_index_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "INDEX_CAP", 100)
    path = make(tmp_path / "one.zip", *((f"Proj_2/{n}", "") for n in range(10)))
    with pytest.raises(archive.BadArchive, match="far too many"):
        archive.members(path)


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"large": bytes(2 << 20)}, "1 MB"),
        ({"source.py": b"#" * (1 << 20) + b"\n"}, "Python source"),
        ({str(n): b"" for n in range(20)}, "more than 10 files"),
    ],
)
def test_what_is_too_large_is_refused(kind, content, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "MOST_FILES", 10)
    if kind == "folder":
        path = package(tmp_path / "one", "x = 1\n")
        for name, data in content.items():
            (path / "Proj_2" / name).write_bytes(data)
    else:
        path = make(tmp_path / "one.zip", *((f"Proj_2/{name}", data) for name, data in content.items()))
    cap = 1 if reason == "1 MB" else 10
    with pytest.raises(submission.TooLarge, match=reason):
        submission.snapshot(submission.find(path), tmp_path / "copy", cap_mb=cap)
