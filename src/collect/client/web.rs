//! Clients for what is no API server: monitoring systems and models at an address.

use reqwest::{Client, ClientBuilder};

/// Makes a client. Where the system has no certificates, as in an image that holds one program, it speaks plain HTTP, and
/// trusts nobody who speaks TLS.
///
/// # Errors
/// When that cannot be set up either.
pub fn web(make: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, reqwest::Error> {
    let without = || make(Client::builder()).tls_certs_only([]).build();
    make(Client::builder()).build().or_else(|_| without())
}
