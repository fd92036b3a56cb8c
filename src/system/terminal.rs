//! The terminal on standard error: how large it is, and whether it is ours now.

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
    match rustix::termios::tcgetpgrp(std::io::stderr()) {
        Ok(foreground) => foreground == rustix::process::getpgrp(),
        Err(_) => true,
    }
}
