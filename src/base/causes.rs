//! The causes of an error in one line: the outer one alone often only says that there is one.

/// Joins an error and its causes with colons. A cause that the text ends with already, because the
/// error before it tells its cause itself, is not told again.
#[must_use]
pub fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let told = inner.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Told {
        #[error("no connection")]
        Outer(#[source] Box<Told>),
        #[error("no connection: {0}")]
        Itself(#[source] Box<Told>),
        #[error("broken pipe")]
        Inner,
    }

    #[test]
    fn each_cause_is_told_once() {
        let inner = || Box::new(Told::Inner);
        for (error, expected) in [
            (Told::Inner, "broken pipe"),
            (Told::Outer(inner()), "no connection: broken pipe"),
            (Told::Itself(inner()), "no connection: broken pipe"),
            (
                Told::Outer(Box::new(Told::Itself(inner()))),
                "no connection: no connection: broken pipe",
            ),
            (
                Told::Itself(Box::new(Told::Itself(inner()))),
                "no connection: no connection: broken pipe",
            ),
        ] {
            assert_eq!(in_one_line(&error), expected);
        }
    }
}
