//! Signing in: authorization code with PKCE, by redirect or by paste (RFC 8252), and device
//! authorization (RFC 8628), raced.
//!
//! Nothing is written before the token response has been checked.

mod authorize;
mod destination;
mod device;
mod error;
mod finish;
mod kept;
mod notice;
mod parts;
mod pastes;
mod program;
mod project;
mod request;
mod sign_in_methods;
mod takeover;
mod two_steps;

pub use error::{Attempt, LoginError};
pub use finish::{FinishError, FinishRequest, finish};
pub use notice::{AuthorizationNotice, OtherCode, PageNotice, Tunnel, UserCodeNotice};
pub(super) use parts::stored_as;
pub use request::{Report, Request};
pub use two_steps::{CancelError, Started, Unfinished, cancel, start, unfinished};

pub(super) use kept::store_kept;

use super::issuer::program_of;
use super::{Event, Interaction};
use crate::app::App;
use crate::oauth::{TokenError, Verdict};
use crate::system::Stop;
use authorize::{Origin, Response, Waiting};
use kept::finished;
use parts::Login;

/// Signs in and stores the login.
///
/// # Errors
/// The user, the authorization server, the network, or the store; nothing is written then.
pub async fn login(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, LoginError> {
    // What was kept before is the older one.
    store_kept(app);
    let catalog = app.catalog()?;
    if let Some(program) = program_of(app, &catalog, &request.provider)? {
        return program::login(app, &program, request, interaction).await;
    }
    let mut login = Login::new(app, &catalog, request, None, interaction)?;
    let mut stop = app.machine.stop.listen().map_err(LoginError::Signals)?;
    tokio::select! {
        discovered = login.discover() => discovered?,
        () = stop.asked() => return Err(LoginError::Interrupted),
    }
    let mut waiting = login.start(interaction, &mut stop).await?;
    let report = login.complete(&mut waiting, interaction, &mut stop).await;
    waiting.finish().await;
    if let Err(error) = &report {
        login.revoke_stray(error, interaction).await;
    }
    let report = report?;
    login.add_project(&report, interaction, &mut stop).await?;
    Ok(report)
}

impl Login<'_> {
    /// Waits for the user, makes the token request and stores the grant. What was pasted
    /// without a state may be a slip of the hand: when the server refuses it, the prompt
    /// comes back.
    async fn complete(
        &self,
        waiting: &mut Waiting,
        interaction: &mut dyn Interaction,
        stop: &mut Stop,
    ) -> Result<Report, LoginError> {
        loop {
            let (code, origin) = match waiting.response(self, interaction, stop).await? {
                Response::Granted(grant) => {
                    return self.store_grant(*grant, None, interaction).await;
                }
                Response::Code(code, origin) => (code, origin),
            };
            let prepared = self.prepare(stop).await?;
            let authorization = waiting.authorization.as_ref();
            let exchange = self.exchange(authorization, code);
            let grant = finished(exchange, interaction, stop).await?;
            let report = match (grant, &origin) {
                (Ok(grant), _) => self.store_grant(grant, prepared, interaction).await,
                (Err(error @ TokenError::Refused { .. }), Origin::BareCode) => {
                    interaction.event(Event::PasteRefused { reason: &error.to_string() });
                    continue;
                }
                (Err(error), _) => Err(self.not_signed_in(error)),
            };
            if let Origin::Redirect(verdict) = origin {
                let shown = if report.is_ok() { Verdict::SignedIn } else { Verdict::Failed };
                // A browser that has gone away needs no verdict.
                let _ = verdict.send(shown);
            }
            return report;
        }
    }
}
