//! Waiting for a use case: the one place where this process gets a runtime.
//!
//! Invariant: what is answered from the disk alone does not come here, so that it pays for
//! no runtime.

use crate::app::AppError;
use crate::system::block_on;

/// Runs a use case that waits to its end.
pub(in crate::cli) fn wait<T, E: From<AppError>>(
    case: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    block_on(case).map_err(AppError::Runtime)?
}
