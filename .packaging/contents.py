"""What is in the program: its packages, their licences, and the list of them (CycloneDX 1.5).

Invariant: a package is listed when it is linked into the program for the target, and no other.
"""

import hashlib
import json
import re
import subprocess
import uuid
from datetime import datetime, timezone
from pathlib import Path

NOTICES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
RULE = "\n" + "=" * 80 + "\n"


class Packages:
    """The packages of the program, as cargo resolves them for `target` and `features`."""

    def __init__(self, target, features):
        self.target = target
        chosen = ["--locked", "--features", ",".join(features)]
        command = ["cargo", "metadata", *chosen, "--format-version", "1", "--filter-platform", target]
        told = json.loads(subprocess.check_output(command))
        by_id = {package["id"]: package for package in told["packages"]}
        nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
        root = told["resolve"]["root"]
        self.root = by_id[root]
        self.edges = _linked(nodes, root, _in_tree(by_id, chosen, target))
        linked = (by_id[name] for name in self.edges if name != root)
        self.others = sorted(linked, key=lambda one: (one["name"], one["version"]))
        self.by_id = by_id
        self.sums = _sums()

    def bundled(self):
        """What is compiled or linked in beside the packages of cargo: (name, version, licence)."""
        rust = _first_line("rustc", "--version").split()[1]
        found = [("rust-std", rust, "MIT OR Apache-2.0")]
        sqlite = next((one for one in self.others if one["name"] == "libsqlite3-sys"), None)
        if sqlite:
            header = _directory(sqlite) / "sqlite3" / "sqlite3.h"
            version = re.search(r'SQLITE_VERSION +"([^"]+)"', header.read_text()).group(1)
            found.append(("sqlite", version, "blessing"))
        if self.target.endswith("-linux-gnu"):
            glibc = _first_line("getconf", "GNU_LIBC_VERSION").split()[1]
            found.append(("glibc", glibc, "LGPL-2.1-or-later"))
            gcc = _first_line("cc", "-dumpfullversion")
            found.append(("libgcc", gcc, "GPL-3.0-or-later WITH GCC-exception-3.1"))
        return found


def _in_tree(by_id, chosen, target):
    """The ids of the packages in the tree of the program. Those of `cargo metadata` are more: it
    counts the features that only tests turn on."""
    command = ["cargo", "tree", *chosen, "--edges", "normal", "--target", target]
    lines = subprocess.check_output([*command, "--prefix", "none", "--format", "{p}"], text=True)
    names = {tuple(line.split(" ")[:2]) for line in lines.splitlines() if line}
    return {name for name, one in by_id.items() if (one["name"], "v" + one["version"]) in names}


def _linked(nodes, root, tree):
    """For each package that is linked into `root`, `root` among them, those that it uses."""
    edges, waiting = {}, [root]
    while waiting:
        name = waiting.pop()
        if name in edges:
            continue
        uses = (use for use in nodes[name]["deps"] if use["pkg"] in tree)
        normal = [use["pkg"] for use in uses if any(k["kind"] is None for k in use["dep_kinds"])]
        edges[name] = sorted(normal)
        waiting += normal
    return edges


def _sums():
    """The SHA-256 sums of the packages, from Cargo.lock: (name, version) to sum."""
    text = Path("Cargo.lock").read_text()
    pattern = r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = [^\n]+\nchecksum = "([0-9a-f]+)"'
    return {(name, version): sum_ for name, version, sum_ in re.findall(pattern, text)}


def _first_line(*command):
    return subprocess.check_output(command, text=True).splitlines()[0]


def _directory(package):
    return Path(package["manifest_path"]).parent


def licences(packages):
    """The text that goes with the program: every package, its licence, and every notice in it."""
    rows, texts = [], {}
    for package in packages.others:
        name = f"{package['name']} {package['version']}"
        rows.append(f"{name:<40} {package['license'] or 'see below'}")
        for notice in _notices(package):
            text = notice.read_text(errors="replace").strip()
            texts.setdefault(text, []).append(name)
    rows += [f"{name + ' ' + version:<40} {licence}" for name, version, licence in packages.bundled()]
    for text, names in _bundled_texts(packages):
        texts.setdefault(text, []).append(names)
    head = (
        "What is linked into openclaw-auth, and under which licence. openclaw-auth itself is\n"
        "MIT (LICENSE); its source, Cargo.lock and .ci/release link it again, with another\n"
        "version of the GNU C Library as well (LGPL-2.1, section 6).\n\n"
    )
    parts = [head + "\n".join(rows)]
    # The heading tells whose text it is; equal texts are told once.
    parts += [", ".join(names) + ":\n\n" + text for text, names in texts.items()]
    return RULE.join(parts) + "\n"


def _notices(package):
    files = (file for file in _directory(package).iterdir() if file.is_file())
    return sorted(file for file in files if NOTICES.match(file.name))


def _bundled_texts(packages):
    """The licences of what cargo does not know, where this machine has them."""
    system = Path(_first_line("rustc", "--print", "sysroot")) / "share/doc/rust/licenses"
    places = [(system / name, "rust-std") for name in ("MIT.txt", "Apache-2.0.txt")]
    if packages.target.endswith("-linux-gnu"):
        places += [
            (Path("/usr/share/doc/libc6-dev/copyright"), "glibc"),
            (Path("/usr/share/common-licenses/LGPL-2.1"), "glibc"),
            (system / "GPL-3.0-or-later.txt", "libgcc"),
            (system / "GCC-exception-3.1.txt", "libgcc"),
        ]
    return [(file.read_text(errors="replace").strip(), of) for file, of in places if file.exists()]


def bill_of_materials(packages, program, time):
    """The CycloneDX document of the program (its bytes), as JSON text."""
    root = packages.root
    own = _reference(root)
    bundled = [_bundled_component(*one) for one in packages.bundled()]
    components = [_component(one, packages.sums) for one in packages.others] + bundled
    uses = {name: [_reference(packages.by_id[use]) for use in of] for name, of in packages.edges.items()}
    dependencies = [{"ref": _reference(packages.by_id[name]), "dependsOn": sorted(of)}
                    for name, of in uses.items()]
    for entry in dependencies:
        if entry["ref"] == own:
            entry["dependsOn"] += [component["bom-ref"] for component in bundled]
    sum_ = hashlib.sha256(program).hexdigest()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + '#' + sum_)}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(time),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": root["name"],
                "version": root["version"],
                "purl": own,
                "licenses": [{"expression": root["license"]}],
                "hashes": [{"alg": "SHA-256", "content": sum_}],
            },
            "properties": [{"name": "target", "value": packages.target}],
        },
        "components": sorted(components, key=lambda one: one["bom-ref"]),
        "dependencies": sorted(dependencies, key=lambda one: one["ref"]),
    }
    return json.dumps(document, indent=2) + "\n"


def timestamp(time):
    """Seconds since 1970 as RFC 3339."""
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def _component(package, sums):
    reference = _reference(package)
    component = {
        "type": "library",
        "bom-ref": reference,
        "name": package["name"],
        "version": package["version"],
        "purl": reference,
    }
    if package["license"]:
        # Old packages write MIT/Apache-2.0.
        component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    sum_ = sums.get((package["name"], package["version"]))
    if sum_:
        component["hashes"] = [{"alg": "SHA-256", "content": sum_}]
    return component


def _bundled_component(name, version, licence):
    reference = f"pkg:generic/{name}@{version}"
    licence = {"expression": licence} if " " in licence else {"license": {"id": licence}}
    return {"type": "library", "bom-ref": reference, "name": name, "version": version,
            "purl": reference, "licenses": [licence]}
