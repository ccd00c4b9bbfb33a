//! Lines on and off a byte stream: one JSON object, one `\n`, never over
//! [`LINE_BYTES_MAX`] bytes.

use std::io::{self, BufRead, Write};

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::limits::LINE_BYTES_MAX;

/// Why no line could be had.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream itself failed, or a deadline passed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The stream ended in the middle of a line.
    #[error("the connection ended in the middle of a line")]
    Cut,
    /// No `\n` within the limit. Where the next line starts cannot be known any more.
    #[error("a line may have at most {LINE_BYTES_MAX} bytes")]
    TooLong,
}

/// Reads one line into `line` (cleared first), without its `\n`. `Ok(false)` is a clean end: the
/// stream ended between two lines.
pub fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, FrameError> {
    line.clear();
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return if line.is_empty() { Ok(false) } else { Err(FrameError::Cut) };
        }
        let taken = take_line(bytes, line)?;
        input.consume(taken.bytes);
        if taken.whole {
            return Ok(true);
        }
    }
}

/// What [`take_line`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many of the given bytes belong to the line, its `\n` included.
    pub bytes: usize,
    /// Whether the line is complete.
    pub whole: bool,
}

/// Appends to `line` what of it is in `bytes`, without the `\n`: one step of [`read_line`], for a
/// reader that has something to do before it waits for more.
pub fn take_line(bytes: &[u8], line: &mut Vec<u8>) -> Result<Taken, FrameError> {
    let newline = bytes.iter().position(|byte| *byte == b'\n');
    let part = &bytes[..newline.unwrap_or(bytes.len())];
    // Checked before it is kept: a peer cannot make us hold more than the limit.
    if line.len() + part.len() >= LINE_BYTES_MAX {
        return Err(FrameError::TooLong);
    }
    line.extend_from_slice(part);
    Ok(Taken { bytes: part.len() + usize::from(newline.is_some()), whole: newline.is_some() })
}

/// Reads a line's JSON object. The error says what was wrong and where.
pub fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, serde_json::Error> {
    // serde would also take the fields as an array, in order. The protocol has one spelling.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(serde_json::Error::custom(r#"a line is one object, as in {"cmd":"LIST"}"#));
    }
    serde_json::from_slice(line)
}

/// Writes `value` as one line. Nothing is flushed.
pub fn write_line(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn lines_of(mut bytes: &[u8]) -> (Vec<Vec<u8>>, Result<bool, FrameError>) {
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        loop {
            match read_line(&mut bytes, &mut line) {
                Ok(true) => lines.push(line.clone()),
                end => return (lines, end),
            }
        }
    }

    #[test]
    fn a_stream_ends_cleanly_only_between_lines() {
        let (lines, end) = lines_of(b"{}\n[1]\n");
        assert_eq!(lines, [b"{}".to_vec(), b"[1]".to_vec()]);
        assert!(matches!(end, Ok(false)));
        assert!(matches!(lines_of(b"{}\n{\"cm").1, Err(FrameError::Cut)));
    }

    #[test]
    fn the_longest_line_passes_and_one_byte_more_does_not() {
        let mut longest = vec![b'x'; LINE_BYTES_MAX - 1];
        longest.push(b'\n');
        assert!(matches!(lines_of(&longest).1, Ok(false)));
        longest.insert(0, b'x');
        assert!(matches!(lines_of(&longest).1, Err(FrameError::TooLong)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            objects in prop::collection::vec(any::<BTreeMap<u8, String>>(), 0..4)
        ) {
            let mut bytes = Vec::new();
            for object in &objects {
                write_line(&mut bytes, object).unwrap();
            }
            let (lines, end) = lines_of(&bytes);
            prop_assert!(matches!(end, Ok(false)));
            let back: Vec<BTreeMap<u8, String>> = lines.iter().map(|l| parse(l).unwrap()).collect();
            prop_assert_eq!(back, objects);
        }

        #[test]
        fn any_bytes_give_lines_or_an_error_and_never_a_panic(bytes: Vec<u8>) {
            let (lines, _) = lines_of(&bytes);
            for line in lines {
                let _ = parse::<crate::protocol::Request>(&line);
            }
        }
    }
}
