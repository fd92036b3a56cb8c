use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::http_connection::{HttpConnection, Response};
use super::request_record::{Endpoint, RequestRecord};
use super::state::{Shared, State};
use super::{
    authorization_request, device_request, metadata_request, revocation_request, token_request,
};

const REST_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(5);

/// Serves each connection on a thread of its own until the server stops, then joins them all.
pub(crate) fn accept_connections(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !shared.is_stopping() {
        let Ok((stream, _)) = listener.accept() else {
            shared.pause(REST_AFTER_FAILED_ACCEPT);
            continue;
        };
        let stream = Arc::new(stream);
        let Some(connection) = shared.register(&stream) else {
            break;
        };
        let shared = Arc::clone(shared);
        threads.retain(|thread| !thread.is_finished());
        let thread = thread::Builder::new()
            .name("authorization-server-connection".to_owned())
            .spawn(move || {
                // A peer that goes away early is its own business.
                let _ = serve(&shared, &stream);
                shared.unregister(connection);
            });
        threads.push(thread.expect("spawn a connection thread"));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

fn serve(shared: &Shared, stream: &TcpStream) -> io::Result<()> {
    let connection = HttpConnection::new(stream)?;
    let request = match connection.read_request() {
        Ok(request) => request,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let refusal = Response::text(400, &format!("{error}\n"));
            connection.send(&refusal, |_| true)?;
            connection.close_gently();
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let record = RequestRecord::of(&request);
    let plan = shared.update(|state| {
        state.requests.push(record.clone());
        state.faults.next_plan(record.endpoint)
    });
    if !shared.pause(plan.delay) {
        return Ok(());
    }
    let real = plan.processes().then(|| {
        shared.update(|state| {
            let answer = answer(state, &shared.url, &record);
            answer.with_header("Date", &metadata_request::date(&state.want))
        })
    });
    let response = plan.shape(real);
    if record.endpoint == Endpoint::Token && !shared.wait_while_held() {
        return Ok(());
    }
    match response {
        Some(response) => connection.send(&response, |time| shared.pause(time)),
        None => Ok(()),
    }
}

fn answer(state: &mut State, issuer: &str, request: &RequestRecord) -> Response {
    match request.endpoint {
        Endpoint::Authorize => authorization_request::answer(state, request),
        Endpoint::Token => token_request::answer(state, issuer, request),
        Endpoint::Revoke => revocation_request::answer(state, request),
        Endpoint::Device => device_request::answer(state, issuer, request),
        Endpoint::Pairing => device_request::answer_pairing(state, request),
        Endpoint::Metadata => metadata_request::answer(state, issuer, request),
        Endpoint::Userinfo => metadata_request::answer_userinfo(state, request),
        Endpoint::Other => Response::text(404, "There is nothing here.\n"),
    }
}
