//! The program on a terminal: a pseudo-terminal, and an emulator that draws its screen.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// Long enough for a loaded machine; a test never waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// The leader of the session: it runs the program, says how that has ended, and stays, since
/// the end of a leader hangs the terminal up, which loses what nobody has read yet.
const LEADER: &str = r#"
trap : INT TERM HUP QUIT
"$0" "$@"
printf '\033]ended;%s\007' "$?"
while :; do read -r _ || :; done
"#;
/// What comes before the exit code.
const ENDED: &[u8] = b"\x1b]ended;";

/// A program on a terminal of its own.
pub(crate) struct PseudoTerminal {
    leader: Child,
    /// The exit code, once the program has ended.
    ended: Option<i32>,
    master: File,
    written: Receiver<Vec<u8>>,
    /// Everything that was written to the terminal.
    pub transcript: Vec<u8>,
    emulator: vt100::Parser,
}

impl PseudoTerminal {
    /// Starts `command` in the foreground of a terminal of that size.
    pub(crate) fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("its size");
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let slave = File::from(slave.expect("the other end"));
        let end = || Stdio::from(slave.try_clone().expect("the other end"));
        let mut leader = Command::new("setsid");
        leader.args(["--ctty", "sh", "-c", LEADER]);
        leader.arg(command.get_program()).args(command.get_args());
        leader.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        leader.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = command.get_current_dir() {
            leader.current_dir(directory);
        }
        leader.stdin(end()).stdout(end()).stderr(end());
        let started = leader.spawn().expect("setsid");
        drop((leader, slave));
        let master = File::from(master);
        let mut reader = master.try_clone().expect("the terminal");
        let (sender, written) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // The end is an error: the other end is closed.
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let length = |length: u16| NonZeroU16::new(length).expect("a size");
        let emulator = vt100::Parser::new(length(rows), length(columns), 0);
        let transcript = Vec::new();
        Self { leader: started, ended: None, master, written, transcript, emulator }
    }

    /// Types `text`; `\u{3}` is Ctrl-C.
    pub(crate) fn enter(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("a terminal");
    }

    /// Sends the program a signal, as somebody else would.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process_group(Pid::from_child(&self.leader), signal).expect("a process");
    }

    /// Sends it again and again: between two that are waited for, one may be lost.
    pub(crate) fn signal_until_it_ends(&mut self, signal: Signal) {
        while self.ended.is_none() {
            self.signal(signal);
            while let Ok(bytes) = self.written.try_recv() {
                self.take(&bytes);
            }
            std::thread::yield_now();
        }
    }

    /// Waits until `text` has been written.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |terminal| {
            String::from_utf8_lossy(&terminal.transcript).contains(text)
        });
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub(crate) fn wait_for_screen(&mut self, text: &str) {
        self.wait_until(text, |terminal| terminal.screen().contents().contains(text));
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, is_reached: impl Fn(&Self) -> bool) {
        while !is_reached(self) {
            match self.written.recv_timeout(PATIENCE) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("no `{what}`: {error}\n{}", self.screen().contents()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.emulator.process(bytes);
        self.transcript.extend_from_slice(bytes);
        let written = &self.transcript;
        let Some(at) = written.windows(ENDED.len()).position(|part| part == ENDED) else { return };
        let rest = &written[at + ENDED.len()..];
        let Some(length) = rest.iter().position(|byte| *byte == 7) else { return };
        let code = std::str::from_utf8(&rest[..length]).ok().and_then(|code| code.parse().ok());
        self.ended = Some(code.expect("an exit code"));
        self.transcript.truncate(at);
    }

    /// What the screen shows.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    /// Everything written, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.transcript).into_owned()
    }

    /// How the terminal is set.
    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(&self.master).expect("a terminal")
    }

    /// Closes the terminal, as its window does: whoever is in the foreground gets SIGHUP.
    pub(crate) fn close(mut self) {
        self.leader.kill().expect("a process");
        self.leader.wait().expect("a status");
    }

    /// Waits for the end of the program, and for all that it has written; its exit code.
    pub(crate) fn finish(&mut self) -> i32 {
        loop {
            if let Some(code) = self.ended {
                return code;
            }
            match self.written.recv_timeout(PATIENCE) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("no end: {error}\n{}", self.screen().contents()),
            }
        }
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        // The program as well, where it has not ended.
        let _ = kill_process_group(Pid::from_child(&self.leader), Signal::KILL);
        let _ = self.leader.wait();
    }
}
