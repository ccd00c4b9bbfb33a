//! What a person means who was shown a numbered list.

/// The numbers in a line, each once, in their order; none in an empty line. The error is the first
/// word that is no number from 1 to `count`.
pub(super) fn numbers(line: &str, count: usize) -> Result<Vec<usize>, &str> {
    let mut numbers = Vec::new();
    for word in line.split_whitespace() {
        match word.parse() {
            Ok(number) if (1..=count).contains(&number) => {
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            _ => return Err(word),
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_between_any_spaces() {
        assert_eq!(numbers("2", 3), Ok(vec![2]));
        // The wide space is what a Chinese input method types.
        assert_eq!(numbers(" 3\u{3000}1  3 ", 3), Ok(vec![3, 1]));
        assert_eq!(numbers("  ", 3), Ok(vec![]));
    }

    #[test]
    fn what_is_no_number_of_the_list_is_named() {
        for (line, word) in [("0", "0"), ("1 4", "4"), ("a", "a"), ("-1", "-1"), ("2,3", "2,3")] {
            assert_eq!(numbers(line, 3), Err(word));
        }
        assert_eq!(numbers("1", 0), Err("1"));
    }
}
