//! What the files of a load hold: bytes that say themselves what they should be.
//!
//! ```text
//! c17-2 version 4711 of 81920 bytes                                     80 bytes, padded
//! … bytes that follow from 4711 …                                       the other 81840
//! ```
//! So whoever fetches a file can tell whether it is one version, whole, and the one of that name,
//! and needs no list of what was ever sent. A mix of two, a part of one, or another's file shows.

use std::io::{self, Read, Write};

use crate::content::Endless;

/// How many bytes the first line has, and so the smallest file.
pub const HEADER: usize = 80;

/// How many bytes are compared at a time.
const PIECE: usize = 4096;

/// One content of one file. No two have the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The file's name in the folder of the load.
    pub name: String,
    /// Its number. A version that was begun later has a larger one.
    pub serial: u64,
    /// Its length in bytes, at least [`HEADER`].
    pub size: u64,
}

impl Version {
    /// Its bytes.
    pub fn body(&self) -> impl Read + use<> {
        let rest = self.size.saturating_sub(HEADER as u64);
        io::Cursor::new(self.header()).chain(Endless::new(self.serial).take(rest))
    }

    fn header(&self) -> String {
        let Self { name, serial, size } = self;
        let words = format!("{name} version {serial} of {size} bytes");
        format!("{words:<width$}\n", width = HEADER - 1)
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, "version", serial, "of", size, "bytes"] = words[..] else { return None };
        let (name, serial, size) = (name.to_owned(), serial.parse().ok()?, size.parse().ok()?);
        let version = Self { name, serial, size };
        (version.header().as_bytes() == header).then_some(version)
    }
}

/// Looks at bytes as they come.
#[derive(Debug, Default)]
pub struct Inspection {
    header: Vec<u8>,
    /// What the header announced, and what must follow.
    announced: Option<(Version, Endless)>,
    length: u64,
    /// The first byte that should be another.
    wrong: Option<u64>,
}

impl Inspection {
    /// Which version of `name` it was that came, or what it was instead.
    pub fn verdict(self, name: &str) -> Result<Version, String> {
        let length = self.length;
        let Some((version, _)) = self.announced else {
            return Err(format!("{length} bytes that do not begin by saying what they are"));
        };
        let Version { name: of, serial, size } = &version;
        if of != name {
            return Err(format!("a version of {of}"));
        }
        if length != *size {
            return Err(format!("{length} bytes of version {serial}, which has {size}"));
        }
        match self.wrong {
            Some(at) => Err(format!("version {serial} up to byte {at}, then something else")),
            None => Ok(version),
        }
    }

    fn compare(&mut self, bytes: &[u8]) {
        let Some((_, endless)) = &mut self.announced else { return };
        let (mut expected, mut at) = ([0; PIECE], self.length);
        for piece in bytes.chunks(PIECE) {
            let expected = &mut expected[..piece.len()];
            endless.fill(expected);
            if self.wrong.is_none() && expected != piece {
                let same = piece.iter().zip(&*expected).take_while(|(is, should)| is == should);
                self.wrong = Some(at + same.count() as u64);
            }
            at += piece.len() as u64;
        }
    }
}

impl Write for Inspection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (head, body) = bytes.split_at(bytes.len().min(HEADER - self.header.len()));
        if !head.is_empty() {
            self.header.extend_from_slice(head);
            self.length += head.len() as u64;
            if self.header.len() == HEADER {
                let version = Version::parse(&self.header);
                self.announced = version.map(|v| (v.clone(), Endless::new(v.serial)));
            }
        }
        self.compare(body);
        self.length += body.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(serial: u64, size: u64) -> Version {
        Version { name: "c1-2".into(), serial, size }
    }

    fn bytes(version: &Version) -> Vec<u8> {
        let mut bytes = Vec::new();
        version.body().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn inspect(bytes: &[u8], piece: usize) -> Result<Version, String> {
        let mut inspection = Inspection::default();
        bytes.chunks(piece).for_each(|piece| inspection.write_all(piece).unwrap());
        inspection.verdict("c1-2")
    }

    #[test]
    fn a_whole_version_is_recognised_however_its_bytes_come() {
        for size in [80, 81, 4096, 10_001] {
            let whole = version(4711, size);
            assert_eq!(bytes(&whole).len() as u64, size);
            for piece in [1, 7, 80, 1000, 20_000] {
                assert_eq!(inspect(&bytes(&whole), piece), Ok(whole.clone()));
            }
        }
    }

    #[test]
    fn a_part_a_mix_a_changed_byte_and_another_name_are_found_out() {
        let (one, other) = (bytes(&version(1, 9000)), bytes(&version(2, 9000)));
        let said = |bytes: &[u8]| inspect(bytes, 512).unwrap_err();
        assert!(said(&one[..8999]).contains("8999 bytes of version 1"));
        assert!(said(&one[..20]).contains("20 bytes that do not begin"));
        assert!(said(&[&one[..], b"x"].concat()).contains("9001 bytes"));
        assert!(said(&[&one[..5000], &other[5000..]].concat()).contains("up to byte 5000"));
        let mut changed = one.clone();
        changed[8000] ^= 1;
        assert!(said(&changed).contains("up to byte 8000"));
        let elsewhere = Version { name: "c3-4".into(), ..version(1, 9000) };
        assert!(said(&bytes(&elsewhere)).contains("a version of c3-4"));
    }
}
