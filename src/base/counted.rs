//! Numbers with their nouns.

/// Says how many there are of something whose plural has an s.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_s() {
        let said = [0, 1, 2].map(|number| counted(number, "answer"));
        assert_eq!(said, ["0 answers", "1 answer", "2 answers"]);
    }
}
