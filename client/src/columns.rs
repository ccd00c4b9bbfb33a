//! Texts no wider than a column, and how many columns there are.
//!
//! Widths are of what a terminal shows: a Chinese character takes two columns. Texts come from the
//! server and may be as long as a line of its: each is gone through once, from the end that is kept.

use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns and rows of a terminal; none if this is no terminal.
pub(crate) fn size(terminal: impl AsFd) -> Option<(usize, usize)> {
    let size = tcgetwinsize(terminal).ok()?;
    let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (columns > 0 && rows > 0).then_some((columns, rows))
}

/// A text that is no wider than `width`, with `mark` where its end was.
pub(crate) fn cut(text: &str, width: usize, mark: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept: String = fitting(text.chars(), width.saturating_sub(mark.width())).collect();
    loop {
        // What characters take together is now and then more than the sum.
        let cut = format!("{kept}{mark}");
        if cut.width() <= width {
            return cut;
        }
        if kept.pop().is_none() {
            return kept;
        }
    }
}

/// The same, of which the end is kept: of a path it says most, and behind it stands who holds it.
pub(crate) fn cut_front(text: &str, width: usize, mark: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let bytes: usize =
        fitting(text.chars().rev(), width.saturating_sub(mark.width())).map(char::len_utf8).sum();
    let mut kept = text[text.len() - bytes..].chars();
    loop {
        let cut = format!("{mark}{}", kept.as_str());
        if cut.width() <= width {
            return cut;
        }
        if kept.next().is_none() {
            return String::new();
        }
    }
}

/// The same, of what is done with a path: what is done is kept, and the end of the path.
pub(crate) fn cut_path(text: &str, width: usize, mark: &str) -> String {
    match text.find('/').map(|slash| text.split_at(slash)) {
        Some((deed, path)) if text.width() > width && deed.width() < width / 2 => {
            let shown = format!("{deed}{}", cut_front(path, width - deed.width(), mark));
            cut(&shown, width, mark)
        }
        _ => cut(text, width, mark),
    }
}

/// As many of these characters as there is room for.
fn fitting(chars: impl Iterator<Item = char>, mut room: usize) -> impl Iterator<Item = char> {
    chars.map_while(move |c| {
        room = room.checked_sub(c.width().unwrap_or(0))?;
        Some(c)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_a_path_the_end_is_kept_and_of_other_texts_the_beginning() {
        assert_eq!(cut("a film", 4, "~"), "a f~");
        assert_eq!(cut_front("/library/a.txt <- c01", 12, "~"), "~.txt <- c01");
        assert_eq!(cut_path("PUT /library/大电影.mp4", 12, "~"), "PUT ~影.mp4");
        assert_eq!(cut_path("PUT a.txt", 12, "~"), "PUT a.txt");
        assert_eq!((cut("大", 1, "~"), cut("大", 0, "~")), ("~".into(), String::new()));
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_its_column(text: String, width in 0_usize..40) {
            for cut in [cut, cut_front, cut_path] {
                prop_assert!(cut(&text, width, "…").width() <= width);
            }
        }
    }
}
