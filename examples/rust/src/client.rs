//! A connection to Latchkey, as the environment describes it. Make one and clone it: clones share the connection,
//! which carries any number of calls at once and comes back by itself when the server does.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;
use std::{env, fs};

use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Response, Status};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// `LATCHKEY_ADDRESS`, `host:port`; with TLS if `LATCHKEY_TLS_CA` names a file, and with the certificate of
/// `LATCHKEY_TLS_CERTIFICATE` and `LATCHKEY_TLS_KEY` if they do. Connects with the first call.
pub fn connect() -> Result<Channel, Error> {
    let address = env::var("LATCHKEY_ADDRESS")?;
    let Ok(ca) = env::var("LATCHKEY_TLS_CA") else {
        return Ok(Endpoint::try_from(format!("http://{address}"))?.connect_lazy());
    };
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(fs::read(ca)?));
    if let Ok(certificate) = env::var("LATCHKEY_TLS_CERTIFICATE") {
        let key = env::var("LATCHKEY_TLS_KEY")?;
        tls = tls.identity(Identity::from_pem(fs::read(certificate)?, fs::read(key)?));
    }
    Ok(Endpoint::try_from(format!("https://{address}"))?.tls_config(tls)?.connect_lazy())
}

/// A request that ends in time, by whoever `secret` names (nobody, if it is empty).
pub fn request<T>(message: T, timeout: Duration, secret: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    if !secret.is_empty() {
        let mut bearer: AsciiMetadataValue = format!("Bearer {secret}").parse().expect("a secret is ASCII");
        bearer.set_sensitive(true); // Debug does not show it
        request.metadata_mut().insert("authorization", bearer);
    }
    request
}

/// Calls again while the answer is UNAVAILABLE, four times at most: for Validate, and for what changes something if it
/// carries a `request_id`.
pub async fn retry<T, F>(mut call: impl FnMut() -> F) -> Result<Response<T>, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    for pause_ms in [50, 100, 200] {
        match call().await {
            Err(status) if is_unavailable(&status) => tokio::time::sleep(Duration::from_millis(pause_ms)).await,
            answer => return answer,
        }
    }
    call().await
}

/// Also where the connection broke, of which tonic says UNKNOWN.
fn is_unavailable(status: &Status) -> bool {
    let is_broken = status.source().is_some_and(|source| source.is::<tonic::transport::Error>());
    status.code() == Code::Unavailable || is_broken
}
