//! Ports for redirect listeners under test.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Below the ports that systems give to outgoing connections, so that none of those takes one.
const CANDIDATES: Range<u16> = 20_000..32_000;

static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// Ports that are free on 127.0.0.1 and, where there is IPv6, on `[::1]`; never the same port
/// twice in one process.
pub(crate) fn free_ports(count: usize) -> Vec<u16> {
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let is_free = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            && (!has_ipv6 || TcpListener::bind((Ipv6Addr::LOCALHOST, port)).is_ok())
    };
    let mut ports = Vec::with_capacity(count);
    let offset = rand::random::<u16>() % candidate_count();
    for step in 0..candidate_count() {
        if ports.len() == count {
            break;
        }
        let port = CANDIDATES.start + (offset + step) % candidate_count();
        if !handed_out.contains(&port) && is_free(port) {
            handed_out.insert(port);
            ports.push(port);
        }
    }
    assert_eq!(ports.len(), count, "not enough free ports");
    ports
}

fn candidate_count() -> u16 {
    CANDIDATES.end - CANDIDATES.start
}
