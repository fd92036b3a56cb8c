//! Addresses of host names by `/etc/hosts` and `/etc/resolv.conf`, without the modules of
//! the C library (nsswitch.conf): a statically linked program cannot load them.

use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

/// What finds addresses for the HTTP client.
#[derive(Debug)]
pub(super) struct HostNames;

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
enum NameError {
    #[error("no address is known for this name")]
    Unknown,
    #[error("/etc/resolv.conf: {0}")]
    Configuration(String),
    #[error("name servers of /etc/resolv.conf: {0}")]
    Servers(NetError),
}

impl Resolve for HostNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { Ok(addresses(name.as_str()).await?) })
    }
}

async fn addresses(name: &str) -> Result<Addrs, NameError> {
    let (mut builder, unusable) = match TokioResolver::builder_tokio() {
        Ok(builder) => (builder, None),
        // The names of /etc/hosts need no server.
        Err(error) => {
            let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
            let builder = Resolver::builder_with_config(nobody, TokioRuntimeProvider::default());
            (builder, Some(error.to_string()))
        }
    };
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    let found = match builder.build() {
        Ok(resolver) => resolver.lookup_ip(name).await,
        Err(error) => Err(error),
    };
    match (found, unusable) {
        (Ok(found), _) => {
            let found: Vec<_> = found.iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(found.into_iter()))
        }
        (Err(_), Some(reason)) => Err(NameError::Configuration(reason)),
        (Err(error), None) if error.is_no_records_found() => Err(NameError::Unknown),
        (Err(error), None) => Err(NameError::Servers(error)),
    }
}
