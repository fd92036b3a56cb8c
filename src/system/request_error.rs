//! What an error of the HTTP library says: in words that name the host and every cause, and
//! whether the certificate was the reason.

/// Whether the certificate of a server is the reason: nothing was sent then.
pub(super) fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        // An error of the connection holds that of TLS, and does not name it as its source.
        let held = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = held.and_then(|held| held.downcast_ref::<rustls::Error>());
        let tls = tls.or_else(|| current.downcast_ref());
        if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        cause = held.map(|held| held as &dyn std::error::Error).or_else(|| current.source());
    }
    false
}

/// The error with its causes; reqwest's own text leaves them out.
pub(super) fn describe(error: reqwest::Error) -> String {
    let host = error.url().and_then(|url| url.host_str().map(str::to_owned));
    let timed_out = error.is_timeout();
    let mut text = if timed_out { "no answer in time".to_owned() } else { String::new() };
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        let part = current.to_string();
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        cause = current.source();
    }
    match host {
        Some(host) => format!("{host}: {text}"),
        None => text,
    }
}
