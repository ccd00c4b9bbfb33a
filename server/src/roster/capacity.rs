//! How many may be connected, and from where.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Where a connection comes from, as far as it matters who takes how many places: an IPv4 address,
/// or the /64 of an IPv6 address, all of which one subscriber is usually given (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(IpAddr);

impl Source {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into()
            }
            address => address,
        })
    }

    /// Whether it is this machine itself.
    fn is_here(self) -> bool {
        self.0.is_loopback()
    }
}

/// How many may be connected at once.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// All together.
    pub places: usize,
    /// From one address, whichever it is; if `None`, half of all from another machine, and any
    /// number from this one.
    pub per_address: Option<usize>,
}

impl Capacity {
    /// The last places, which only this machine may take: whoever sits at it gets in, whatever
    /// the others do. A server for a handful keeps none.
    pub(super) fn kept(self) -> usize {
        (self.places / 10).min(2)
    }

    /// Whether one more may come in from `source`, where of all the `taken` places so many are those
    /// of others `from_there`.
    pub(super) fn check(self, source: Source, taken: usize, from_there: usize) -> Result<(), Full> {
        let left = self.places.saturating_sub(taken);
        let most = self.for_one(source);
        match left {
            0 => Err(Full::Places),
            _ if left <= self.kept() && !source.is_here() => Err(Full::Kept),
            _ if from_there >= most => Err(Full::Address(most)),
            _ => Ok(()),
        }
    }

    fn for_one(self, source: Source) -> usize {
        let unasked = if source.is_here() { self.places } else { (self.places / 2).max(1) };
        self.per_address.unwrap_or(unasked)
    }
}

/// Which limit stands in the way of one more session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Every place is taken.
    Places,
    /// What is left is kept for this machine.
    Kept,
    /// This address has as many as one may have.
    Address(usize),
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Places => f.write_str("all places are taken"),
            Self::Kept => {
                f.write_str("all places are taken but those kept for the server's own machine")
            }
            Self::Address(most) => {
                write!(f, "there are {most} connections from your address, and no more may be")
            }
        }
    }
}
