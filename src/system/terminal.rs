//! The terminal: how large it is, and whether it is ours now.

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

/// The size as it is now; `None` when there is no terminal, or it does not say.
pub fn size() -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    let size = Size { columns: size.ws_col.into(), rows: size.ws_row.into() };
    (size.columns > 0 && size.rows > 0).then_some(size)
}

/// Whether this process may draw: a job in the background would draw into what the user
/// types to the shell.
pub fn is_ours() -> bool {
    is_in_foreground(std::io::stderr())
}

/// Whether this process may read from the terminal on standard input without being stopped.
pub fn may_read() -> bool {
    is_in_foreground(std::io::stdin())
}

/// Whether this process is in the foreground of the terminal, or there is no job control.
fn is_in_foreground(terminal: impl std::os::fd::AsFd) -> bool {
    match rustix::termios::tcgetpgrp(terminal) {
        Ok(foreground) => foreground == rustix::process::getpgrp(),
        Err(_) => true,
    }
}
