//! The client that makes the calls: connections, encryption, and proxies.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service as TowerService;

use super::header::Environment;
use super::resolver::SharedResolver;
use super::url::is_loopback;
use crate::error::{Cause, Error};

/// The time for a connection to one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The time after which an idle connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The time after which a silent connection of HTTP/2 is tested.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A client for calls whose body is in memory.
pub(super) type HttpClient = Client<HttpsConnector<Dialer>, Full<Bytes>>;

/// Opens the connections over TCP, directly or through a proxy.
#[derive(Clone)]
pub(super) enum Dialer {
    Direct(HttpConnector<SharedResolver>),
    /// A tunnel through the proxy, which sees neither headers nor bodies of an encrypted call.
    Proxy(Box<Tunnel<HttpsConnector<HttpConnector<SharedResolver>>>>),
}

/// A client for calls to this URL.
pub(super) fn client(uri: &Uri, environment: &Environment<'_>) -> Result<HttpClient, Error> {
    let mut tcp = HttpConnector::new_with_resolver(SharedResolver::default());
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(IDLE_TIMEOUT));
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let proxy = proxy(uri, environment)?;
    let is_encrypted = |uri: &Uri| uri.scheme() == Some(&Scheme::HTTPS);
    let through = proxy.as_ref().map(Intercept::uri);
    let roots = match is_encrypted(uri) || through.is_some_and(is_encrypted) {
        true => certificates()?,
        false => RootCertStore::empty(),
    };
    let dialer = match &proxy {
        None => Dialer::Direct(tcp),
        Some(proxy) => {
            let secure = HttpsConnectorBuilder::new().with_tls_config(encryption(roots.clone())?);
            let secure = secure.https_or_http().enable_http1().wrap_connector(tcp);
            let tunnel = Tunnel::new(proxy.uri().clone(), secure);
            Dialer::Proxy(Box::new(match proxy.basic_auth() {
                Some(authorization) => tunnel.with_auth(authorization.clone()),
                None => tunnel,
            }))
        }
    };
    let secure = HttpsConnectorBuilder::new().with_tls_config(encryption(roots)?);
    let secure = secure.https_or_http().enable_http1().enable_http2();
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .build(secure.wrap_connector(dialer));
    Ok(client)
}

/// The settings of TLS. Certificates are always checked.
fn encryption(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions
        .map_err(|error| Error::Plan(format!("encrypted calls are not possible: {error}")))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates that the system trusts.
fn certificates() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let error = found.errors.first();
    let error = error.map_or(String::new(), |error| format!(" ({error})"));
    Err(Error::Plan(format!(
        "expected certificates that this system trusts, which https needs, found none{error}; install the package \
         ca-certificates, or name a file of certificates in the environment variable SSL_CERT_FILE"
    )))
}

/// The proxy that the environment names for this URL. Calls to this machine use none.
fn proxy(uri: &Uri, environment: &Environment<'_>) -> Result<Option<Intercept>, Error> {
    if uri.host().is_none_or(is_loopback) {
        return Ok(None);
    }
    // A web server puts the header `Proxy` of a request into `HTTP_PROXY` when it starts a program for it.
    if environment("REQUEST_METHOD").is_some() {
        return Ok(None);
    }
    let variable = |names: [&'static str; 2]| {
        let values = names.map(|name| Some((name, environment(name)?)));
        let mut values = values.into_iter().flatten();
        values.next().unwrap_or_default()
    };
    let all = variable(["ALL_PROXY", "all_proxy"]);
    let of_scheme = match uri.scheme_str() {
        Some("https") => variable(["HTTPS_PROXY", "https_proxy"]),
        _ => variable(["HTTP_PROXY", "http_proxy"]),
    };
    let (_, exceptions) = variable(["NO_PROXY", "no_proxy"]);
    let any = Matcher::builder()
        .all("http://proxy")
        .no(exceptions)
        .build();
    if any.intercept(uri).is_none() {
        return Ok(None);
    }
    let (name, value) = if of_scheme.1.is_empty() {
        all
    } else {
        of_scheme
    };
    if value.is_empty() {
        return Ok(None);
    }
    let proxy = Matcher::builder().all(value).build().intercept(uri);
    let is_usable = |proxy: &Intercept| matches!(proxy.uri().scheme_str(), Some("http" | "https"));
    match proxy.filter(is_usable) {
        Some(proxy) => Ok(Some(proxy)),
        None => Err(Error::Plan(format!(
            "expected a proxy in the environment variable {name}, such as http://proxy.example.com:3128, found something \
             else; correct it, or name the host of the service in NO_PROXY"
        ))),
    }
}

impl TowerService<Uri> for Dialer {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cause>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        match self {
            Dialer::Direct(tcp) => tcp.poll_ready(context).map_err(Into::into),
            Dialer::Proxy(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Dialer::Direct(tcp) => {
                let connecting = tcp.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Dialer::Proxy(tunnel) => {
                let connecting = tunnel.call(with_port(uri));
                Box::pin(async move { Ok(connecting.await?) })
            }
        }
    }
}

/// The URL with a port. A tunnel would use the port of `https` for every URL without one.
fn with_port(uri: Uri) -> Uri {
    let is_plain = uri.scheme() == Some(&Scheme::HTTP) && uri.port().is_none();
    let authority = uri
        .host()
        .filter(|_| is_plain)
        .map(|host| format!("{host}:80"));
    let authority: Option<Authority> = authority.and_then(|authority| authority.parse().ok());
    let Some(authority) = authority else {
        return uri;
    };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(authority);
    Uri::from_parts(parts).unwrap_or(uri)
}
