//! A full disk and a read-only one: a tmpfs of a few pages.

use super::judge::{Judged, judge};
use super::scene::{Command, Scene};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;

const PAGE: u64 = 4096;

/// A mounted tmpfs.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Result<Self, String> {
        std::fs::create_dir_all(&at).map_err(|error| error.to_string())?;
        run("mount", &["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs"], &at)?;
        Ok(Self(at))
    }

    /// Fills all but some pages.
    fn fill(&self, free_pages: u64) {
        let path = self.0.join("ballast");
        let mut file = std::fs::File::create(path).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len((length / PAGE * PAGE).saturating_sub(free_pages * PAGE)).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &[], &self.0);
    }
}

fn run(program: &str, words: &[&str], at: &Path) -> Result<(), String> {
    let ended = process::Command::new(program).args(words).arg(at).output();
    match ended {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// Every command on disks with more and more free pages, and on a read-only one.
pub(crate) fn check(program: &Path) -> Result<Vec<(String, Judged)>, String> {
    let mut results = Vec::new();
    for command in [Command::Refresh, Command::Logout, Command::Paste] {
        for pages in (0..12).chain([16, 24, 32, 40, 48]) {
            let root = tempfile::tempdir().map_err(|error| error.to_string())?;
            let disk = Disk::mount(root.path().join("disk"))?;
            let scene = Scene::at(command, program, root, disk.0.join("state"));
            disk.fill(pages);
            let finished = scene.run(&[], command);
            // What is free again is what a user would free.
            std::fs::remove_file(disk.0.join("ballast")).map_err(|error| error.to_string())?;
            let what = format!("{command:?}, {pages} free pages");
            let judged = judge(&scene, &finished, Some("No space left on device"));
            results.push((what, judged));
            drop(disk);
        }
        let root = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = Disk::mount(root.path().join("disk"))?;
        let scene = Scene::at(command, program, root, disk.0.join("state"));
        run("mount", &["-o", "remount,ro"], &disk.0)?;
        let finished = scene.run(&[], command);
        let asked = scene.server.requests().len();
        run("mount", &["-o", "remount,rw"], &disk.0)?;
        let mut judged = judge(&scene, &finished, Some("Read-only file system"));
        if asked > 0 {
            judged.wrong.push("the server was asked for what could not be stored".to_owned());
        }
        results.push((format!("{command:?}, a read-only disk"), judged));
        drop(disk);
    }
    Ok(results)
}
