#!/usr/bin/env python3
"""Packs a program that is built: make.py platform|common [OPTION ...] (called by .ci/release).

`platform` makes what is for one target: tarball, Debian package, npm package, image, list of
contents. `common` makes what is for all of them: the npm package that chooses, the formula, the
install script, and the SHA-256 sums of everything in the directory.

Invariant: the bytes depend on the arguments and on the files of this repository alone.
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

import archive
import contents
from archive import Directory, File

HERE = Path(__file__).resolve().parent
NAME = "openclaw-auth"

# Target: (architecture of Debian, of npm, of images).
TARGETS = {
    "x86_64-unknown-linux-gnu": ("amd64", "linux-x64", "amd64"),
    "aarch64-unknown-linux-gnu": ("arm64", "linux-arm64", "arm64"),
    "x86_64-apple-darwin": (None, "darwin-x64", None),
    "aarch64-apple-darwin": (None, "darwin-arm64", None),
}
# Where the authorities are that an image brings, which has no system to ask.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# The user of an image, and of its state directory; it has no entry anywhere.
USER = 65532


def main():
    options = arguments()
    text = Path("Cargo.toml").read_text()
    options.version = re.search(r'^version = "([^"]+)"', text, re.MULTILINE).group(1)
    options.values = {
        "VERSION": options.version,
        "REPOSITORY": options.repository,
        "RELEASE": f"{options.repository}/releases/download/v{options.version}",
    }
    options.out.mkdir(parents=True, exist_ok=True)
    if options.what == "platform":
        platform(options)
    else:
        common(options)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["platform", "common"])
    parser.add_argument("--out", type=Path, required=True, help="the directory of the artefacts")
    parser.add_argument("--repository", required=True, help="the address of the repository")
    parser.add_argument("--time", type=int, required=True, help="of the commit, in seconds")
    parser.add_argument("--program", type=Path, help="the program (platform)")
    parser.add_argument("--target", choices=list(TARGETS), help="what it is for (platform)")
    parser.add_argument("--features", default="", help="beside the default ones (platform)")
    parser.add_argument("--manual", type=Path, help="directory of man/ and completions/ (platform)")
    return parser.parse_args()


def template(name, values):
    """A file of this directory, with each @NAME@ replaced."""
    return re.sub(r"@([A-Z]+)@", lambda found: str(values[found.group(1)]), (HERE / name).read_text())


def platform(options):
    """Makes what is for one target."""
    packages = contents.Packages(options.target, [name for name in options.features.split(",") if name])
    program = options.program.read_bytes()
    stem = f"{NAME}-{options.version}-{options.target}"
    debian, npm, image_architecture = TARGETS[options.target]
    files = documents(options, packages)
    write(options, f"{stem}.tar.gz", tarball(options, stem, program, files))
    write(options, f"{NAME}-{npm}-{options.version}.npm.tgz", npm_platform(options, npm, program, files))
    bill = contents.bill_of_materials(packages, program, options.time)
    write(options, f"{stem}.cdx.json", bill.encode())
    if debian:
        name = f"{NAME}_{options.version}_{debian}.deb"
        write(options, name, debian_package(options, debian, program, files))
    if image_architecture:
        write(options, f"{stem}.oci.tar", image(options, image_architecture, program, files))


def write(options, name, data):
    (options.out / name).write_bytes(data)


def documents(options, packages):
    """What goes with the program: name to bytes."""
    files = {name: Path(name).read_bytes() for name in ("README.md", "LICENSE")}
    files["THIRD-PARTY-LICENSES.txt"] = contents.licences(packages).encode()
    for page in sorted(Path("docs").glob("*.md")):
        files[f"docs/{page.name}"] = page.read_bytes()
    for schema in sorted(Path("docs/schema").glob("*.json")):
        files[f"docs/schema/{schema.name}"] = schema.read_bytes()
    for file in sorted(options.manual.glob("*/*")):
        files[f"{file.parent.name}/{file.name}"] = file.read_bytes()
    return files


def units(options, program):
    """The systemd units that start this program: name to bytes."""
    values = options.values | {"PROGRAM": program}
    names = (f"{NAME}-refresh.service", f"{NAME}-refresh.timer")
    return {name: template(f"systemd/{name}", values).encode() for name in names}


def tarball(options, stem, program, files):
    entries = {name: File(data) for name, data in files.items()}
    entries[NAME] = File(program, 0o755)
    for name, data in units(options, f"%h/.local/bin/{NAME}").items():
        entries[f"systemd/{name}"] = File(data)
    return archive.gz(archive.tar(entries, options.time, f"{stem}/"))


def debian_package(options, architecture, program, files):
    data = {f"usr/bin/{NAME}": File(program, 0o755)}
    for name, text in units(options, f"/usr/bin/{NAME}").items():
        data[f"usr/lib/systemd/user/{name}"] = File(text)
    for name, text in files.items():
        place, text = place_in_debian(name, text)
        data[place] = File(text)
    size = sum(len(file.data) for file in data.values()) // 1024 + 1
    values = options.values | {"ARCHITECTURE": architecture, "SIZE": size}
    sums = "".join(f"{hashlib.md5(file.data).hexdigest()}  {path}\n" for path, file in sorted(data.items()))
    control = {"control": File(template("deb/control", values).encode()), "md5sums": File(sums.encode())}
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", archive.xz(archive.tar(control, options.time, "./"))),
        ("data.tar.xz", archive.xz(archive.tar(data, options.time, "./"))),
    ]
    return archive.ar(members, options.time)


def place_in_debian(name, data):
    """Where a file of the tarball is in Debian, and its bytes there."""
    share = "usr/share"
    folder, _, file = name.rpartition("/")
    if folder == "man":
        return f"{share}/man/man1/{file}.gz", archive.gz(data)
    places = {
        f"completions/{NAME}.bash": f"{share}/bash-completion/completions/{NAME}",
        f"completions/{NAME}.fish": f"{share}/fish/vendor_completions.d/{NAME}.fish",
        f"completions/_{NAME}": f"{share}/zsh/vendor-completions/_{NAME}",
        "LICENSE": f"{share}/doc/{NAME}/copyright",
    }
    return places.get(name, f"{share}/doc/{NAME}/{name}"), data


def package_json(options, name, more):
    """The metadata of an npm package, as bytes."""
    metadata = {
        "name": name,
        "version": options.version,
        "description": "Owns the logins of AI subscriptions: signs in by OAuth, hands out a fresh token",
        "license": "MIT",
        "repository": {"type": "git", "url": f"git+{options.repository}.git"},
    }
    return (json.dumps(metadata | more, indent=2) + "\n").encode()


def npm_platform(options, platform_name, program, files):
    system, cpu = platform_name.split("-")
    more = {"os": [system], "cpu": [cpu], "preferUnplugged": True}
    entries = {
        "package.json": File(package_json(options, f"@{NAME}/{platform_name}", more)),
        f"bin/{NAME}": File(program, 0o755),
        "README.md": File(f"The program of openclaw-auth for {platform_name}.\n".encode()),
    }
    for name in ("LICENSE", "THIRD-PARTY-LICENSES.txt"):
        entries[name] = File(files[name])
    return archive.gz(archive.tar(entries, options.time, "package/"))


def npm_wrapper(options):
    more = {
        "bin": {NAME: f"{NAME}.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {f"@{NAME}/{npm}": options.version for _, npm, _ in TARGETS.values()},
    }
    entries = {
        "package.json": File(package_json(options, NAME, more)),
        f"{NAME}.js": File((HERE / f"npm/{NAME}.js").read_bytes(), 0o755),
        "README.md": File(Path("README.md").read_bytes()),
        "LICENSE": File(Path("LICENSE").read_bytes()),
    }
    return archive.gz(archive.tar(entries, options.time, "package/"))


def image(options, architecture, program, files):
    """An OCI image layout: the program, its licences and the authorities, in one layer."""
    layer_files = {
        f"usr/bin/{NAME}": File(program, 0o755),
        f"usr/share/doc/{NAME}/LICENSE": File(files["LICENSE"]),
        f"usr/share/doc/{NAME}/THIRD-PARTY-LICENSES.txt": File(files["THIRD-PARTY-LICENSES.txt"]),
        "state": Directory(0o700, USER),
    }
    if AUTHORITIES.exists():
        layer_files[str(AUTHORITIES).lstrip("/")] = File(AUTHORITIES.read_bytes())
    layer = archive.tar(layer_files, options.time)
    packed = archive.gz(layer)
    created = contents.timestamp(options.time)
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {
            "User": f"{USER}:{USER}",
            "Env": ["PATH=/usr/bin", "OPENCLAW_STATE_DIR=/state"],
            "Entrypoint": [f"/usr/bin/{NAME}"],
            "Volumes": {"/state": {}},
            "WorkingDir": "/state",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": created, "created_by": ".ci/release"}],
    }
    blobs = {}

    def blob(kind, data):
        sum_ = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{sum_}"] = File(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{sum_}", "size": len(data)}

    told_config = blob("config.v1+json", json.dumps(config).encode())
    told_layer = blob("layer.v1.tar+gzip", packed)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": told_config,
        "layers": [told_layer],
        "annotations": {
            "org.opencontainers.image.title": NAME,
            "org.opencontainers.image.version": options.version,
            "org.opencontainers.image.licenses": "MIT",
            "org.opencontainers.image.source": options.repository,
        },
    }
    told = blob("manifest.v1+json", json.dumps(manifest).encode())
    told["annotations"] = {"org.opencontainers.image.ref.name": f"{NAME}:{options.version}"}
    told["platform"] = {"architecture": architecture, "os": "linux"}
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [told],
    }
    path = lambda one: "blobs/" + one["digest"].replace(":", "/")
    # Docker before version 25 reads this in place of the index.
    docker = [{"Config": path(told_config), "RepoTags": [f"{NAME}:{options.version}"], "Layers": [path(told_layer)]}]
    layout = {
        "oci-layout": File(b'{"imageLayoutVersion":"1.0.0"}'),
        "index.json": File(json.dumps(index).encode()),
        "manifest.json": File(json.dumps(docker).encode()),
    }
    return archive.tar(layout | blobs, options.time)


def common(options):
    """Makes what is for all targets, of those that are in the directory."""
    write(options, f"{NAME}-{options.version}.npm.tgz", npm_wrapper(options))
    write(options, f"{NAME}.rb", formula(options).encode())
    write(options, "install.sh", template("install.sh", options.values).encode())
    sums = options.out / "SHA256SUMS"
    files = sorted(file for file in options.out.iterdir() if file.is_file() and file != sums)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    sums.write_text("".join(lines))


def formula(options):
    """The Homebrew formula of the tarballs that are there."""
    blocks = []
    for system, ending in (("macos", "apple-darwin"), ("linux", "unknown-linux-gnu")):
        inner = ""
        for processor, machine in (("arm", "aarch64"), ("intel", "x86_64")):
            file = options.out / f"{NAME}-{options.version}-{machine}-{ending}.tar.gz"
            if not file.exists():
                continue
            sum_ = hashlib.sha256(file.read_bytes()).hexdigest()
            inner += f'    on_{processor} do\n      url "{options.values["RELEASE"]}/{file.name}"\n'
            inner += f'      sha256 "{sum_}"\n    end\n'
        if inner:
            blocks.append(f"  on_{system} do\n{inner}  end\n")
    return template(f"homebrew/{NAME}.rb", options.values | {"PLATFORMS": "\n".join(blocks)})


if __name__ == "__main__":
    main()
