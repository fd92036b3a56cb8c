//! The floor of a refresh storm: a grant in a file, refreshed once under a file lock.
//!
//! `floor-refresh DIRECTORY HOST:PORT`. No JSON parser, no TLS, no checks: only
//! what cannot be left out. Built by the benchmark with the standard library alone.

use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, server] = &arguments[..] else {
        return Err(Error::other("usage: floor-refresh DIRECTORY HOST:PORT"));
    };
    let token = token(Path::new(directory), server)?;
    writeln!(std::io::stdout(), "{token}")
}

fn token(directory: &Path, server: &str) -> Result<String> {
    let path = directory.join("grant.json");
    if let Some(token) = usable(&std::fs::read_to_string(&path)?)? {
        return Ok(token);
    }
    let lock = File::create(directory.join("lock"))?;
    lock.lock()?;
    let grant = std::fs::read_to_string(&path)?;
    if let Some(token) = usable(&grant)? {
        return Ok(token);
    }
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
