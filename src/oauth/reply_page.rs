//! The page that the user's browser shows at the end of a login: self-contained, fixed
//! texts, nothing of the request in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#f6f7f9;--card:#fff;\
--line:#d8dee4;--mark:#1a7f37}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--paper:#0d1117;\
--card:#161b22;--line:#30363d;--mark:#3fb950}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;\
background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}\
main{max-width:28rem;width:100%;padding:2.5rem 2rem;background:var(--card);\
border:1px solid var(--line);border-radius:.75rem;text-align:center}\
.mark{font-size:2.25rem;line-height:1;color:var(--mark)}\
.failed .mark{color:#cf222e}\
h1{margin:1rem 0 .5rem;font-size:1.35rem}\
p{margin:0;color:var(--soft)}\
code{font-size:.95em}";

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The login is complete and stored.
    SignedIn,
    /// The login did not complete.
    Failed,
    /// A request that is not the expected redirect.
    NotExpected,
}

impl Page {
    pub(super) fn html(self) -> String {
        let (class, mark, title, text) = match self {
            Self::SignedIn => (
                "done",
                "✓",
                "You are signed in",
                "Your terminal has the rest. You can close this window.",
            ),
            Self::Failed => (
                "failed",
                "✗",
                "Sign-in did not complete",
                "Your terminal says why. You can close this window.",
            ),
            Self::NotExpected => (
                "failed",
                "✗",
                "Nothing to do here",
                "This address only ends a sign-in that <code>openclaw-auth</code> has started, \
                 and only once.",
            ),
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body class=\"{class}\"><main><div class=\"mark\" aria-hidden=\"true\">{mark}</div>\
             <h1>{title}</h1><p>{text}</p></main></body></html>\n"
        )
    }
}

/// The policy under which the page is shown: its own style and nothing else.
pub(super) fn content_security_policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}
