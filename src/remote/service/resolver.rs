//! Finds the addresses of a host, once for many connections.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tokio::sync::Mutex;
use tower_service::Service as TowerService;

/// The time for which addresses are used again.
const FRESH: Duration = Duration::from_secs(30);

/// Finds the addresses of a host as the system does, one host after the other.
///
/// The system blocks a thread for each lookup. If many connections are opened at the same time, one lookup is enough for
/// all of them.
#[derive(Clone, Default)]
pub(super) struct SharedResolver(Arc<Mutex<HashMap<Name, KnownHost>>>);

struct KnownHost {
    addresses: Vec<SocketAddr>,
    since: Instant,
}

impl TowerService<Name> for SharedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let hosts = Arc::clone(&self.0);
        Box::pin(async move {
            let mut hosts = hosts.lock().await;
            if let Some(host) = hosts.get(&name)
                && host.since.elapsed() < FRESH
            {
                return Ok(host.addresses.clone().into_iter());
            }
            let addresses: Vec<_> = GaiResolver::new().call(name.clone()).await?.collect();
            let host = KnownHost {
                addresses: addresses.clone(),
                since: Instant::now(),
            };
            hosts.insert(name, host);
            Ok(addresses.into_iter())
        })
    }
}
