//! Measuring in rounds, and for how long.
//!
//! Others who use the machine can only make something slower. So the shortest time of several rounds
//! counts; who measures longer comes nearer to the truth; and who has seen it may stop.

use std::io;

use super::findings::Claim;

/// How many times as many rounds there are at most, if what must be so was not yet seen.
const MORE: u32 = 3;

/// Measures `runs` rounds, and more if need be. Each gives what is claimed of all so far; what is
/// claimed after the last one counts.
pub(super) fn measure(
    runs: u32,
    mut round: impl FnMut() -> io::Result<Vec<Claim>>,
) -> io::Result<Vec<Claim>> {
    let mut claims = round()?;
    for done in 1..runs * MORE {
        if done >= runs && claims.iter().all(|claim| claim.holds) {
            break;
        }
        claims = round()?;
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// How many rounds there are if the claim holds from one of them on.
    fn rounds(runs: u32, holds_from: u32) -> (u32, bool) {
        let mut count = 0;
        let claims = measure(runs, || {
            count += 1;
            Ok(vec![Claim { text: String::new(), holds: count >= holds_from }])
        });
        (count, claims.unwrap().iter().all(|claim| claim.holds))
    }

    #[test]
    fn there_are_as_many_rounds_as_asked_for_and_more_only_until_it_is_seen() {
        assert_eq!(rounds(3, 1), (3, true));
        assert_eq!(rounds(3, 5), (5, true));
        assert_eq!(rounds(3, 100), (9, false));
        assert_eq!(rounds(1, 1), (1, true));
    }
}
