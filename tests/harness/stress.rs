//! Many clients at once, and every byte looked at: a load for a server, and what came of it.
//!
//! Goal: to see what a server can do, and whether it lies while it does it. Method: clients in
//! threads of their own put, get and list as the dice say. The files say themselves what they
//! should be ([`version`]), so each one fetched is checked, whoever put it; and what was told OK is
//! remembered ([`shelf`]), so an old version shows, too. Part of the puts are for names that others
//! want at the same moment.
//!
//! - [`plan`], [`mix`], [`sizes`]: what a load is to be. [`run()`] does it, `caller` is one client.
//! - [`site`]: the server it is for, or one of its own, and the folder it works in.
//! - [`ledger`], [`histogram`], [`notes`]: what was done. [`report`]: the same, to be read.
//! - [`hold`] and [`visits`]: two other loads, for measuring: many who do nothing, and many who
//!   come and go. They speak the protocol themselves ([`mod@line`]).

mod caller;
pub mod figures;
pub mod histogram;
pub mod hold;
pub mod ledger;
pub mod line;
mod live;
pub mod mix;
pub mod notes;
pub mod plan;
pub mod report;
mod run;
pub mod shelf;
pub mod site;
pub mod sizes;
pub mod version;
pub mod visits;

pub use self::run::run;
