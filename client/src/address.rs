//! Where a server is: `HOST:PORT`, or `HOST` alone for the usual port.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use common::limits::DEFAULT_PORT;
use serde::Deserialize;

/// A host, by name or number, and a port. Looked up only when it is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    host: String,
    port: u16,
}

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no server address; write HOST or HOST:PORT, as in 192.168.1.5:{DEFAULT_PORT}")]
pub struct BadAddress(String);

impl BadAddress {
    /// What was given instead of an address.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl Address {
    /// Asks the resolver what to call. It has time limits of its own.
    pub(crate) fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (host, port) = split(text).ok_or_else(bad)?;
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse).map_err(|_| bad())?;
        if host.is_empty() || host.contains(char::is_whitespace) || port == 0 {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

/// `[::1]:9021` keeps its colons in brackets; a bare `::1` has too many to hold a port.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return if rest.is_empty() {
            Some((host, None))
        } else {
            Some((host, Some(rest.strip_prefix(':')?)))
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port))),
        _ => Some((text, None)),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_means_the_usual_port() {
        for (text, shown) in [
            ("localhost", "localhost:9021"),
            ("10.0.0.7:80", "10.0.0.7:80"),
            ("::1", "[::1]:9021"),
            ("[::1]", "[::1]:9021"),
            ("[fe80::1]:80", "[fe80::1]:80"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse(), Ok(address));
        }
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for bad in ["", ":80", "a:", "a:b", "a:0", "a:65536", "[::1", "[::1]80", "a b:80"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }
}
