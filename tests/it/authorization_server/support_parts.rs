use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};

use super::{authorization_url, server};
use crate::support::authorization_server::Endpoint;
use crate::support::free_port::free_ports;
use crate::support::user_agent;

#[test]
fn the_user_agent_follows_a_redirect_to_the_loopback_address() {
    let server = server();
    let redirect_uri = format!("{}/callback", server.url());
    let url = authorization_url(&server, &[("redirect_uri", &redirect_uri)]);
    let visit = user_agent::follow(&url);
    assert_eq!(visit.status, 404);
    assert_eq!(visit.locations.len(), 1);
    assert!(visit.locations[0].starts_with(&redirect_uri));
    let [callback] = &server.requests_at(Endpoint::Other)[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(callback.path, "/callback");
    assert_eq!(callback.parameter("state"), Some("fake state"));
}

#[test]
fn the_provider_file_points_to_the_server() {
    let server = server();
    let file = server.provider_file(&[1455, 1457]);
    assert_eq!(file["authorizationEndpoint"], server.authorization_endpoint());
    assert_eq!(file["tokenEndpoint"], server.token_endpoint());
    assert_eq!(file["revocationEndpoint"], server.revocation_endpoint());
    assert_eq!(file["redirect"]["ports"], serde_json::json!([1455, 1457]));
}

#[test]
fn free_ports_are_free_and_never_handed_out_twice() {
    let ports = [free_ports(20), free_ports(20)].concat();
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 40);
    let listeners = ports.iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)));
    assert!(listeners.into_iter().all(|listener| listener.is_ok()));
}
