"""The image, whose root file system is laid out as an engine does it and used without one."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

from rig import expect, journey, only, run, unpack


def tests(_options):
    return [the_layout_is_whole, it_is_used_without_proc_and_without_a_user_entry]


def laid_out(options):
    """The directory of the layout, and what its index, manifest and configuration say."""
    place = options.work / "image"
    shutil.rmtree(place, ignore_errors=True)
    unpack(only(options.directory, "*.oci.tar"), place)

    def blob(told):
        data = (place / "blobs" / told["digest"].replace(":", "/")).read_bytes()
        expect(len(data) == told["size"], f"{told}: {len(data)} bytes")
        expect(f"sha256:{hashlib.sha256(data).hexdigest()}" == told["digest"], f"{told}")
        return data

    index = json.loads((place / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]))
    return place, blob, manifest, json.loads(blob(manifest["config"]))


def root_of(options):
    """The root file system of the image, and its configuration."""
    place, blob, manifest, config = laid_out(options)
    root = place / "root"
    for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        with tarfile.open(fileobj=io.BytesIO(blob(layer))) as opened:
            opened.extractall(root, numeric_owner=True)
        sum_ = hashlib.sha256(gzip.decompress(blob(layer))).hexdigest()
        expect(f"sha256:{sum_}" == diff_id, f"diff id {diff_id}")
    return root, config


def the_layout_is_whole(options):
    place, _, manifest, config = laid_out(options)
    expect(json.loads((place / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}, "oci-layout")
    docker = json.loads((place / "manifest.json").read_text())[0]
    named = [docker["Config"], *docker["Layers"]]
    expect(all((place / name).is_file() for name in named), f"{named}")
    root, _ = root_of(options)
    programs = [file for file in root.rglob("*") if file.is_file() and os.access(file, os.X_OK)
                and file.stat().st_mode & 0o111]
    expect(programs == [root / "usr/bin/openclaw-auth"], f"{programs}")
    expect(config["config"]["User"].split(":")[0] not in ("", "0", "root"), "it runs as root")


def it_is_used_without_proc_and_without_a_user_entry(options):
    if os.geteuid() != 0:
        return "needs root"
    root, config = root_of(options)
    expect(not (root / "proc").exists() and not (root / "etc/passwd").exists(), "it has /proc or users")
    user = config["config"]["User"]
    environment = dict(entry.split("=", 1) for entry in config["config"]["Env"])
    entry = config["config"]["Entrypoint"]
    start = lambda *args, **more: run(["/usr/sbin/chroot", f"--userspec={user}", root, *entry, *args], env=environment, **more)
    state = root / environment["OPENCLAW_STATE_DIR"].lstrip("/")
    journey(options.server, start, state, int(user.split(":")[0]))
