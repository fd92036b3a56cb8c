//! Names of hosts and users where nsswitch.conf names modules, which a statically linked
//! program cannot load: `/etc/hosts`, a name server of the test, `/etc/passwd`.

use super::judge::Judged;
use super::scene::{Command, Finished, Scene};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process;

/// Where the name server is; nothing else is on that loopback address.
const NAME_SERVER: &str = "127.53.53.53";

/// The home directory in the list of accounts. Nothing is there.
const HOME: &str = "/nonexistent/home";

/// Mounts the given files over those of the system, for what it then runs.
const MOUNTS: &str = "cd \"$1\" && shift
for file in hosts resolv.conf nsswitch.conf passwd; do mount --bind $file /etc/$file; done
exec \"$@\"";

/// A module that knows `module.test` (nss(5); the interface is that of `nss.h`).
const MODULE: &str = r#"
#include <nss.h>
#include <netdb.h>
#include <string.h>
#include <errno.h>
#include <arpa/inet.h>
enum nss_status _nss_rig_gethostbyname4_r(const char *name, struct gaih_addrtuple **found,
        char *buffer, size_t length, int *error, int *host_error, int *lifetime) {
    if (strcmp(name, "module.test")) {
        *host_error = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
    }
    if (!*found) *found = (struct gaih_addrtuple *) buffer;
    **found = (struct gaih_addrtuple) {.name = (char *) name, .family = AF_INET,
        .addr = {htonl(INADDR_LOOPBACK)}};
    return NSS_STATUS_SUCCESS;
}
"#;

/// The program with the names that each way of looking one up has to find, or not.
pub(crate) fn check(program: &Path) -> Result<Vec<(String, Judged)>, String> {
    let may_mount = process::Command::new("unshare").args(["--mount", "true"]).output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        return Err("`unshare --mount` is not permitted".to_owned());
    }
    let server = UdpSocket::bind((NAME_SERVER, 53)).map_err(|error| error.to_string())?;
    std::thread::spawn(move || serve_names(&server));
    let modules = tempfile::tempdir().map_err(|error| error.to_string())?;
    compile(MODULE, modules.path())?;
    let modules = format!("LD_LIBRARY_PATH={}", modules.path().display());
    let proxy = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = proxy.local_addr().map_err(|error| error.to_string())?.port();
    std::thread::spawn(move || refuse_everyone(&proxy));
    let mut results = Vec::new();
    for (host, expected) in [
        ("hosted.test", "tunnel error: unsuccessful"),
        ("served.test", "tunnel error: unsuccessful"),
        ("module.test", "tunnel error: unsuccessful"),
        ("localhost", "tunnel error: unsuccessful"),
        ("unknown.test", "no address was found for this name"),
    ] {
        let proxy = format!("HTTPS_PROXY=http://{host}:{port}");
        let finished = run(program, &[&modules, &proxy], Command::Refresh.arguments());
        let is_expected = finished.code == Some(4) && finished.stderr.contains(expected);
        results.push((format!("a proxy on {host}"), judged(is_expected, &finished)));
    }
    // Where getent is, and where nothing is.
    for path in ["/usr/bin:/bin", "/nonexistent"] {
        let path = format!("PATH={path}");
        let without = ["--unset=HOME", "--unset=OPENCLAW_STATE_DIR", &path];
        let finished = run(program, &without, &["models", "status", "--json"]);
        let is_expected = finished.stdout.contains(&format!("\"configPath\": \"{HOME}/.openclaw/"));
        results.push((format!("a user without HOME, {path}"), judged(is_expected, &finished)));
    }
    Ok(results)
}

/// Compiles a module of the C library.
fn compile(source: &str, directory: &Path) -> Result<(), String> {
    let file = directory.join("module.c");
    std::fs::write(&file, source).map_err(|error| error.to_string())?;
    let mut compiler = process::Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(directory.join("libnss_rig.so.2")).arg(&file);
    let output = compiler.output().map_err(|error| format!("cc: {error}"))?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said()) }
}

fn judged(is_expected: bool, finished: &Finished) -> Judged {
    let wrong = if is_expected { Vec::new() } else { vec![format!("{finished:?}")] };
    Judged { wrong, ..Judged::default() }
}

/// Runs the program with that environment, on a login whose provider is on the internet.
fn run(program: &Path, environment: &[&str], words: &[&str]) -> Finished {
    let scene = Scene::new(Command::Refresh, program);
    let provider_file = scene.state_dir.join("providers/openai-codex.json");
    let provider = std::fs::read_to_string(&provider_file).unwrap();
    let provider = provider.replace("http://127.0.0.1", "https://token.test");
    std::fs::write(&provider_file, provider).unwrap();
    let root = scene.outside("");
    for (name, text) in [
        ("hosts", "127.0.0.1 localhost hosted.test\n".to_owned()),
        ("resolv.conf", format!("nameserver {NAME_SERVER}\noptions timeout:1 trust-ad\n")),
        ("nsswitch.conf", "passwd: files systemd\nhosts: mymachines rig files dns\n".to_owned()),
        ("passwd", format!("root:x:0:0::{HOME}:/bin/sh\n")),
    ] {
        std::fs::write(root.join(name), text).unwrap();
    }
    let root = root.to_string_lossy().into_owned();
    let wrapper = ["unshare", "--mount", "sh", "-ec", MOUNTS, "sh", &root, "env"];
    let wrapper: Vec<_> = wrapper.iter().chain(environment).map(ToString::to_string).collect();
    scene.run_with(&wrapper, words)
}

/// Answers every question of RFC 1035: `served.test` is 127.0.0.1, nothing else exists.
fn serve_names(server: &UdpSocket) {
    let mut question = [0; 512];
    while let Ok((length, client)) = server.recv_from(&mut question) {
        let [id_1, id_2, _, _, _, _, _, _, _, _, _, _, asked @ ..] = &question[..length] else {
            continue;
        };
        let end_of_name = asked.iter().position(|byte| *byte == 0).unwrap_or(0);
        let (name, asks_for_ipv4) = (&asked[..end_of_name], asked[end_of_name + 2] == 1);
        let is_known = name == b"\x06served\x04test";
        let answers = u8::from(is_known && asks_for_ipv4);
        let code = if is_known { 0x80 } else { 0x83 };
        let mut answer = vec![*id_1, *id_2, 0x81, code, 0, 1, 0, answers, 0, 0, 0, 0];
        answer.extend(&asked[..end_of_name + 5]);
        if answers == 1 {
            answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        server.send_to(&answer, client).unwrap();
    }
}

/// A proxy that opens no tunnel.
fn refuse_everyone(proxy: &TcpListener) {
    while let Ok((mut client, _)) = proxy.accept() {
        let lines = BufReader::new(&client).lines();
        let is_request =
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count() > 0;
        if is_request {
            client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    }
}
