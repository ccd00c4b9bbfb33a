//! Passwords that were right a short while ago, so that they need not be hashed again.
//!
//! A hash costs some twenty milliseconds of a core on purpose. Who comes back within minutes, as
//! every `ferry` command in a script does, pays that once. What is kept is not the password but a
//! *proof*: a digest of the password and of the hash that it fits, under a key that was drawn at
//! the start and never leaves the process. That digest is fast, so whoever reads this process's
//! memory can try passwords fast on those who were here in the last few minutes. Nothing is
//! overwritten when it is dropped.
//!
//! LESSON: a cache lies when what it remembers is no longer so. What is remembered here stays true
//! for ever: *this password fits this hash*. Which hash is in force is read from the account's file
//! at each login, so a changed password or a closed account needs nobody to think of this table.
//!
//! # What it gives to a guesser: one guess
//! All others are tried behind the wait for a work area, where the throttle is asked once more; so
//! of a thousand guesses sent at once only a few are tried. A proof answers without that wait, and
//! the right one of the thousand could slip by. Therefore one wrong password ends the proof: what
//! comes after it is hashed again. And a proof holds for one address: where the password was never
//! right, nothing can be told from a server that remembers nothing.
//!
//! One Mutex guards the table. Sessions take it around a login, for a look or an entry; nobody
//! waits for anything in it. The digests are made before.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use blake2::Blake2sMac256;
use blake2::digest::{CtOutput, KeyInit as _, Mac as _};
use common::protocol::Password;
use common::user::UserName;
use common::watch::Lock;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::named::Named;

/// Proofs kept, at most.
const PROOFS_MAX: usize = 10_000;

/// Whose proof it is, and from where.
type Key = (IpAddr, UserName);

/// That a password fitted a hash, and when that was found by hashing.
struct Proof {
    /// A type that is compared in constant time, and prints nothing.
    digest: CtOutput<Blake2sMac256>,
    proved: Instant,
}

/// Who gave the right password a short while ago.
pub(super) struct Recent {
    /// A digest that has taken in the key, and nothing else yet.
    keyed: Blake2sMac256,
    lifetime: Duration,
    proofs: Named<HashMap<Key, Proof>>,
}

impl Recent {
    /// Nobody yet. A proof is good for `lifetime`, counted from the hashing and not from its use.
    pub(super) fn new(lifetime: Duration) -> io::Result<Self> {
        let mut key = [0_u8; 32];
        // So few bytes come whole or not at all.
        getrandom(&mut key, GetRandomFlags::empty())?;
        let proofs = Named::new("logins", HashMap::new());
        Ok(Self { keyed: Blake2sMac256::new(&key.into()), lifetime, proofs })
    }

    /// Whether `password` is known to fit `hash`, the one that is in force `now`. If not, what was
    /// known of this user and address is forgotten.
    pub(super) fn knows(
        &self,
        (from, user): (IpAddr, &UserName),
        hash: &str,
        password: &Password,
        now: Instant,
    ) -> bool {
        let digest = self.digest(hash, password);
        let key = (from, user.clone());
        let mut proofs = self.proofs.lock();
        let known = proofs
            .get(&key)
            .is_some_and(|proof| self.is_alive(proof, now) && proof.digest == digest);
        if !known {
            // In the same breath, or two guesses could both be compared.
            proofs.remove(&key);
        }
        known
    }

    /// Remembers that `password` was found to fit `hash`, `now`.
    pub(super) fn remember(
        &self,
        (from, user): (IpAddr, &UserName),
        hash: &str,
        password: &Password,
        now: Instant,
    ) {
        let proof = Proof { digest: self.digest(hash, password), proved: now };
        let key = (from, user.clone());
        let mut proofs = self.proofs.lock();
        proofs.retain(|_, proof| self.is_alive(proof, now));
        if proofs.len() >= PROOFS_MAX && !proofs.contains_key(&key) {
            let oldest = proofs.iter().min_by_key(|(_, proof)| proof.proved);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                proofs.remove(&oldest);
            }
        }
        proofs.insert(key, proof);
    }

    fn is_alive(&self, proof: &Proof, now: Instant) -> bool {
        now.saturating_duration_since(proof.proved) < self.lifetime
    }

    fn digest(&self, hash: &str, password: &Password) -> CtOutput<Blake2sMac256> {
        // A PHC string contains no zero, so it is clear where the password begins.
        self.keyed.clone().chain_update(hash).chain_update([0]).chain_update(&password.0).finalize()
    }

    /// How often its lock was taken.
    pub(super) fn lock_counts(&self) -> Lock {
        self.proofs.lock_counts()
    }
}

/// Prints neither key nor proofs.
impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);
    const HASH: &str = "$argon2id$v=19$one";

    /// Somebody at the `n`th address.
    struct Visitor {
        from: IpAddr,
        user: UserName,
    }

    impl Visitor {
        fn at(n: u32) -> Self {
            Self { from: Ipv4Addr::from(n).into(), user: UserName::parse("xiaoyu").unwrap() }
        }

        fn proves(&self, recent: &Recent, now: Instant) {
            recent.remember((self.from, &self.user), HASH, &password("123456"), now);
        }

        fn is_known(&self, recent: &Recent, hash: &str, text: &str, now: Instant) -> bool {
            recent.knows((self.from, &self.user), hash, &password(text), now)
        }
    }

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    fn recent() -> Recent {
        Recent::new(LIFETIME).unwrap()
    }

    #[test]
    fn a_proof_is_good_again_and_again_for_its_user_address_hash_and_password() {
        let (recent, now, visitor) = (recent(), Instant::now(), Visitor::at(1));
        assert!(!visitor.is_known(&recent, HASH, "123456", now));
        visitor.proves(&recent, now);
        for _ in 0..3 {
            assert!(visitor.is_known(&recent, HASH, "123456", now));
        }
        assert!(!Visitor::at(2).is_known(&recent, HASH, "123456", now));
        let other = Visitor { user: UserName::parse("yuki").unwrap(), ..Visitor::at(1) };
        assert!(!other.is_known(&recent, HASH, "123456", now));
        assert!(visitor.is_known(&recent, HASH, "123456", now), "others have ended it");
    }

    #[test]
    fn one_wrong_password_or_another_hash_ends_a_proof() {
        let (recent, now, visitor) = (recent(), Instant::now(), Visitor::at(1));
        for (hash, text) in [(HASH, "123457"), (HASH, ""), ("$argon2id$v=19$two", "123456")] {
            visitor.proves(&recent, now);
            assert!(!visitor.is_known(&recent, hash, text, now), "{hash} {text}");
            assert!(!visitor.is_known(&recent, HASH, "123456", now), "after {hash} {text}");
        }
    }

    #[test]
    fn a_proof_ends_with_its_lifetime_however_often_it_was_used() {
        let (recent, then, visitor) = (recent(), Instant::now(), Visitor::at(1));
        visitor.proves(&recent, then);
        let last = then + LIFETIME.saturating_sub(Duration::from_nanos(1));
        assert!(visitor.is_known(&recent, HASH, "123456", last));
        assert!(!visitor.is_known(&recent, HASH, "123456", then + LIFETIME));
        // What has ended is not kept until somebody asks for it.
        visitor.proves(&recent, then);
        Visitor::at(2).proves(&recent, then + LIFETIME);
        assert_eq!(recent.proofs.lock().len(), 1);
    }

    #[test]
    fn of_too_many_proofs_the_oldest_goes() {
        let (recent, start) = (recent(), Instant::now());
        let many = u32::try_from(PROOFS_MAX).unwrap() + 5;
        let at = |n: u32| start + Duration::from_millis(n.into());
        (0..many).for_each(|n| Visitor::at(n).proves(&recent, at(n)));
        assert_eq!(recent.proofs.lock().len(), PROOFS_MAX);
        assert!(!Visitor::at(4).is_known(&recent, HASH, "123456", at(many)));
        assert!(Visitor::at(5).is_known(&recent, HASH, "123456", at(many)));
        // Who is in the table already pushes nobody out.
        Visitor::at(7).proves(&recent, at(many));
        assert!(Visitor::at(6).is_known(&recent, HASH, "123456", at(many)));
    }

    #[test]
    fn each_start_has_a_key_of_its_own_and_nothing_of_it_is_printed() {
        let (one, other) = (recent(), recent());
        let digest = |recent: &Recent| recent.digest(HASH, &password("123456"));
        assert!(digest(&one) == digest(&one) && digest(&one) != digest(&other));
        Visitor::at(1).proves(&one, Instant::now());
        assert_eq!(format!("{one:?}"), "Recent { lifetime: 600s, .. }");
    }
}
