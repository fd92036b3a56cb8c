//! Where and how a server does device authorization.

use serde::Deserialize;
use url::Url;

/// How a server does device authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceFlow {
    /// RFC 8628.
    Standard,
    /// JSON both ways; the approval is an authorization code with its `code_verifier`.
    Pairing,
    /// A user code bound to a PKCE challenge; times are in milliseconds.
    UserCode,
}

/// The endpoints of a device authorization.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceEndpoints {
    /// How the server does it.
    #[serde(default = "standard")]
    pub flow: DeviceFlow,
    /// The device authorization endpoint.
    pub authorization_endpoint: Url,
    /// Where to poll, when that is not the token endpoint.
    pub token_endpoint: Option<Url>,
    /// Where the user enters the code, when the server does not say.
    pub verification_uri: Option<Url>,
    /// The redirect URI that belongs to the code of an approval.
    pub redirect_uri: Option<Url>,
}

const fn standard() -> DeviceFlow {
    DeviceFlow::Standard
}

impl DeviceEndpoints {
    /// The endpoint of RFC 8628.
    pub const fn standard(authorization_endpoint: Url) -> Self {
        Self {
            flow: DeviceFlow::Standard,
            authorization_endpoint,
            token_endpoint: None,
            verification_uri: None,
            redirect_uri: None,
        }
    }
}
