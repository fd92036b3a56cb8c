//! The worker as a thread of this process: who waits for it may leave, and it goes on.

use super::{PATIENCE, held, posted, wait_until};
use crate::support::rig::{PROFILE, Rig};
use openclaw_auth::app::{App, RefreshesBy};
use openclaw_auth::ops::refresh::RefreshError;
use openclaw_auth::ops::token::{NoTokenError, Request, Token, token};
use openclaw_auth::ops::{Event, Input, Interaction, Notes};
use openclaw_auth::profile::ProviderId;
use openclaw_auth::system::worker::Threads;
use openclaw_auth::system::{Environment, block_on};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use tokio::sync::mpsc::Receiver;

/// Whoever asks for a token hears notes and sees nothing else.
struct Listener(Sender<String>);

impl Notes for Listener {
    fn note(&mut self, text: &str) {
        let _ = self.0.send(text.to_owned());
    }

    fn warn(&mut self, text: &str) {
        let _ = self.0.send(text.to_owned());
    }
}

impl Interaction for Listener {
    fn event(&mut self, _: Event<'_>) {}
    fn lines(&mut self, _: Input) -> Option<Receiver<String>> {
        None
    }
}

/// The program in this process, whose workers are threads.
fn app(rig: &Rig) -> App {
    let state = rig.state_dir().into_os_string();
    let environment =
        Environment::of([("OPENCLAW_STATE_DIR", state), ("HOME", rig.home().into_os_string())]);
    App::new(environment, &rig.home())
        .with_refreshes_by(RefreshesBy::Thread(Arc::new(Threads::default())))
}

fn ask(app: &App, notes: Sender<String>) -> Result<Token, Box<NoTokenError>> {
    let request = Request {
        agent: None,
        provider: Some(ProviderId::from("openai-codex")),
        profile: None,
        name: None,
        min_ttl: None,
        stored: false,
        strict: false,
        force_refresh: false,
        lock_timeout: PATIENCE,
        tells_lifetime: false,
    };
    block_on(token(app, &request, &mut Listener(notes))).unwrap().map_err(Box::new)
}

fn ask_to_stop(app: &App) {
    let RefreshesBy::Thread(threads) = &app.refreshes_by else { panic!("no threads") };
    threads.ask_to_stop();
}

#[test]
fn a_thread_refreshes_for_all_who_wait() {
    let (rig, hold) = held();
    let app = app(&rig);
    let tokens = std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..4).map(|_| scope.spawn(|| ask(&app, channel().0).unwrap())).collect();
        assert!(hold.wait_until_held(1, PATIENCE));
        hold.release();
        let tokens = waiting.into_iter().map(|waiting| waiting.join().unwrap());
        tokens.map(|token| token.value.expose().to_owned()).collect::<Vec<_>>()
    });
    let stored = &rig.document()["profiles"][PROFILE]["access"];
    assert!(tokens.iter().all(|token| stored == token.as_str()));
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn who_leaves_a_thread_loses_no_login_and_its_process_waits_for_it() {
    let (rig, hold) = held();
    let app = app(&rig);
    let (notes, said) = channel();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&app, notes));
        assert!(hold.wait_until_held(1, PATIENCE));
        ask_to_stop(&app);
        assert_eq!(said.recv_timeout(PATIENCE).unwrap(), "finishing a refresh; again to leave");
        ask_to_stop(&app);
        let left = waiting.join().unwrap().unwrap_err();
        assert!(matches!(*left, NoTokenError::Refresh(RefreshError::Interrupted)));
    });
    assert_eq!(rig.document()["profiles"][PROFILE]["expires"], 1, "the server is waited for");
    let ending = std::thread::spawn(move || drop(app));
    hold.release();
    ending.join().unwrap();
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].clone();
    assert!(rig.server.is_alive(refresh.as_str().unwrap()), "it is stored before the end");
    rig.run(&super::TOKEN).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn processes_wait_for_a_thread_as_for_a_process() {
    let (rig, hold) = held();
    let app = app(&rig);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&app, channel().0));
        assert!(hold.wait_until_held(1, PATIENCE));
        let other = rig.start(&super::TOKEN);
        wait_until("the lease is held", || rig.worker() == std::process::id());
        hold.release();
        let printed = other.finish().success();
        assert_eq!(waiting.join().unwrap().unwrap().value.expose(), printed);
    });
    assert_eq!(posted(&rig), (1, 0));
    assert_eq!(super::locks(&rig), Vec::<std::path::PathBuf>::new());
}
