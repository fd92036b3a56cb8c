//! Who issues and renews the credentials of a provider: an authorization server, or a
//! program that serves it.

use super::Notes;
use crate::app::App;
use crate::oauth::{self, Client, TokenError};
use crate::profile::{Credential, Millis, ProviderId};
use crate::provider::{
    Catalog, CatalogError, InsecureProgram, Issued, Message, Operation, Program, Registration,
    RegistrationError, expiry,
};
use crate::secret::Secret;
use crate::store::IssuedCredential;
use crate::system::Clock;
use crate::system::http::HttpClient;
use std::time::Duration;

/// How long a program may take for a refresh or a revocation: as long as a request.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(30);

/// Why it is not known who issues the credentials of a provider.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The provider's file is not valid.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The program that serves the provider is not to be trusted.
    #[error(transparent)]
    Distrusted(#[from] InsecureProgram),
    /// We are not registered at the server.
    #[error(transparent)]
    Client(#[from] RegistrationError),
}

/// Who issues the credentials of a provider.
pub(crate) enum Issuer<'a> {
    /// An authorization server where we are registered.
    Server {
        /// How.
        registration: &'a Registration,
        /// As which client.
        client: Box<Client>,
    },
    /// A program.
    Program {
        /// The program.
        program: Program,
        /// What it runs in.
        app: &'a App,
    },
}

/// An issuer that is ready for a token request.
pub(crate) enum Connection<'a> {
    /// An authorization server.
    Server { registration: &'a Registration, client: Box<Client>, http: HttpClient },
    /// A program.
    Program { program: Program, app: &'a App },
}

impl<'a> Issuer<'a> {
    /// The issuer of a stored credential; `None` when nobody is known to be.
    ///
    /// # Errors
    /// The provider's file is not valid, the client has no name, or the program is not to be
    /// trusted.
    pub(crate) fn of(
        app: &'a App,
        catalog: &'a Catalog,
        credential: &Credential,
    ) -> Result<Option<Self>, IssuerError> {
        if let Some(problem) = catalog.problem(&credential.provider) {
            return Err(problem.clone().into());
        }
        if let Some(program) = program_of(app, catalog, &credential.provider)? {
            return Ok(Some(Self::Program { program, app }));
        }
        let provider = catalog.find_login(&credential.provider);
        let method = credential.login_method.as_deref();
        let registration =
            provider.and_then(|provider| provider.definition.registration_of(method));
        let Some(registration) = registration else { return Ok(None) };
        let client = registration.client(app.clients(), credential.client_id.as_deref())?;
        Ok(Some(Self::Server { registration, client: Box::new(client) }))
    }

    /// Asks the server for what a token request needs to know, where that is not known.
    ///
    /// # Errors
    /// The server does not tell its endpoints.
    pub(crate) async fn discover(&mut self) -> Result<(), TokenError> {
        match self {
            Self::Server { client, .. } => client.discover().await.map(drop),
            Self::Program { .. } => Ok(()),
        }
    }

    /// Gets ready for a token request. Nothing is sent.
    ///
    /// # Errors
    /// The trust store or the proxy settings cannot be used.
    pub(crate) fn connect(self) -> Result<Connection<'a>, TokenError> {
        Ok(match self {
            Self::Server { registration, client } => {
                let http = client.http()?;
                Connection::Server { registration, client, http }
            }
            Self::Program { program, app } => Connection::Program { program, app },
        })
    }

    /// Revokes a credential; `entry` is the text of its profile. Whether that is offered at
    /// all.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub(crate) async fn revoke(
        self,
        credential: &Credential,
        entry: &Secret,
        interaction: &mut dyn Notes,
    ) -> Result<bool, TokenError> {
        match self {
            Self::Server { mut client, .. } => {
                client.discover().await?;
                let Some(endpoint) = client.endpoints.revocation.as_ref() else {
                    return Ok(false);
                };
                let (token, hint) = match (credential.refresh_token(), credential.bearer()) {
                    (Some(token), _) => (token, "refresh_token"),
                    (None, Some(token)) => (token, "access_token"),
                    (None, None) => return Ok(false),
                };
                let http = client.http_to(endpoint)?;
                oauth::revoke(&http, &client, endpoint, token, hint).await?;
            }
            Self::Program { program, app } => {
                if !program
                    .describe(&app.machine, &app.environment)
                    .await?
                    .offers(Operation::Revoke)
                {
                    return Ok(false);
                }
                let held = (credential, entry);
                run(&program, app, Operation::Revoke, held, interaction).await?;
            }
        }
        Ok(true)
    }
}

impl Connection<'_> {
    /// Asks once for new tokens. The refresh token of `credential` may be spent after this,
    /// whatever the outcome. `entry` is the text of its profile.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub(crate) async fn refresh(
        &self,
        credential: &Credential,
        entry: &Secret,
        clock: &Clock,
        interaction: &mut dyn Notes,
    ) -> Result<IssuedCredential, TokenError> {
        match self {
            Self::Server { registration, client, http } => {
                let missing = || TokenError::Unreadable("there is no refresh token".to_owned());
                let refresh_token = credential.refresh_token().ok_or_else(missing)?;
                let grant = oauth::refresh(http, client, refresh_token, clock).await?;
                let received = clock.now();
                Ok(IssuedCredential {
                    expires: expiry(Some(registration), &grant, received),
                    issued: Some(received),
                    identity: registration.identity(&grant.access, grant.id_token.as_ref(), None),
                    fields: registration.extra_fields(&grant),
                    grant,
                })
            }
            Self::Program { program, app } => {
                let held = (credential, entry);
                let issued = run(program, app, Operation::Refresh, held, interaction).await?;
                issued.map(|issued| renewal(*issued, clock.now())).ok_or_else(|| {
                    program.unreadable("finished a refresh and returned no credential")
                })
            }
        }
    }
}

/// What a program issued, for a profile that `received` it at this time.
pub(crate) fn renewal(issued: Issued, received: Millis) -> IssuedCredential {
    let Issued { grant, identity, fields } = issued;
    let expires = expiry(None, &grant, received);
    IssuedCredential { expires, issued: Some(received), grant, identity, fields }
}

/// Runs an operation that needs nothing of the user to its end.
async fn run(
    program: &Program,
    app: &App,
    operation: Operation,
    held: (&Credential, &Secret),
    interaction: &mut dyn Notes,
) -> Result<Option<Box<Issued>>, TokenError> {
    let mut conversation = program.begin(&app.machine, &app.environment, operation, Some(held))?;
    let name = program.name();
    let ended = async {
        loop {
            match conversation.next().await? {
                Message::Note(text) => interaction.note(&text),
                Message::Aside(text) => interaction.note(&format!("{name}: {text}")),
                Message::Done(issued) => return Ok(issued),
                _ => return Err(program.unreadable("asks for an answer, and there is no terminal")),
            }
        }
    };
    let ended = app.machine.clock.within(PROGRAM_TIMEOUT, ended).await;
    let issued = ended.unwrap_or_else(|| Err(program.took_too_long(PROGRAM_TIMEOUT)))?;
    conversation.finish(|text| interaction.note(&format!("{name}: {text}"))).await;
    Ok(issued)
}

/// The program that serves a provider, which the catalog does not know.
///
/// # Errors
/// The program is not to be trusted.
pub(crate) fn program_of(
    app: &App,
    catalog: &Catalog,
    provider: &ProviderId,
) -> Result<Option<Program>, InsecureProgram> {
    if catalog.find(provider).is_some() || catalog.problem(provider).is_some() {
        return Ok(None);
    }
    Program::find(provider, &app.environment)
}
