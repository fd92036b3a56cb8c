//! Which file systems are shared with other hosts: there, a lock of one host need not hold on
//! another (statfs(2)).

use std::path::Path;

/// The magic numbers of statfs(2), and how people call them.
const SHARED: [(u32, &str); 21] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "SMB/CIFS"),
    (0xFE53_4D42, "SMB/CIFS"),
    (FUSE, "FUSE"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564C, "NCP"),
    (0x7461_636F, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0x2003_0528, "OrangeFS"),
    (0x786F_4256, "vboxsf"),
    (0xBACB_ACBC, "vmhgfs"),
    (0x7C7C_6673, "Parallels shared folders"),
];
const FUSE: u32 = 0x6573_5546;

/// The name of the file system that `path`, or what there is of the way to it, is on, where
/// that is one that other hosts may share.
pub fn shared_file_system(path: &Path) -> Option<String> {
    let there = path.ancestors().find(|name| name.exists())?;
    let (magic, device) = look(there)?;
    let (_, name) = SHARED.iter().find(|(number, _)| *number == magic)?;
    if magic != FUSE {
        return Some((*name).to_owned());
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    named_fuse(&mounts, &device)
}

/// The magic number of the file system of `path`, and its device as the list of mounts has it.
#[cfg(target_os = "linux")]
fn look(path: &Path) -> Option<(u32, String)> {
    use std::os::unix::fs::MetadataExt;
    let [a, b, c, d, ..] = rustix::fs::statfs(path).ok()?.f_type.to_le_bytes();
    let device = path.metadata().ok()?.dev();
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    Some((u32::from_le_bytes([a, b, c, d]), device))
}

#[cfg(not(target_os = "linux"))]
fn look(_path: &Path) -> Option<(u32, String)> {
    None
}

/// What is mounted by FUSE as `device`; `None` when that is a disk of this host.
fn named_fuse(mounts: &str, device: &str) -> Option<String> {
    let kind = mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        (mount.split(' ').nth(2)? == device).then(|| kind.split(' ').next().unwrap_or_default())
    });
    match kind {
        Some("fuseblk") => None,
        Some("virtiofs") => Some("virtiofs".to_owned()),
        Some(kind) => match kind.strip_prefix("fuse.") {
            Some(program) => Some(format!("FUSE ({program})")),
            None => Some("FUSE".to_owned()),
        },
        None => Some("FUSE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_file_system_is_not_shared() {
        let root = tempfile::tempdir().unwrap();
        // Tests may run on a shared one: a path that is not there is judged by what is.
        assert_eq!(shared_file_system(&root.path().join("a/b")), shared_file_system(root.path()));
        assert_eq!(shared_file_system(Path::new("/proc/self/status")), None);
    }

    #[test]
    fn what_fuse_mounts_is_named() {
        let mounts = "\
            22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            40 22 0:50 / /mnt/far rw,nosuid shared:3 - fuse.sshfs ada@host.example.test:/ rw\n\
            41 22 0:51 / /mnt/disk rw - fuseblk /dev/sdb1 rw\n\
            42 22 0:52 / /mnt/guest rw - virtiofs shared rw\n\
            43 22 0:53 / /mnt/any rw - fuse any rw\n";
        for (device, name) in [
            ("0:50", Some("FUSE (sshfs)")),
            ("0:51", None),
            ("0:52", Some("virtiofs")),
            ("0:53", Some("FUSE")),
            ("0:99", Some("FUSE")),
        ] {
            assert_eq!(named_fuse(mounts, device).as_deref(), name, "{device}");
        }
    }
}
