//! What a person means who was shown a numbered list.

/// The numbers in a line, with spaces or commas between them, each once, in their order; none in an empty line. The error is the first
/// word that is no number from 1 to `count`.
pub(super) fn numbers(line: &str, count: usize) -> Result<Vec<usize>, &str> {
    let mut numbers = Vec::new();
    // The wide ones are what a Chinese input method types.
    let is_gap = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、');
    for word in line.split(is_gap).filter(|word| !word.is_empty()) {
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
    fn numbers_are_read_between_any_spaces_and_commas() {
        assert_eq!(numbers("2", 3), Ok(vec![2]));
        for line in [" 3\u{3000}1  3 ", "3,1", "3, 1,", "3，1", "3、1"] {
            assert_eq!(numbers(line, 3), Ok(vec![3, 1]), "{line}");
        }
        assert_eq!(numbers("  ", 3), Ok(vec![]));
    }

    #[test]
    fn what_is_no_number_of_the_list_is_named() {
        for (line, word) in [("0", "0"), ("1 4", "4"), ("a", "a"), ("-1", "-1"), ("2;3", "2;3")] {
            assert_eq!(numbers(line, 3), Err(word));
        }
        assert_eq!(numbers("1", 0), Err("1"));
    }
}
