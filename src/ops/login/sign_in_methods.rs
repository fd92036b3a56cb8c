//! The ways to sign in, and which of them a login goes: all that there are at once, unless
//! the user wants one.

use super::error::{Attempt, LoginError};
use crate::provider::{Definition, Method, MethodKind, Registration};

/// The ways that a login goes. They are raced: the first that completes wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignInMethods {
    /// Wait for the browser's redirect.
    pub(super) browser: bool,
    /// Take the redirect's address from the user.
    pub(super) paste: bool,
    /// Show a code to enter on another device.
    pub(super) device: bool,
    /// The method of the provider, where it has a registration of its own.
    pub(super) method: Option<String>,
}

impl SignInMethods {
    /// The ways for `wanted`: `browser`, `paste`, `device`, the id or choice of one of the
    /// provider's methods, or all of them. `attempt` is for the error.
    ///
    /// # Errors
    /// The provider has no such way.
    pub(super) fn of(
        definition: &Definition,
        wanted: Option<&str>,
        attempt: &Attempt,
    ) -> Result<Self, LoginError> {
        let all = Self { browser: true, paste: true, device: true, method: None };
        let methods = match wanted {
            None => all.with_default_method(definition),
            Some("browser") => Self { paste: false, device: false, ..all },
            Some("paste") => Self { browser: false, device: false, ..all },
            Some("device") => {
                Self { browser: false, paste: false, ..all }.with_default_method(definition)
            }
            Some(id) => all.of_method(definition, id, attempt)?,
        };
        let Some(registration) = definition.registration_of(methods.method.as_deref()) else {
            return Err(no_sign_in(definition, attempt));
        };
        methods.offered_by(registration, definition, attempt)
    }

    /// Where the provider has no login without a method, that of its first login.
    fn with_default_method(self, definition: &Definition) -> Self {
        let is_login =
            |method: &&Method| matches!(method.kind, MethodKind::OAuth | MethodKind::DeviceCode);
        let first = definition.methods.iter().find(is_login);
        let own = first.filter(|method| method.registration.is_some());
        Self { method: own.map(|method| method.id.clone()), ..self }
    }

    fn of_method(
        self,
        definition: &Definition,
        id: &str,
        attempt: &Attempt,
    ) -> Result<Self, LoginError> {
        let is_named = |method: &&Method| method.id == id || method.choice.as_deref() == Some(id);
        let method = definition.methods.iter().find(is_named).ok_or_else(|| {
            let methods = definition.methods.iter().map(|method| method.id.as_str());
            let known = ["browser", "paste", "device"].into_iter().chain(methods);
            LoginError::NoMethod {
                label: definition.label.clone(),
                wanted: id.to_owned(),
                known: known.map(str::to_owned).collect(),
            }
        })?;
        let own = method.registration.is_some().then(|| method.id.clone());
        match method.kind {
            MethodKind::OAuth => Ok(Self { device: false, method: own, ..self }),
            MethodKind::DeviceCode => {
                Ok(Self { browser: false, paste: false, method: own, ..self })
            }
            MethodKind::ApiKey | MethodKind::Token | MethodKind::Custom => {
                Err(LoginError::NoServer {
                    wanted: id.to_owned(),
                    method: method.id.clone(),
                    attempt: Box::new(attempt.clone()),
                })
            }
        }
    }

    /// Leaves out what the server has not.
    fn offered_by(
        mut self,
        registration: &Registration,
        definition: &Definition,
        attempt: &Attempt,
    ) -> Result<Self, LoginError> {
        let (browser, device) = (registration.has_browser_login(), registration.has_device_login());
        self.browser &= browser;
        self.paste &= browser;
        self.device &= device;
        if self.browser || self.paste || self.device {
            return Ok(self);
        }
        if !browser && !device {
            return Err(no_sign_in(definition, attempt));
        }
        Err(LoginError::OtherWay { label: definition.label.clone(), has_browser: browser })
    }
}

/// What to say of a provider that has no server to sign in at.
pub(super) fn no_sign_in(definition: &Definition, attempt: &Attempt) -> LoginError {
    LoginError::NoSignIn { label: definition.label.clone(), attempt: Box::new(attempt.clone()) }
}
