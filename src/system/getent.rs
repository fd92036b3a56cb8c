//! Names of hosts and users by getent(1): a statically linked program cannot load the modules
//! of the C library that know them (nsswitch.conf), a program of the system can.

use super::Environment;
use super::child::{Ended, Limits, run};
use super::process::withhold_secrets;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    output_bytes: 64 * 1024,
};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameError {
    #[error("no address was found for this name")]
    Unknown,
    #[error("`getent` looks up names of hosts, and is not installed")]
    Missing,
    #[error("`getent` {0}")]
    Failed(String),
}

/// What finds addresses for the HTTP client.
#[derive(Debug)]
pub(super) struct HostNames;

impl Resolve for HostNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = tokio::task::spawn_blocking(move || addresses(name.as_str())).await?;
            let addresses: Addrs = Box::new(addresses?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of a host in the system's order, with port 0.
fn addresses(host: &str) -> Result<Vec<SocketAddr>, NameError> {
    // It would be taken for an option.
    if host.starts_with('-') {
        return Err(NameError::Unknown);
    }
    let found = addresses_in(&ask("ahosts", host)?);
    if found.is_empty() { Err(NameError::Unknown) } else { Ok(found) }
}

/// One address a line, once for each kind of socket.
fn addresses_in(answer: &str) -> Vec<SocketAddr> {
    let lines = answer.lines().filter(|line| line.contains("STREAM"));
    let addresses = lines.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    addresses.map(|address| SocketAddr::new(address, 0)).collect()
}

/// The home directory of a user by the system's list of accounts.
pub(super) fn home_of(user: u32) -> Option<PathBuf> {
    home_in(&ask("passwd", &user.to_string()).ok()?)
}

/// The sixth field of an entry in the format of passwd(5).
fn home_in(entry: &str) -> Option<PathBuf> {
    let home = entry.lines().next()?.split(':').nth(5)?;
    (!home.is_empty()).then(|| PathBuf::from(home))
}

fn ask(database: &str, key: &str) -> Result<String, NameError> {
    let mut command = Command::new("getent");
    withhold_secrets(&mut command, &Environment::of_process());
    match run(command.args([database, key]), Vec::new(), LIMITS) {
        Ok(Ended::Exited(status, answer)) if status.success() => {
            Ok(String::from_utf8_lossy(&answer).into_owned())
        }
        // getent(1): one of the keys was not found.
        Ok(Ended::Exited(status, _)) if status.code() == Some(2) => Err(NameError::Unknown),
        Ok(Ended::Exited(status, _)) => Err(NameError::Failed(match status.signal() {
            Some(signal) => format!("was ended by signal {signal}"),
            None => format!("failed ({status})"),
        })),
        Ok(_) => Err(NameError::Failed(format!("took more than {} s", LIMITS.time.as_secs()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(NameError::Missing),
        Err(error) => Err(NameError::Failed(format!("could not be run: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_order_and_come_once() {
        let answer = "192.0.2.7      STREAM host.test\n192.0.2.7      DGRAM  \n\
            192.0.2.7      RAW    \n2001:db8::7    STREAM \n2001:db8::7    DGRAM  \n";
        let found = addresses_in(answer).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, ["192.0.2.7:0", "[2001:db8::7]:0"]);
        assert!(addresses_in("nonsense STREAM\n").is_empty());
    }

    #[test]
    fn a_home_directory_is_the_sixth_field() {
        let home = |entry: &str| home_in(entry);
        assert_eq!(home("jo:x:1000:7:Jo,,,:/home/jo:/bin/sh\n"), Some("/home/jo".into()));
        assert_eq!(home("nobody:x:65534:65534:::/bin/false\n"), None);
        assert_eq!((home("short:x:7\n"), home("")), (None, None));
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        assert!(matches!(addresses("-h"), Err(NameError::Unknown)));
    }
}
