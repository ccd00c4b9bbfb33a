//! How large the files of a load are.

use std::fmt;
use std::str::FromStr;

use super::version::HEADER;
use crate::dice::Dice;

/// How large files are, in bytes, both bounds included. As many are between 4K and 8K as between
/// 4M and 8M: files are like that, and each kind of upload gets its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The smallest.
    pub min: u32,
    /// The largest.
    pub max: u32,
}

impl Sizes {
    /// One between the bounds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to u32")]
    pub fn pick(&self, dice: &mut Dice) -> u32 {
        let [min, max] = [self.min, self.max].map(f64::from);
        let part = f64::from((dice.throw() >> 32) as u32) / f64::from(u32::MAX);
        let size = min * (max / min).powf(part);
        (size.round() as u32).clamp(self.min, self.max)
    }
}

impl FromStr for Sizes {
    type Err = String;

    /// `4K..8M`, or one size.
    fn from_str(text: &str) -> Result<Self, String> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let (min, max) = (bytes(min)?, bytes(max)?);
        if (min as usize) < HEADER {
            return Err(format!(
                "a file has at least {HEADER} bytes: it begins by saying what it is"
            ));
        }
        if min > max {
            return Err("the smaller size comes first, as in 4K..8M".into());
        }
        Ok(Self { min, max })
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{} bytes", self.min, self.max)
    }
}

/// Bytes, or with K, M or G that many times 1024, 1024² or 1024³.
fn bytes(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u32 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        unit => return Err(format!("`{unit}` is no unit; write a size as 4K or 8M")),
    };
    let size = digits.parse().ok().and_then(|number: u32| number.checked_mul(unit));
    size.ok_or_else(|| format!("`{text}` is no size below 4G; write it as 4K or 8M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        assert_eq!("4K..8m".parse(), Ok(Sizes { min: 4096, max: 8 << 20 }));
        assert_eq!("100".parse(), Ok(Sizes { min: 100, max: 100 }));
        for bad in ["", "4K..", "8M..4K", "10", "4G", "4Q", "-1", "4K..8M..9M"] {
            assert!(bad.parse::<Sizes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn they_keep_their_bounds_and_small_ones_are_as_frequent_as_large_ones() {
        let (sizes, mut dice) = (Sizes { min: 4096, max: 8 << 20 }, Dice::new(1));
        let picked: Vec<u32> = (0..10_000).map(|_| sizes.pick(&mut dice)).collect();
        assert!(picked.iter().all(|size| (sizes.min..=sizes.max).contains(size)));
        // The middle of 4K..8M, as ratios go, is 181K: half of them are below it, give or take.
        let small = picked.iter().filter(|size| **size < 185_364).count();
        assert!((4500..5500).contains(&small), "{small}");
    }
}
