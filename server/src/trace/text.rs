//! Texts where there is little room for them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The same, of each path its last name only.
pub(super) fn short(text: &str) -> String {
    let shorter = |word: &str| match word.rsplit_once('/') {
        Some((_, name)) if word.starts_with('/') && !name.is_empty() => name.to_owned(),
        _ => word.to_owned(),
    };
    text.split(' ').map(shorter).collect::<Vec<_>>().join(" ")
}

/// A text in exactly so many columns of a terminal: filled with spaces, or cut with a mark.
pub(super) fn fitted(text: &str, width: usize) -> String {
    let taken = text.width();
    if taken <= width {
        return format!("{text}{}", " ".repeat(width - taken));
    }
    let mut room = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let left = room.checked_sub(c.width().unwrap_or(0));
        room = left.unwrap_or(0);
        left.is_some()
    });
    let kept: String = kept.collect();
    fitted(&(kept + "~"), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_the_last_name_is_left() {
        for (text, shorter) in [
            ("PUT /library/a.txt", "PUT a.txt"),
            ("PUT a/b.txt", "PUT a/b.txt"),
            ("LIST /", "LIST /"),
            ("LIST /library/", "LIST /library/"),
            ("OK /a.txt", "OK a.txt"),
            ("OK /library/x/笔记.txt", "OK 笔记.txt"),
        ] {
            assert_eq!(short(text), shorter);
        }
    }

    #[test]
    fn a_column_is_as_wide_as_it_is_whatever_stands_in_it() {
        for (text, shown) in
            [("ab", "ab   "), ("abcdef", "abcd~"), ("大电影", "大电~"), ("a大电影", "a大~ ")]
        {
            assert_eq!(fitted(text, 5), shown);
        }
    }
}
