//! How a program has broken the protocol.

/// What a program did that the protocol does not allow: the text follows its name. It quotes
/// nothing that the program printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Breach {
    /// A line is no JSON.
    #[error("printed a line that is not JSON")]
    NotJson,
    /// A line is an event without a member that it must have.
    #[error("printed an event that lacks what it needs")]
    IncompleteEvent,
    /// It speaks another version of the protocol.
    #[error("speaks version {0} of the protocol, not 1")]
    OtherVersion(u32),
    /// A page that it shows is not safe to open.
    #[error("named a page that is neither https nor on this machine")]
    InsecurePage,
    /// A credential has an empty access token.
    #[error("gave an empty access token")]
    EmptyToken,
    /// The expiry of a credential is long past.
    #[error("gave an `expiresAt` that is not in milliseconds since the epoch")]
    ExpiryInSeconds,
    /// A line is not UTF-8.
    #[error("printed something that is not text")]
    NoText,
    /// It prints without an end.
    #[error("printed more than {kib} KiB")]
    TooMuch {
        /// How much it may print, in KiB.
        kib: u64,
    },
    /// It has ended before it was done.
    #[error("ended without an answer ({0})")]
    Ended(String),
    /// It was asked what it is, and said something else.
    #[error("did not describe itself")]
    NoDescription,
}
