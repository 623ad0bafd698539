"""`adapter profiles`: lists what there is, and packs it so that a partner's validator can load it."""

from __future__ import annotations

import io
import json
import tarfile
from importlib.metadata import version
from pathlib import Path

from adapter.catalogue import files_root
from tests.cli.conftest import Run, printed

GENERATED = files_root() / "profiles" / "generated" / "r4"


def test_list_tells_what_each_is(run: Run) -> None:
    rows = {row["id"]: row for row in printed(run("profiles", "list"))}
    assert (rows["csp-goal"]["kind"], rows["csp-goal"]["of"], rows["csp-goal"]["title"]) == ("Profile", "Goal", "Goal")
    assert (rows["csp-note-kind"]["kind"], rows["csp-note-kind"]["of"]) == ("Extension", "Annotation")
    assert rows["csp-adapter"]["kind"] == "CapabilityStatement"
    assert "goal-example" not in rows


def test_list_tells_of_examples_where_it_is_asked(run: Run) -> None:
    (row,) = [row for row in printed(run("profiles", "list", "--examples")) if row["id"] == "goal-example"]
    assert (row["kind"], row["of"], row["file"]) == ("Example", "Goal", "Goal-goal-example.json")


def test_export_packs_every_generated_file_and_says_so_in_its_indexes(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "package.tgz"
    result = run("profiles", "export", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    with tarfile.open(out) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        owners = {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in tar}
    assert owners == {(0, 0, 0, "", 0o644)}
    about = json.loads(files.pop("package/package.json"))
    assert (about["name"], about["version"]) == ("csp-adapter.profiles.r4", version("csp-fhir-adapter"))
    listed = [
        f"{folder}/{each['filename']}"
        for folder in ("package", "package/example")
        for each in json.loads(files.pop(f"{folder}/.index.json"))["files"]
    ]
    assert sorted(listed) == sorted(files)
    assert {name.rpartition("/")[2]: json.loads(body) for name, body in files.items()} == {
        path.name: json.loads(path.read_text("utf-8")) for path in GENERATED.glob("*.json")
    }


def test_export_gives_the_same_bytes_each_time(run: Run, tmp_path: Path) -> None:
    first, second = run("profiles", "export").stdout_bytes, run("profiles", "export").stdout_bytes
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert tar.getnames()[0] == "package/package.json"
