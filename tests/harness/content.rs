//! Bytes to send, such that a lost, doubled or swapped piece shows.

use std::fmt::Write as _;

/// `len` bytes that follow from `seed` alone: a xorshift generator's (Marsaglia, 2003).
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
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
