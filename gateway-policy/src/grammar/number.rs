//! The digits at the head of a text.

/// Splits `text` after its leading ASCII digits: `"90ms"` is `("90", "ms")`.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    split_while(text, |b| b.is_ascii_digit())
}

/// Splits `text` after its leading bytes that are no ASCII digit: `"h30m"` is `("h", "30m")`.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    split_while(text, |b| !b.is_ascii_digit())
}

fn split_while(text: &str, keep: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !keep(b)).unwrap_or(text.len());
    // Both predicates change value only between an ASCII digit and something else, and an ASCII
    // byte is never inside a character: `end` is a boundary.
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_other_byte() {
        assert_eq!(split_digits("90ms"), ("90", "ms"));
        assert_eq!(split_digits("ms"), ("", "ms"));
        assert_eq!(split_digits(""), ("", ""));
        assert_eq!(split_word("h30m"), ("h", "30m"));
        assert_eq!(split_word("µs7"), ("µs", "7"));
    }
}
