//! An OAuth authorization server over real sockets, in this process: RFC 6749 with PKCE
//! (RFC 7636), device authorization (RFC 8628 and two kindred flows), revocation (RFC 7009),
//! metadata (OpenID Connect Discovery, RFC 8414), refresh token rotation and reuse detection.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

mod authorization_request;
mod device_request;
mod fault;
mod grant;
pub(crate) mod http_connection;
mod jwt;
mod metadata_request;
mod request_record;
mod revocation_request;
mod serving;
mod state;
mod token_error;
mod token_request;
mod token_response;
mod token_response_hold;
mod want;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use fault::{Fault, Wrapping};
pub(crate) use grant::Grant;
pub(crate) use request_record::{BodyFormat, Endpoint, RequestRecord};
pub(crate) use token_response_hold::TokenResponseHold;
pub(crate) use want::{Account, DeviceUser, ErrorStyle, Want};

use state::Shared;

/// A running authorization server; it stops, and joins its threads, when dropped.
pub(crate) struct AuthorizationServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl AuthorizationServer {
    /// Starts a server on a port of its own on 127.0.0.1.
    pub(crate) fn start(want: Want) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind 127.0.0.1:0");
        let address = listener.local_addr().expect("local address");
        let shared = Arc::new(Shared::new(format!("http://{address}"), want));
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("authorization-server".to_owned())
            .spawn(move || serving::accept_connections(&listener, &for_acceptor))
            .expect("spawn the accepting thread");
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's base URL, without a trailing slash; also the `iss` claim of its tokens.
    pub(crate) fn url(&self) -> &str {
        &self.shared.url
    }

    /// The URL of the authorization endpoint.
    pub(crate) fn authorization_endpoint(&self) -> String {
        format!("{}/authorize", self.url())
    }

    /// The URL of the token endpoint.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/token", self.url())
    }

    /// The URL of the revocation endpoint.
    pub(crate) fn revocation_endpoint(&self) -> String {
        format!("{}/revoke", self.url())
    }

    /// The provider file that points a built-in provider to this server, with these redirect ports.
    pub(crate) fn provider_file(&self, ports: &[u16]) -> Value {
        json!({
            "authorizationEndpoint": self.authorization_endpoint(),
            "tokenEndpoint": self.token_endpoint(),
            "revocationEndpoint": self.revocation_endpoint(),
            "device": null,
            "redirect": { "ports": ports },
            "usage": { "endpoint": format!("{}/usage", self.url()) },
        })
    }

    /// Changes what the server checks and answers from the next request on.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Want)) {
        self.shared.update(|state| change(&mut state.want));
    }

    /// Queues a fault for one token request: the next one that has no fault yet.
    pub(crate) fn inject(&self, fault: Fault) {
        self.inject_at(Endpoint::Token, fault);
    }

    /// Queues a fault for one request at that endpoint.
    pub(crate) fn inject_at(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.update(|state| state.faults.queue(endpoint, fault));
    }

    /// Sets a fault for every request at that endpoint that no queued fault is for, until
    /// [`Self::clear_faults`].
    pub(crate) fn inject_persistent(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.update(|state| state.faults.persist(endpoint, fault));
    }

    /// Forgets every fault, queued or persistent.
    pub(crate) fn clear_faults(&self) {
        self.shared.update(|state| state.faults.clear());
    }

    /// From now on keeps every token response back, once its request is processed, until the
    /// returned hold is released or dropped.
    pub(crate) fn hold_token_responses(&self) -> TokenResponseHold {
        TokenResponseHold::place(Arc::clone(&self.shared))
    }

    /// Every request received so far, in order.
    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().requests.clone()
    }

    /// The requests received so far at that endpoint, in order.
    pub(crate) fn requests_at(&self, endpoint: Endpoint) -> Vec<RequestRecord> {
        let mut requests = self.requests();
        requests.retain(|request| request.endpoint == endpoint);
        requests
    }

    /// How many token requests had that `grant_type`.
    pub(crate) fn token_requests(&self, grant_type: &str) -> usize {
        self.shared.lock().token_requests(grant_type)
    }

    /// Waits until that many token requests of that `grant_type` have come in; false when the time
    /// is over first.
    pub(crate) fn wait_for_token_requests(
        &self,
        grant_type: &str,
        count: usize,
        timeout: Duration,
    ) -> bool {
        self.shared.wait_until(timeout, |state| state.token_requests(grant_type) >= count)
    }

    /// Waits until that many requests have come in at that endpoint; false when the time is over
    /// first.
    pub(crate) fn wait_for_requests(
        &self,
        endpoint: Endpoint,
        count: usize,
        timeout: Duration,
    ) -> bool {
        let is_there = |request: &&RequestRecord| request.endpoint == endpoint;
        self.shared
            .wait_until(timeout, |state| state.requests.iter().filter(is_there).count() >= count)
    }

    /// How often a refresh token was posted that had been rotated out.
    pub(crate) fn reuse_attempts(&self) -> usize {
        self.shared.lock().grants.reuse_attempts()
    }

    /// Issues tokens for a new grant of that account without a login; the token response.
    pub(crate) fn issue_tokens(&self, account: &Account) -> Value {
        self.shared.update(|state| {
            let client_id = state.want.client_id.clone();
            let grant = state.grants.begin(account.clone(), client_id, "openid");
            let refresh_token = state.grants.issue_refresh_token(grant);
            token_response::of(state, &self.shared.url, grant, Some(&refresh_token))
        })
    }

    /// Every refresh token that the server would still accept.
    pub(crate) fn live_refresh_tokens(&self) -> Vec<String> {
        self.shared.lock().grants.live_refresh_tokens()
    }

    /// Whether the server would still accept that refresh token.
    pub(crate) fn is_alive(&self, refresh_token: &str) -> bool {
        self.grant_of(refresh_token).is_some_and(|grant| grant.accepts(refresh_token))
    }

    /// The grant, as it is now, that the access or refresh token belongs to.
    pub(crate) fn grant_of(&self, token: &str) -> Option<Grant> {
        let state = self.shared.lock();
        state.grants.of_token(token).cloned()
    }

    /// Revokes every grant, as a user does who logs out everywhere.
    pub(crate) fn revoke_all(&self) {
        self.shared.update(|state| state.grants.revoke_all());
    }

    /// Lets every refresh token that is alive expire.
    pub(crate) fn expire_refresh_tokens(&self) {
        self.shared.update(|state| state.grants.expire_refresh_tokens());
    }
}

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        self.shared.stop();
        // The accepting thread waits for a connection before it looks whether to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
