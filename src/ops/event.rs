//! What a use case tells the user while it runs, and what it reads from the user: values, which
//! `cli` words.

use super::login::{AuthorizationNotice, PageNotice, UserCodeNotice};
use crate::system::browser::Opening;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// What happens while a use case waits for the user.
#[derive(Debug)]
pub enum Event<'e> {
    /// The authorization request is ready, and something listens where it does: show the URL.
    Authorization(AuthorizationNotice<'e>),
    /// There is a code to enter on another device: show it.
    UserCode(UserCodeNotice<'e>),
    /// A page to open, where something else than us waits for what the user does there.
    Page(PageNotice<'e>),
    /// A browser was to be opened.
    Browser(Opening),
    /// The login still waits for the user, for so long at most. Comes about once a second.
    Waiting {
        /// How long.
        left: Duration,
    },
    /// A question; the answer is the next of the [`Input::Answers`].
    Question {
        /// The question.
        text: &'e str,
        /// Whether the answer must not be shown.
        is_secret: bool,
    },
    /// The question is answered.
    Answered,
    /// A pasted line was accepted: the prompt is answered.
    PasteAccepted,
    /// A pasted line was not accepted; ask again.
    PasteRefused {
        /// Why.
        reason: &'e str,
    },
}

/// What is read from the user, line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Callback URLs and codes that the user pastes.
    Pastes,
    /// Answers to questions.
    Answers,
}

/// Who hears what a use case has to say that asks for nothing.
pub trait Notes {
    /// Something worth knowing that changes nothing.
    fn note(&mut self, text: &str);
    /// Something that went less well than it could.
    fn warn(&mut self, text: &str);
}

/// Who shows a use case to the user, and reads what the user types; `cli` implements it.
pub trait Interaction: Notes {
    /// Shows what happens.
    fn event(&mut self, event: Event<'_>);
    /// The lines that the user types; `None` when there is nobody to type them, or somebody else
    /// reads them.
    fn lines(&mut self, input: Input) -> Option<Receiver<String>>;
}
