//! Names of hosts and users by getent(1): a statically linked program cannot load the modules
//! of the C library that know them (nsswitch.conf), a program of the system can.

use super::child::{Ended, Limits, command_with, run};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
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

/// The environment of `getent`: it may say where that is, and how names are looked up.
type Variables = [(String, OsString)];

/// What finds addresses for the HTTP client.
#[derive(Debug)]
pub(super) struct HostNames(pub(super) Vec<(String, OsString)>);

impl Resolve for HostNames {
    fn resolve(&self, name: Name) -> Resolving {
        let variables = self.0.clone();
        Box::pin(async move {
            let look_up = move || addresses(name.as_str(), &variables);
            let addresses = tokio::task::spawn_blocking(look_up).await?;
            let addresses: Addrs = Box::new(addresses?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of a host in the system's order, with port 0.
fn addresses(host: &str, variables: &Variables) -> Result<Vec<SocketAddr>, NameError> {
    // It would be taken for an option.
    if host.starts_with('-') {
        return Err(NameError::Unknown);
    }
    let found = addresses_in(&String::from_utf8_lossy(&ask("ahosts", host, variables)?));
    if found.is_empty() { Err(NameError::Unknown) } else { Ok(found) }
}

/// One address a line, once for each kind of socket.
fn addresses_in(answer: &str) -> Vec<SocketAddr> {
    let lines = answer.lines().filter(|line| line.contains("STREAM"));
    let addresses = lines.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    addresses.map(|address| SocketAddr::new(address, 0)).collect()
}

/// The home directory of a user: by the system's accounts, or by the file of them alone where
/// nobody can be asked.
pub(super) fn home_of(user: u32, variables: &Variables) -> Option<PathBuf> {
    let user = user.to_string();
    let accounts =
        ask("passwd", &user, variables).ok().or_else(|| std::fs::read("/etc/passwd").ok());
    home_in(&accounts?, &user)
}

/// The home directory in the format of passwd(5): the sixth of the fields that colons
/// separate, in the first line whose third is the number of the user.
fn home_in(accounts: &[u8], user: &str) -> Option<PathBuf> {
    let home = accounts.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<_> = line.split(|byte| *byte == b':').collect();
        let [_, _, number, _, _, home, ..] = fields[..] else { return None };
        (number == user.as_bytes()).then_some(home)
    })?;
    (!home.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(home)))
}

fn ask(database: &str, key: &str, variables: &Variables) -> Result<Vec<u8>, NameError> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    let mut command = command_with("getent", variables);
    match run(command.args([database, key]), Vec::new(), LIMITS) {
        Ok(Ended::Exited(status, answer)) if status.success() => Ok(answer),
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
    fn a_home_directory_is_the_sixth_field_of_the_line_of_that_user() {
        let accounts =
            b"root:x:0:0::/root:/bin/sh\nshort:x:7\njo:x:1000:7:Jo,,,:/home/j\xff:/bin/sh\n\
            nobody:x:65534:65534:::/bin/false\n";
        let home = |user| home_in(accounts, user);
        assert_eq!(home("1000"), Some(OsStr::from_bytes(b"/home/j\xff").into()));
        assert_eq!((home("7"), home("65534"), home("100")), (None, None, None));
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        assert!(matches!(addresses("-h", &[]), Err(NameError::Unknown)));
    }
}
