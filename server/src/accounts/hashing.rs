//! Password hashes that cost memory and time on purpose, and a bound on how much of both.
//!
//! Argon2id with 19 MiB, two passes and one lane: the least that OWASP's Password Storage Cheat
//! Sheet recommends. One hash takes some twenty milliseconds of a core. If five hundred sessions
//! hashed at once they would take ten gigabytes, so they share a few *work areas*, one for each
//! core.
//!
//! LESSON: the pool is the semaphore. A session takes an area out of a channel and puts it back
//! when it is done; if the channel is empty it waits. What is counted and what is handed out are
//! one thing, so they cannot disagree.

use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use common::limits::PASSWORD_BYTES_MAX;
use common::protocol::{Password, Reason, Refusal};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::point;
use crate::state::{self, State};

/// How long a session waits for a work area. Far more than a full class logging in at once takes.
const AREA_PATIENCE: Duration = Duration::from_secs(60);

/// The largest work area a stored hash may ask for, in blocks of 1 KiB.
const BLOCKS_MAX: usize = 64 * 1024;

/// The hash that unknown users are verified against: nobody's, with today's parameters.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbA\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What verifying a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    /// It is the password.
    Right {
        /// Its hash was made with other parameters than today's.
        outdated: bool,
    },
    /// It is not, or there is no such user.
    Wrong,
}

/// The work areas, and today's parameters.
#[derive(Debug)]
pub(super) struct Hashing {
    areas: (Sender<Vec<Block>>, Receiver<Vec<Block>>),
    params: Params,
}

impl Hashing {
    /// Room for `places` hashes at once. An area takes its memory when it is first used.
    pub(super) fn new(places: usize) -> Self {
        let areas = bounded(places);
        for _ in 0..places {
            // There is room for just so many.
            let _ = areas.0.try_send(Vec::new());
        }
        Self { areas, params: Params::DEFAULT }
    }

    /// One place, and other parameters than today's.
    #[cfg(test)]
    pub(super) fn with(params: Params) -> Self {
        Self { params, ..Self::new(1) }
    }

    /// The PHC string of a new password.
    pub(super) fn hash(&self, password: &Password) -> Result<String, Refusal> {
        let mut area = self.area()?;
        let salt = try_generate_salt().map_err(|e| broken(&e))?;
        let hash = compute(&mut area.blocks, &self.params, password, &salt)?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(|e| broken(&e))?,
            salt: Some(Salt::new(&salt).map_err(|e| broken(&e))?),
            hash: Some(hash),
        };
        Ok(phc.to_string())
    }

    /// Whether `password` is the one with this hash; `None` is nobody's. `still_welcome` is asked
    /// once a work area was had.
    pub(super) fn verify(
        &self,
        password: &Password,
        hash: Option<&str>,
        still_welcome: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<Verified, Refusal> {
        if password.0.len() > PASSWORD_BYTES_MAX {
            return Ok(Verified::Wrong);
        }
        let phc = PasswordHash::new(hash.unwrap_or(NOBODY)).map_err(|e| broken(&e))?;
        let params = Params::try_from(&phc).map_err(|e| broken(&e))?;
        let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
            return Err(broken(&"a hash without a salt"));
        };
        let mut area = self.area()?;
        still_welcome()?;
        point::pass("login.hashing");
        let found = compute(&mut area.blocks, &params, password, salt)?;
        // Compared in constant time by the crate, and only then is it asked whether there is such
        // a user: both ways take the same time.
        let right = found == *expected;
        if !right || hash.is_none() {
            return Ok(Verified::Wrong);
        }
        let outdated = params.m_cost() != self.params.m_cost()
            || params.t_cost() != self.params.t_cost()
            || params.p_cost() != self.params.p_cost();
        Ok(Verified::Right { outdated })
    }

    fn area(&self) -> Result<Area<'_>, Refusal> {
        let _doing = state::enter_on(State::WaitLock, "hashing");
        let blocks = self.areas.1.recv_timeout(AREA_PATIENCE).map_err(|_| {
            Refusal::new(Reason::Busy, "too many people log in at this moment; try again")
        })?;
        Ok(Area { home: &self.areas.0, blocks })
    }
}

/// A work area in use; goes back to the pool on drop.
struct Area<'p> {
    home: &'p Sender<Vec<Block>>,
    blocks: Vec<Block>,
}

impl Drop for Area<'_> {
    fn drop(&mut self) {
        // There is always room: it came out of there.
        let _ = self.home.try_send(std::mem::take(&mut self.blocks));
    }
}

fn compute(
    area: &mut Vec<Block>,
    params: &Params,
    password: &Password,
    salt: &[u8],
) -> Result<Output, Refusal> {
    let needed = params.block_count();
    if needed > BLOCKS_MAX {
        return Err(broken(&"a hash that asks for too much memory"));
    }
    if area.len() < needed {
        area.resize(needed, Block::new());
    }
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let blocks = area.get_mut(..needed).unwrap_or_default();
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2
        .hash_password_into_with_memory(password.0.as_bytes(), salt, &mut out, blocks)
        .map_err(|e| broken(&e))?;
    Output::new(&out).map_err(|e| broken(&e))
}

fn broken(error: &dyn std::fmt::Display) -> Refusal {
    log::error!("cannot hash a password: {error}");
    Refusal::new(Reason::Internal, "the server cannot verify passwords; its log says why")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[test]
    fn a_hash_fits_its_password_and_no_other_and_nobody_fits_none() {
        let hashing = Hashing::new(1);
        let hash = hashing.hash(&password("123456")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = |text, hash| hashing.verify(&password(text), hash, || Ok(())).unwrap();
        assert_eq!(verify("123456", Some(&hash)), Verified::Right { outdated: false });
        assert_eq!(verify("123457", Some(&hash)), Verified::Wrong);
        assert_eq!(verify("123456", None), Verified::Wrong);
        assert_ne!(hash, hashing.hash(&password("123456")).unwrap(), "each has a salt of its own");
    }

    #[test]
    fn a_hash_of_weaker_parameters_is_right_and_outdated() {
        let weak = Hashing::with(Params::new(8 * 1024, 1, 1, None).unwrap());
        let hash = weak.hash(&password("123456")).unwrap();
        let found = Hashing::new(1).verify(&password("123456"), Some(&hash), || Ok(())).unwrap();
        assert_eq!(found, Verified::Right { outdated: true });
    }
}
