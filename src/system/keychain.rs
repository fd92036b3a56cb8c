//! The keychain of macOS, through its own command.

use super::Environment;
use super::child::{Ended, Limits, command, run};
use std::time::Duration;
use zeroize::Zeroizing;

/// The keychain may ask its user.
const LIMITS: Limits = Limits {
    time: Duration::from_mins(2),
    silence: Duration::from_mins(2),
    output_bytes: 1024 * 1024,
};

/// The text of the generic password `service`; `None` where there is none, it is not
/// handed out, or this is no macOS.
pub fn read(service: &str, environment: &Environment) -> Option<Zeroizing<String>> {
    if !cfg!(target_os = "macos") {
        return None;
    }
    let mut command = command("/usr/bin/security", environment);
    command.args(["find-generic-password", "-s", service, "-w"]);
    match run(&mut command, Vec::new(), LIMITS).ok()? {
        Ended::Exited(status, output) if status.success() => {
            String::from_utf8(output).ok().map(Zeroizing::new)
        }
        _ => None,
    }
}
