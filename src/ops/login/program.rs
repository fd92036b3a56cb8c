//! Signing in where a program serves the provider: it says what the user has to do, and
//! ends with the credential.

use super::destination::LoginDestination;
use super::error::LoginError;
use super::notice::{PageNotice, UserCodeNotice};
use super::parts::{not_signed_in, open_store};
use super::request::{Report, Request};
use crate::app::App;
use crate::oauth::TokenError;
use crate::ops::issuer::renewal;
use crate::ops::{Event, Input, Interaction};
use crate::provider::{Conversation, Issued, Message, Operation, Program, Question};
use crate::system::{Stop, lock};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// How often the user is told how much time is left.
const TICK: Duration = Duration::from_secs(1);

/// Signs in by a program and stores the login.
pub(super) async fn login(
    app: &App,
    program: &Program,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, LoginError> {
    if request.method.is_some() {
        return Err(LoginError::NoMethods { program: program.name() });
    }
    let (agent, store) = open_store(app, request, &program.provider)?;
    interaction.note(&format!("{} serves this provider", program.path.display()));
    let mut stop = app.machine.stop.listen().map_err(LoginError::Signals)?;
    let failed =
        |label: &str, error: TokenError| not_signed_in(&program.provider, label, request, error);
    let description = tokio::select! {
        description = program.describe(&app.machine, &app.environment) => description,
        () = stop.asked() => return Err(LoginError::Interrupted),
    };
    let description = description.map_err(|error| failed(program.provider.as_str(), error))?;
    let label = description.label.clone().unwrap_or_else(|| program.provider.to_string());
    if !description.offers(Operation::Login) {
        return Err(LoginError::NoLogin { program: program.name() });
    }
    let conversation = program
        .begin(&app.machine, &app.environment, Operation::Login, None)
        .map_err(|error| failed(&label, error))?;
    let mut program_login =
        ProgramLogin { app, program, label: &label, request, interaction, conversation };
    let issued = program_login.issued(&mut stop).await?;
    // From here on a signal waits: the grant exists nowhere else.
    let destination = LoginDestination {
        app,
        agent: &agent,
        store: &store,
        provider: &program.provider,
        label: &label,
        default_model: None,
        registration: None,
        method: None,
        wanted: request.profile_id.as_ref(),
    };
    let prepared = store.prepare(lock::TIMEOUT).ok().flatten();
    let renewal = renewal(*issued, app.now());
    let report = destination.store_or_keep(renewal, prepared, program_login.interaction).await;
    let said = |text| program_login.interaction.note(&format!("{}: {text}", program.name()));
    program_login.conversation.finish(said).await;
    report
}

/// A program that signs a user in.
struct ProgramLogin<'t> {
    app: &'t App,
    program: &'t Program,
    label: &'t str,
    request: &'t Request,
    interaction: &'t mut dyn Interaction,
    conversation: Conversation,
}

fn asking(question: &Question) -> Event<'_> {
    Event::Question { text: &question.text, is_secret: question.is_secret }
}

impl ProgramLogin<'_> {
    /// The first of: credential, failure, timeout, interrupt.
    async fn issued(&mut self, stop: &mut Stop) -> Result<Box<Issued>, LoginError> {
        let clock = &self.app.machine.clock;
        let deadline = clock.instant() + self.request.timeout;
        let mut answers: Option<Receiver<String>> = None;
        let mut questions: VecDeque<Question> = VecDeque::new();
        let mut tick = clock.ticks(TICK);
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return Err(LoginError::Interrupted),
                message = self.conversation.next() => {
                    let message = message.map_err(|error| self.failed(error))?;
                    match message {
                        Message::Question(question) => {
                            if answers.is_none() {
                                answers = self.interaction.lines(Input::Answers);
                            }
                            // One after the other, however many it asks at once.
                            if questions.is_empty() {
                                self.interaction.event(asking(&question));
                            }
                            if answers.is_none() {
                                return Err(self.unanswered(question));
                            }
                            questions.push_back(question);
                        }
                        Message::Done(Some(issued)) => return Ok(issued),
                        Message::Done(None) | Message::Described(_) | Message::Failed(_) => {
                            let what = "finished a login and returned no credential";
                            return Err(self.failed(self.program.unreadable(what)));
                        }
                        shown => self.show(shown),
                    }
                }
                line = line(&mut answers), if !questions.is_empty() => {
                    self.interaction.event(Event::Answered);
                    let answered = questions.pop_front();
                    match (line, answered) {
                        (Some(line), _) => {
                            self.conversation.answer(line.trim_end_matches(['\r', '\n']));
                        }
                        (None, Some(question)) => return Err(self.unanswered(question)),
                        (None, None) => {}
                    }
                    if let Some(next) = questions.front() {
                        self.interaction.event(asking(next));
                    }
                }
                () = clock.sleep_until(deadline) => {
                    return Err(LoginError::TimedOut { waited: self.request.timeout });
                }
                () = tick.tick() => {
                    self.interaction.event(Event::Waiting { left: clock.until(deadline) });
                }
            }
        }
    }

    /// Shows what needs no answer.
    fn show(&mut self, message: Message) {
        let environment = &self.app.environment;
        match message {
            Message::Url(url) => {
                let is_remote = environment.remote().is_some();
                let provider = &self.program.provider;
                self.interaction.event(Event::Page(PageNotice {
                    provider,
                    provider_label: self.label,
                    url: &url,
                    is_remote,
                }));
                if self.request.browser {
                    let opening = self.app.machine.browser.open(environment, &url);
                    self.interaction.event(Event::Browser(opening));
                }
            }
            Message::UserCode(code) => self.interaction.event(Event::UserCode(UserCodeNotice {
                provider: &self.program.provider,
                provider_label: self.label,
                user_code: &code.code,
                verification_uri: &code.verification_uri,
                verification_uri_complete: code.verification_uri_complete.as_ref(),
                lifetime: code.lifetime,
                remote: environment.remote(),
                is_alternative: false,
                is_followed: false,
            })),
            Message::Note(text) => self.interaction.note(&text),
            Message::Aside(text) => {
                self.interaction.note(&format!("{}: {text}", self.program.name()));
            }
            _ => {}
        }
    }

    fn failed(&self, error: TokenError) -> LoginError {
        not_signed_in(&self.program.provider, self.label, self.request, error)
    }

    fn unanswered(&self, question: Question) -> LoginError {
        LoginError::Unanswered { program: self.program.name(), question: question.text }
    }
}

/// The next line of the user; waits for ever where there is nobody to write one.
async fn line(answers: &mut Option<Receiver<String>>) -> Option<String> {
    match answers {
        Some(answers) => answers.recv().await,
        None => std::future::pending().await,
    }
}
