//! What goes over the wire, besides the lines themselves: those are nobody's language.

use super::{Lang, Words, say};

/// What stands among the lines of `--wire`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnWire {
    /// In front of what goes over the connection of the room.
    Room,
    /// So many bytes of a body.
    Bytes(u64),
}

impl Words for OnWire {
    fn words(&self, lang: Lang) -> String {
        match *self {
            Self::Room => say!(lang, "room", "聊天室"),
            Self::Bytes(1) => say!(lang, "1 byte", "1 字节"),
            Self::Bytes(count) => {
                say!(lang, "{count} bytes", "{count} 字节", count = Grouped(count))
            }
        }
    }
}

/// A number to be read to its last digit: `12,034`.
#[derive(Debug, Clone, Copy)]
struct Grouped(u64);

impl Words for Grouped {
    fn words(&self, _: Lang) -> String {
        let digits = self.0.to_string();
        let mut grouped = String::new();
        for (nth, digit) in digits.chars().enumerate() {
            if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_is_read_to_its_last_digit() {
        for (count, said) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (12_034, "12,034 bytes"),
            (1_000_000, "1,000,000 bytes"),
        ] {
            assert_eq!(OnWire::Bytes(count).words(Lang::En), said);
        }
        assert_eq!(OnWire::Bytes(1234).words(Lang::Zh), "1,234 字节");
    }
}
