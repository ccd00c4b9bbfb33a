//! Bytes to send, such that a lost, doubled or swapped piece shows.

use std::fmt::Write as _;
use std::io::{self, Read};

/// `len` bytes that follow from `seed` alone.
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Endless::new(seed).fill(&mut bytes);
    bytes
}

/// Bytes without end that follow from a seed alone: a xorshift generator's (Marsaglia, 2003).
#[derive(Debug, Clone)]
pub struct Endless {
    state: u64,
    /// How many bytes of `state` were given out.
    used: usize,
}

impl Endless {
    /// From the beginning.
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, used: 8 }
    }

    /// The next bytes, as many as there is room for.
    pub fn fill(&mut self, to: &mut [u8]) {
        let word = self.state.to_le_bytes();
        let rest = &word[self.used..];
        let (head, to) = to.split_at_mut(rest.len().min(to.len()));
        head.copy_from_slice(&rest[..head.len()]);
        self.used += head.len();
        let mut words = to.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&self.next_word());
        }
        let tail = words.into_remainder();
        if !tail.is_empty() {
            tail.copy_from_slice(&self.next_word()[..tail.len()]);
            self.used = tail.len();
        }
    }

    fn next_word(&mut self) -> [u8; 8] {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.to_le_bytes()
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(buffer);
        Ok(buffer.len())
    }
}

/// The checksum as it stands on the wire.
pub fn crc(bytes: &[u8]) -> String {
    let mut text = String::new();
    let _ = write!(text, "{:08x}", crc32fast::hash(bytes));
    text
}

/// The line that follows a body.
pub fn sum_line(bytes: &[u8]) -> String {
    format!("{{\"crc32\":\"{}\"}}\n", crc(bytes))
}

/// A whole eager upload: request line, body, checksum line.
pub fn eager_put(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut wire = format!(
        "{{\"cmd\":\"PUT\",\"path\":\"{path}\",\"size\":{},\"eager\":true}}\n",
        bytes.len()
    )
    .into_bytes();
    wire.extend_from_slice(bytes);
    wire.extend_from_slice(sum_line(bytes).as_bytes());
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_same_in_pieces_of_any_length() {
        let whole = bytes(7, 1000);
        for piece in 1..40 {
            let (mut endless, mut got) = (Endless::new(7), vec![0; 1000]);
            got.chunks_mut(piece).for_each(|to| endless.fill(to));
            assert!(got == whole, "in pieces of {piece}");
        }
    }
}
