//! What the node says in its own words, fit for a log.
//!
//! `StatusMessage` and `faultstring` are free text, and a node may put into it who it is about: a
//! name, a login, a PESEL. No rule of form tells a login from a word, so the words that are kept are
//! listed; of every other one only the shape is, and of every number. The codes beside the text say
//! what happened.

use crate::base::foreign::Foreign;

/// Keeps known words, and puts a star for each letter and digit of others.
pub(super) fn masked(text: &str) -> Foreign {
    let mut shown = String::new();
    let mut word = String::new();
    // What is longer is cut anyway.
    for letter in text.trim().chars().take(READ).chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        if is_known(&word) {
            shown.push_str(&word);
        } else {
            shown.extend(word.chars().map(|_| '*'));
        }
        word.clear();
        shown.push(letter);
    }
    Foreign::new(&shown)
}

/// How many characters are looked at: more than [`crate::base::foreign::MAXIMUM`].
const READ: usize = 300;

/// Puts a star for each digit: for codes, which are names and no sentences.
pub(super) fn without_digits(code: &str) -> String {
    code.chars().map(|letter| if letter.is_numeric() { '*' } else { letter }).collect()
}

fn is_known(word: &str) -> bool {
    word.chars().count() < 2 && !word.chars().any(char::is_numeric)
        || KNOWN.contains(&word.to_lowercase().as_str())
}

/// The words that are kept. None is a name, nor part of one.
const KNOWN: &[&str] = &[
    // SOAP 1.1, 4.4.1, and what prefixes it is written with.
    "soap",
    "env",
    "soapenv",
    "client",
    "server",
    "mustunderstand",
    "versionmismatch",
    "sender",
    "receiver",
    // What is spoken of.
    "access",
    "artifact",
    "assertion",
    "attribute",
    "attributes",
    "audience",
    "authentication",
    "authn",
    "authnfailed",
    "authnrequest",
    "certificate",
    "code",
    "consumer",
    "context",
    "data",
    "destination",
    "digest",
    "error",
    "exception",
    "fault",
    "format",
    "id",
    "identity",
    "identifier",
    "index",
    "issuer",
    "key",
    "level",
    "login",
    "logout",
    "message",
    "name",
    "namespace",
    "node",
    "parameter",
    "party",
    "person",
    "policy",
    "principal",
    "profile",
    "provider",
    "recipient",
    "reference",
    "request",
    "requester",
    "resource",
    "responder",
    "response",
    "saml",
    "schema",
    "service",
    "session",
    "signature",
    "status",
    "subject",
    "system",
    "time",
    "timeout",
    "transaction",
    "url",
    "user",
    "value",
    "version",
    "xml",
    // What happened.
    "aborted",
    "accepted",
    "allowed",
    "available",
    "bad",
    "cancelled",
    "canceled",
    "connection",
    "could",
    "denied",
    "ended",
    "expired",
    "failed",
    "failure",
    "found",
    "internal",
    "invalid",
    "issued",
    "lost",
    "malformed",
    "match",
    "missing",
    "occurred",
    "refused",
    "registered",
    "rejected",
    "required",
    "supported",
    "temporarily",
    "unavailable",
    "unexpected",
    "unknown",
    "unsupported",
    "used",
    "verified",
    "wrong",
    // What stands between.
    "already",
    "and",
    "another",
    "are",
    "as",
    "at",
    "be",
    "been",
    "by",
    "can",
    "cannot",
    "did",
    "does",
    "during",
    "for",
    "from",
    "has",
    "have",
    "in",
    "is",
    "it",
    "its",
    "more",
    "no",
    "not",
    "of",
    "on",
    "or",
    "other",
    "please",
    "than",
    "that",
    "the",
    "this",
    "to",
    "too",
    "try",
    "was",
    "were",
    "while",
    "with",
    "without",
    // The same in Polish.
    "adres",
    "artefakt",
    "artefaktu",
    "asercja",
    "asercji",
    "atrybut",
    "atrybutu",
    "autoryzacja",
    "autoryzacji",
    "brak",
    "błąd",
    "błędna",
    "błędne",
    "błędny",
    "certyfikat",
    "certyfikatu",
    "czas",
    "dane",
    "danych",
    "dla",
    "do",
    "dostawca",
    "dostawcy",
    "dostęp",
    "dostępna",
    "dostępny",
    "dostępu",
    "działa",
    "jest",
    "jeszcze",
    "już",
    "klucz",
    "klucza",
    "kod",
    "komunikat",
    "komunikatu",
    "logowania",
    "logowanie",
    "lub",
    "nie",
    "nieaktualny",
    "niedostępna",
    "niedostępny",
    "nieobsługiwany",
    "nieoczekiwany",
    "niepoprawna",
    "niepoprawne",
    "niepoprawny",
    "nieprawidłowa",
    "nieprawidłowe",
    "nieprawidłowy",
    "nieudane",
    "nieznana",
    "nieznane",
    "nieznany",
    "niezgodny",
    "numer",
    "obsługi",
    "oczekiwany",
    "odbiorca",
    "odmowa",
    "odmowy",
    "odpowiedzi",
    "odpowiedź",
    "odrzucona",
    "odrzucone",
    "odrzucony",
    "odwołany",
    "osoba",
    "osoby",
    "podczas",
    "podmiot",
    "podmiotu",
    "podpis",
    "podpisu",
    "ponownie",
    "połączenia",
    "połączenie",
    "powiodła",
    "powiodło",
    "powodu",
    "poziom",
    "poziomu",
    "proszę",
    "przekroczono",
    "przerwane",
    "przez",
    "spróbuj",
    "serwer",
    "serwera",
    "sesja",
    "sesji",
    "się",
    "skrót",
    "spoza",
    "symulowana",
    "symulowany",
    "system",
    "systemu",
    "tożsamości",
    "tożsamość",
    "unieważniony",
    "uprawnień",
    "usługa",
    "usługi",
    "uwierzytelnienia",
    "uwierzytelnienie",
    "uwierzytelniono",
    "użytkownik",
    "użytkownika",
    "ważności",
    "wartość",
    "wewnętrzny",
    "wygasł",
    "wygasła",
    "wygasło",
    "wylogowania",
    "wylogowanie",
    "wymagane",
    "wymagany",
    "wystawca",
    "wystąpił",
    "węzeł",
    "węzła",
    "zakończona",
    "zbyt",
    "ze",
    "żądania",
    "żądanie",
    "został",
    "została",
    "zostało",
    "anulowane",
    "anulowano",
    "anulował",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_kept() {
        for text in [
            "Uwierzytelnienie nie powiodło się",
            "Błąd węzła: nieznany użytkownik.",
            "soap:Server Internal error (unknown issuer)",
            "error x y",
            "",
        ] {
            assert_eq!(masked(text).as_str(), text);
        }
    }

    #[test]
    fn nobody_is_named_and_no_number_told() {
        for (text, shown) in [
            ("Użytkownik Jan Kowalski anulował", "Użytkownik *** ******** anulował"),
            ("user jkowalski unknown", "user ********* unknown"),
            ("PESEL 44051401359 not found", "***** *********** not found"),
            ("PESEL:44051401359", "*****:***********"),
            ("user44051401359", "***************"),
            ("unknown_jan", "***********"),
            ("anna.nowak@example.pl", "****.*****@*******.**"),
            ("4 4 0 5", "* * * *"),
            ("error ٤٤", "error **"),
            ("Żółć\u{202e}", "****\\u{202e}"),
        ] {
            assert_eq!(masked(text).as_str(), shown);
        }
        assert_eq!(without_digits("urn:x:44051401359"), "urn:x:***********");
    }

    #[test]
    fn a_long_text_is_cut() {
        let shown = masked(&"kowalski ".repeat(30_000));
        assert!(shown.as_str().chars().count() <= crate::base::foreign::MAXIMUM);
        assert!(!shown.as_str().contains('k'));
        let known = masked(&"error ".repeat(30_000));
        assert!(known.as_str().starts_with("error error") && known.as_str().ends_with('…'));
    }
}
