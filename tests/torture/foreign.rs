//! A foreign program that edits the documents and takes no lock: by a rename, in place, or in
//! two steps as an editor does. It changes an entry of its own and keeps the rest.
//!
//! What it replaces without having read it is its own fault, and noted: nobody can prevent
//! that.

use super::operation::AGENTS;
use super::store::{Credentials, StoreKind};
use super::support::database::Row;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Less than what the program waits for a document that is just being replaced.
const PATIENCE: Duration = Duration::from_millis(150);

/// The entry that is the foreign program's.
const ENTRY: &str = "openai:foreign";

/// What the foreign program did.
#[derive(Default)]
pub(crate) struct Foreign {
    edits: AtomicUsize,
    /// The texts that it replaced without having read them.
    destroyed: Mutex<Vec<String>>,
    /// From when to when it kept a document away for longer than anybody waits.
    long_absences: Mutex<Vec<(Instant, Instant)>>,
}

impl Foreign {
    /// How many edits were begun.
    pub(crate) fn edits(&self) -> usize {
        self.edits.load(Ordering::Relaxed)
    }

    /// How many texts were replaced unread.
    pub(crate) fn accidents(&self) -> usize {
        self.destroyed.lock().unwrap().len()
    }

    /// Whether a text that was replaced unread holds this.
    pub(crate) fn has_destroyed(&self, secret: &str) -> bool {
        self.destroyed.lock().unwrap().iter().any(|text| text.contains(secret))
    }

    /// Whether a document was away for long while an operation ran: on a machine that is busy,
    /// two steps can take any time.
    pub(crate) fn was_long_away(&self, start: Instant, end: Instant) -> bool {
        let absences = self.long_absences.lock().unwrap();
        absences.iter().any(|(from, to)| *from < end && start < *to)
    }

    /// Edits until it is told to stop.
    pub(crate) fn work(&self, credentials: &Credentials, seed: u64, goes_on: impl Fn() -> bool) {
        let mut random = StdRng::seed_from_u64(seed ^ 0x666f_7265);
        while goes_on() {
            std::thread::sleep(Duration::from_millis(random.gen_range(20..150)));
            let agent = AGENTS[random.gen_range(0..AGENTS.len())];
            let document = credentials.document(agent);
            let pause = Duration::from_micros(match random.gen_range(0..20) {
                0 => random.gen_range(5_000..80_000),
                _ => random.gen_range(0..3_000),
            });
            let number = self.edits.fetch_add(1, Ordering::Relaxed);
            if credentials.kind == StoreKind::Sqlite {
                let change = |text: &str| edited(text, number).unwrap();
                // Where it cannot write, it changes nothing.
                let _ = credentials.row(agent, Row::Store).edit(pause, change);
                continue;
            }
            // A document that is just being replaced is left alone.
            let _ = match random.gen_range(0..3) {
                0 => self.exchange(&document, number),
                1 => in_place(&document, number, pause),
                _ => self.two_steps(&document, number, pause),
            };
        }
    }

    /// Replaces the document by one rename, and looks at what it has replaced.
    fn exchange(&self, document: &Path, number: usize) -> std::io::Result<()> {
        let read = std::fs::read_to_string(document)?;
        let aside = beside(document);
        let mut file = create(&aside)?;
        file.write_all(edited(&read, number)?.as_bytes())?;
        renameat_with(CWD, &aside, CWD, document, RenameFlags::EXCHANGE)?;
        let replaced = std::fs::read_to_string(&aside)?;
        if replaced != read {
            self.destroyed.lock().unwrap().push(replaced);
        }
        std::fs::remove_file(&aside)
    }

    /// Renames the document away and writes it anew.
    fn two_steps(&self, document: &Path, number: usize, pause: Duration) -> std::io::Result<()> {
        let aside = beside(document);
        let away = Instant::now();
        std::fs::rename(document, &aside)?;
        let read = std::fs::read_to_string(&aside)?;
        // What cannot be edited goes back as it was.
        let text = edited(&read, number).unwrap_or(read);
        std::thread::sleep(pause);
        let mut file = if let Ok(file) = create(document) {
            file
        } else {
            self.destroyed.lock().unwrap().push(std::fs::read_to_string(document)?);
            OpenOptions::new().write(true).truncate(true).open(document)?
        };
        file.write_all(text.as_bytes())?;
        if away.elapsed() > PATIENCE {
            self.long_absences.lock().unwrap().push((away, Instant::now()));
        }
        std::fs::remove_file(&aside)
    }
}

/// Truncates the file that it has read, and writes it: where somebody replaces it meanwhile,
/// the edit is lost and nothing else.
fn in_place(document: &Path, number: usize, pause: Duration) -> std::io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(document)?;
    let mut read = String::new();
    file.read_to_string(&mut read)?;
    let text = edited(&read, number)?;
    file.rewind()?;
    file.set_len(0)?;
    std::thread::sleep(pause);
    file.write_all(text.as_bytes())
}

fn edited(text: &str, number: usize) -> std::io::Result<String> {
    let mut document: Value = serde_json::from_str(text)?;
    let key = format!("fake-foreign-{number}");
    document["profiles"][ENTRY] = json!({"type": "api_key", "provider": "openai", "key": key});
    Ok(serde_json::to_string_pretty(&document)?)
}

fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Where the foreign program keeps a file for a moment.
fn beside(document: &Path) -> PathBuf {
    document.with_extension("json.foreign~")
}
