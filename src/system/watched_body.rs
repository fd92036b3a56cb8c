//! When a request goes out: its body is asked for once there is a connection to write it to.
//!
//! Invariant: what goes out is the same as with a body that nobody watches.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

struct WatchedBody {
    body: Option<Bytes>,
    went_out: Option<oneshot::Sender<()>>,
}

/// The body of a request, and what is told when it goes out.
pub(super) fn watched(body: Vec<u8>) -> (reqwest::Body, oneshot::Receiver<()>) {
    let (sender, went_out) = oneshot::channel();
    let body = WatchedBody { body: Some(body.into()), went_out: Some(sender) };
    (reqwest::Body::wrap(body), went_out)
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(went_out) = self.went_out.take() {
            let _ = went_out.send(());
        }
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}
