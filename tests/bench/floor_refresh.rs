//! The floor of a refresh storm: a grant in a file, refreshed once under a file lock.
//!
//! `floor-refresh DIRECTORY HOST:PORT [by-worker]`. No JSON parser, no TLS, no checks: only
//! what cannot be left out. `by-worker` starts one process more, which makes the request and
//! saves. Built by the benchmark with the standard library alone.

use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, server, how @ ..] = &arguments[..] else {
        return Err(Error::other("usage: floor-refresh DIRECTORY HOST:PORT [by-worker]"));
    };
    let path = Path::new(directory);
    let token = match how.first().map(String::as_str) {
        None => token(path, || renewed(path, server))?,
        Some(AS_WORKER) => renewed(path, server)?,
        Some(_) => token(path, || of_worker(directory, server))?,
    };
    writeln!(std::io::stdout(), "{token}")
}

/// What a worker is told to be.
const AS_WORKER: &str = "as-worker";

/// The token that a worker prints.
fn of_worker(directory: &str, server: &str) -> Result<String> {
    let mut worker = Command::new("/proc/self/exe");
    let printed = worker.args([directory, server, AS_WORKER]).output()?.stdout;
    Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
}

/// The token that is usable; one process alone gets a new one.
fn token(directory: &Path, renewed: impl FnOnce() -> Result<String>) -> Result<String> {
    let path = directory.join("grant.json");
    if let Some(token) = usable(&std::fs::read_to_string(&path)?)? {
        return Ok(token);
    }
    let lock = File::create(directory.join("lock"))?;
    lock.lock()?;
    if let Some(token) = usable(&std::fs::read_to_string(&path)?)? {
        return Ok(token);
    }
    renewed()
}

fn renewed(directory: &Path, server: &str) -> Result<String> {
    let path = directory.join("grant.json");
    let grant = std::fs::read_to_string(&path)?;
    let answer = refresh(server, text(&grant, "refresh_token")?)?;
    let token = text(&answer, "access_token")?;
    let expires = now()? + number(&answer, "expires_in")?;
    let grant = format!(
        "{{\"access_token\":\"{token}\",\"refresh_token\":\"{}\",\"expires\":{expires}}}\n",
        text(&answer, "refresh_token")?
    );
    save(directory, &path, grant.as_bytes())?;
    Ok(token.to_owned())
}

fn usable(grant: &str) -> Result<Option<String>> {
    let lives = number(grant, "expires")? > now()? + 300;
    if lives { text(grant, "access_token").map(|token| Some(token.to_owned())) } else { Ok(None) }
}

fn refresh(server: &str, refresh_token: &str) -> Result<String> {
    let body =
        format!("grant_type=refresh_token&client_id=fake-client&refresh_token={refresh_token}");
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: {server}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(answer) } else { Err(Error::other(answer)) }
}

fn save(directory: &Path, path: &Path, grant: &[u8]) -> Result<()> {
    let temporary = directory.join("grant.json.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(grant)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    File::open(directory)?.sync_all()
}

/// The text after `"name":"`, up to the next quote.
fn text<'a>(json: &'a str, name: &str) -> Result<&'a str> {
    let value = json.split_once(&format!("\"{name}\":\"")).map(|(_, value)| value);
    value.and_then(|value| value.split('"').next()).ok_or_else(|| Error::other(name.to_owned()))
}

/// The number after `"name":`.
fn number(json: &str, name: &str) -> Result<u64> {
    let value = json.split_once(&format!("\"{name}\":")).map(|(_, value)| value);
    let digits = value.and_then(|value| value.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| Error::other(name.to_owned()))
}

fn now() -> Result<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).map_err(Error::other)
}
