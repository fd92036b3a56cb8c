//! The project of the account, which is looked up after a login and kept with it. That it
//! is not found loses nothing: the login is stored before.

use super::error::LoginError;
use super::parts::Login;
use super::request::Report;
use crate::ops::Interaction;
use crate::profile::Credential;
use crate::store::entry_with;
use crate::system::Stop;
use crate::text::printable;

/// The field of the profile, as OpenClaw has it.
const FIELD: &str = "projectId";

impl Login<'_> {
    /// Adds the project to the login that was just stored.
    ///
    /// # Errors
    /// The user does not want to wait, or the store cannot be written.
    pub(super) async fn add_project(
        &self,
        report: &Report,
        interaction: &mut dyn Interaction,
        stop: &mut Stop,
    ) -> Result<(), LoginError> {
        let Some(service) = &self.registration.project else { return Ok(()) };
        let id = report.profile_id.as_str();
        let stored = self.store.profiles()?.credential(id);
        let Some(access) = stored.as_ref().and_then(Credential::bearer) else { return Ok(()) };
        let found = tokio::select! {
            found = service.find(access, self.app.clients(), &self.app.machine.clock) => found,
            () = stop.asked() => {
                interaction.warn(&format!(
                    "the login is stored as `{}`; its project was not found out",
                    report.profile_id
                ));
                return Err(LoginError::Interrupted);
            }
        };
        let project = match found {
            Ok(project) => project,
            Err(reason) => {
                let name = service.env.first().map_or("the variable", String::as_str);
                interaction.warn(&format!(
                    "the login is stored; the project of the account was not found out: {reason}; \
                     set {name} to the id of a project and sign in again where one is needed"
                ));
                return Ok(());
            }
        };
        self.store.update(|document| {
            let is_same = document.credential(id).is_some_and(|present| {
                present.bearer().is_some_and(|present| present.matches(access))
            });
            let Some(entry) = document.entry(id).filter(|_| is_same) else {
                return Ok((false, ()));
            };
            let entry = entry_with(entry, FIELD, &project)?;
            document.set_entry(id, entry);
            Ok((true, ()))
        })?;
        interaction.note(&format!("the project of the account is {}", printable(&project, 200)));
        Ok(())
    }
}
