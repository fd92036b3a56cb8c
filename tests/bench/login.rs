//! What a login takes once the browser has been sent back to us.

use crate::fixture;
use crate::measure::Summary;
use crate::table::{milliseconds, render};
use crate::token_server::TokenServer;
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;

/// Many logins.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logins {
    /// From the redirect's request until its reply, which comes after the login is stored,
    /// without what the server took.
    pub stored: Summary,
    /// The same until the process has ended.
    pub ended: Summary,
    /// What the server took of it.
    pub server: Summary,
}

pub(crate) fn measure(program: &Path, logins: u32) -> Result<Logins> {
    eprintln!("Logins …");
    let (mut stored, mut ended, mut servers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..logins {
        let one = log_in(program)?;
        stored.push(one.stored.saturating_sub(one.server));
        ended.push(one.ended.saturating_sub(one.server));
        servers.push(one.server);
    }
    Ok(Logins {
        stored: Summary::of(stored),
        ended: Summary::of(ended),
        server: Summary::of(servers),
    })
}

struct Login {
    stored: Duration,
    ended: Duration,
    server: Duration,
}

fn log_in(program: &Path) -> Result<Login> {
    let server = TokenServer::start(Duration::ZERO)?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let root = fixture::lay_out_login(server.address(), port)?;
    let arguments = ["models", "auth", "login", "--provider", "openai-codex"];
    let mut child = Command::new(program)
        .args(arguments)
        .args(["--method", "browser", "--no-browser", "--json"])
        .env_clear()
        .env("OPENCLAW_STATE_DIR", root.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take().context("no standard output")?;
    let mut lines = BufReader::new(stdout);
    let redirected = authorization_url(&mut lines).and_then(|url| {
        let begun = Instant::now();
        redirect(&url).map(|reply| (begun, Instant::now(), reply))
    });
    if redirected.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    let finished = Instant::now();
    let (begun, replied, reply) = redirected?;
    let mut rest = String::new();
    lines.read_to_string(&mut rest)?;
    ensure!(status.success(), "the login failed ({status}): {rest}");
    ensure!(reply.starts_with("HTTP/1.1 200"), "the redirect was answered by: {reply}");
    Ok(Login { stored: replied - begun, ended: finished - begun, server: server.busy() })
}

/// The URL of the authorization request, from the event that has one.
fn authorization_url(lines: &mut impl BufRead) -> Result<Url> {
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let event: Value = serde_json::from_str(&line)?;
        if let Some(url) = event["url"].as_str() {
            return Ok(Url::parse(url)?);
        }
        line.clear();
    }
    bail!("the login shows no URL")
}

/// Does what the browser does in the end; what it is told.
fn redirect(authorization: &Url) -> Result<String> {
    let parameter = |name: &str| {
        let mut pairs = authorization.query_pairs();
        let found = pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        found.with_context(|| format!("the authorization request has no {name}"))
    };
    let (redirect_uri, state) = (Url::parse(&parameter("redirect_uri")?)?, parameter("state")?);
    let port = redirect_uri.port().context("the redirect URI has no port")?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let request = format!(
        "GET {}?code=fake-code&state={state} HTTP/1.1\r\nHost: localhost:{port}\r\n\
         Connection: close\r\n\r\n",
        redirect_uri.path()
    );
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

impl Logins {
    pub(crate) fn markdown(&self) -> String {
        let header = ["from the redirect until", "logins", "median ms", "p99 ms", "max ms"];
        let rows = [
            ("the login is stored, and the browser told", self.stored),
            ("the process has ended", self.ended),
            ("(subtracted: in the server)", self.server),
        ];
        let rows = rows.map(|(name, summary)| {
            vec![
                name.to_owned(),
                summary.count.to_string(),
                milliseconds(summary.median_us),
                milliseconds(summary.p99_us),
                milliseconds(summary.max_us),
            ]
        });
        format!(
            "## A login after the redirect\n\n\
             `models auth login` with a token endpoint on this machine: the code is exchanged, the \
             profile stored and recorded in the configuration, then the browser is answered.\n\n{}",
            render(&header, rows)
        )
    }
}
