//! Whether a profile can be used for a provider at all, whatever happened to it before.
//!
//! The answer is a reason code of OpenClaw 2026.4.24; the checks run in a fixed order and
//! the first that fails names the reason. When an OAuth access token expires plays no
//! part: that is what refreshing is for.

use super::{CredentialSummary, Kind, Millis, ProfileId, ProviderId};

/// Why a profile is not eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// No store holds such a profile.
    ProfileMissing,
    /// The profile, or the configuration of it, is for another provider.
    ProviderMismatch,
    /// The configuration expects another kind of credential.
    ModeMismatch,
    /// The profile holds no credential.
    MissingCredential,
    /// The expiry of the token is no time.
    InvalidExpires,
    /// The token is expired, and nothing refreshes it.
    Expired,
}

impl Ineligible {
    /// The reason code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ProfileMissing => "profile_missing",
            Self::ProviderMismatch => "provider_mismatch",
            Self::ModeMismatch => "mode_mismatch",
            Self::MissingCredential => "missing_credential",
            Self::InvalidExpires => "invalid_expires",
            Self::Expired => "expired",
        }
    }
}

/// What the configuration says of a profile (`auth.profiles.<id>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The profile id.
    pub id: ProfileId,
    /// The provider, as profiles are compared by it.
    pub provider: ProviderId,
    /// The kind of credential that it expects.
    pub mode: Option<Kind>,
}

/// Checks a profile for `provider`. `stored` says what is there of its credential, and the
/// provider that it is for; both providers are given in the form in which they are compared.
///
/// # Errors
/// The profile cannot be used, and why.
pub fn eligibility(
    stored: Option<(CredentialSummary, &str)>,
    configured: Option<&Configured>,
    provider: &str,
    now: Millis,
) -> Result<(), Ineligible> {
    let (facts, of) = stored.ok_or(Ineligible::ProfileMissing)?;
    if of != provider
        || configured.is_some_and(|configured| configured.provider.as_str() != provider)
    {
        return Err(Ineligible::ProviderMismatch);
    }
    let CredentialSummary { kind, has_bearer, has_refresh, is_reference, expires } = facts;
    let fits = |mode| mode == kind || (mode == Kind::OAuth && kind == Kind::Token);
    if !configured.and_then(|configured| configured.mode).is_none_or(fits) {
        return Err(Ineligible::ModeMismatch);
    }
    if !(has_bearer || has_refresh || is_reference) {
        return Err(Ineligible::MissingCredential);
    }
    match expires.filter(|_| kind == Kind::Token) {
        Some(Err(())) => Err(Ineligible::InvalidExpires),
        Some(Ok(at)) if at <= now => Err(Ineligible::Expired),
        _ => Ok(()),
    }
}
