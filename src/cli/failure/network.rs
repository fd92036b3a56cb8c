//! What helps where the network of this machine is in the way: a proxy that cannot be used, a
//! certificate that is not trusted.

use super::{Advice, Explain};
use crate::cli::exit::{ExitStatus, Hint};
use crate::oauth::TokenError;
use crate::system::route::{Untrusted, UnusableProxy};

impl Explain for UnusableProxy {
    fn advice(&self) -> Advice {
        let hint = format!(
            "correct or unset {}: http://user:password@host:port, or https, socks5 or socks5h; in \
             user and password, % is %25, @ is %40, / is %2F, # is %23 and ? is %3F",
            self.variable
        );
        (ExitStatus::Usage, Some(hint.into()))
    }
}

/// What to do about a certificate that is not trusted.
pub(super) fn untrusted(untrusted: &Untrusted) -> Advice {
    let hint = match &untrusted.other {
        Some(file) => {
            let mut setting = std::ffi::OsString::from("SSL_CERT_FILE=");
            setting.push(file);
            Hint::new(
                "only if you trust who signed it: NODE_EXTRA_CA_CERTS is not used here; in place \
                 of the system's authorities, this takes its own: ",
            )
            .word(setting)
            .then(" openclaw-auth …")
        }
        None => Hint::new(
            "only if you trust who signed it, name the file (PEM) of that authority, of your \
             company's proxy, say: SSL_CERT_FILE=<file> openclaw-auth … (NODE_EXTRA_CA_CERTS is \
             not used here)",
        ),
    };
    (ExitStatus::Unavailable, Some(hint))
}

/// What helps against the failure of a request, where that is the network of this machine.
pub(super) fn of_request(error: &TokenError) -> Option<Advice> {
    match error {
        TokenError::Proxy(error) => Some(error.advice()),
        TokenError::Untrusted { untrusted: found, .. } => Some(untrusted(found)),
        _ => None,
    }
}
