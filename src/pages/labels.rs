//! The words on buttons and labels, and on the two pages without a message.
//!
//! The rules are those of `text`.

use super::Language;

/// The short texts in one language.
pub(super) struct Labels {
    pub(super) test_environment: &'static str,
    pub(super) going_to_node: &'static str,
    pub(super) going_to_node_why: &'static str,
    pub(super) going_to_node_help: &'static str,
    pub(super) go_to_node: &'static str,
    pub(super) signed_in: &'static str,
    pub(super) signed_in_why: &'static str,
    pub(super) go_on: &'static str,
    pub(super) quote_to_support: &'static str,
    pub(super) incident: &'static str,
    pub(super) time: &'static str,
    pub(super) request: &'static str,
    pub(super) reason: &'static str,
    pub(super) confirm_logout: &'static str,
    pub(super) confirm_logout_why: &'static str,
    pub(super) log_out: &'static str,
    pub(super) cancel: &'static str,
    pub(super) home: &'static str,
    pub(super) kept_form: &'static str,
    pub(super) kept_form_why: &'static str,
    pub(super) kept_form_to: &'static str,
    pub(super) kept_form_size: &'static str,
    pub(super) kept_form_as: &'static str,
    pub(super) kept_form_check: &'static str,
    pub(super) send_form: &'static str,
    pub(super) discard_form: &'static str,
}

/// Returns the short texts in a language.
pub(super) const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::Polish => &POLISH,
        Language::English => &ENGLISH,
    }
}

const POLISH: Labels = Labels {
    test_environment: "Środowisko testowe",
    going_to_node: "Przechodzimy do login.gov.pl",
    going_to_node_why: "Tam potwierdzisz swoją tożsamość, a potem wrócisz do portalu.",
    going_to_node_help: "Jeśli nic się nie dzieje, naciśnij przycisk.",
    go_to_node: "Przejdź do logowania",
    signed_in: "Zalogowano",
    signed_in_why: "Przechodzimy do portalu.",
    go_on: "Dalej",
    quote_to_support: "Jeśli skontaktujesz się z pomocą portalu, podaj:",
    incident: "Numer zdarzenia",
    time: "Czas",
    request: "Numer żądania",
    reason: "Kod przyczyny",
    confirm_logout: "Czy chcesz się wylogować?",
    confirm_logout_why: "Zakończymy Twoją sesję w tym portalu i u dostawcy logowania. Niezapisane zmiany mogą przepaść.",
    log_out: "Wyloguj",
    cancel: "Anuluj",
    home: "Wróć do portalu",
    kept_form: "Wysłać formularz?",
    kept_form_why: "Formularz przyszedł, zanim potwierdzono Twoją tożsamość, więc portal jeszcze go nie dostał. Przechowaliśmy go bez zmian. Możesz go teraz wysłać.",
    kept_form_to: "Dokąd",
    kept_form_size: "Rozmiar",
    kept_form_as: "Zalogowana osoba",
    kept_form_check: "Wyślij tylko formularz, który wypełniła zalogowana osoba. Wyślemy go jeden raz, w jej imieniu.",
    send_form: "Wyślij teraz",
    discard_form: "Nie wysyłaj",
};

const ENGLISH: Labels = Labels {
    test_environment: "Test environment",
    going_to_node: "Taking you to login.gov.pl",
    going_to_node_why: "You confirm your identity there and then come back to the portal.",
    going_to_node_help: "If nothing happens, press the button.",
    go_to_node: "Continue to sign in",
    signed_in: "You are signed in",
    signed_in_why: "Taking you to the portal.",
    go_on: "Continue",
    quote_to_support: "If you contact the portal's support, quote:",
    incident: "Incident number",
    time: "Time",
    request: "Request number",
    reason: "Reason code",
    confirm_logout: "Do you want to sign out?",
    confirm_logout_why: "We will end your session in this portal and at the sign-in provider. Unsaved changes may be lost.",
    log_out: "Sign out",
    cancel: "Cancel",
    home: "Back to the portal",
    kept_form: "Send the form?",
    kept_form_why: "The form arrived before you had confirmed who you are, so the portal does not have it yet. We kept it as it was. You can send it now.",
    kept_form_to: "Where to",
    kept_form_size: "Size",
    kept_form_as: "Signed in",
    kept_form_check: "Send it only if the person who is signed in filled it in. We send it once, in that person's name.",
    send_form: "Send now",
    discard_form: "Do not send",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::text::assert_translated;

    #[test]
    fn every_label_is_there_in_both_languages_and_is_translated() {
        for (polish, english) in words_of(&POLISH).into_iter().zip(words_of(&ENGLISH)) {
            assert_translated(polish, english);
        }
    }

    /// Takes the struct apart without `..`, so that a new label cannot be left out.
    fn words_of(labels: &Labels) -> [&'static str; 26] {
        let Labels {
            test_environment,
            going_to_node,
            going_to_node_why,
            going_to_node_help,
            go_to_node,
            signed_in,
            signed_in_why,
            go_on,
            quote_to_support,
            incident,
            time,
            request,
            reason,
            confirm_logout,
            confirm_logout_why,
            log_out,
            cancel,
            home,
            kept_form,
            kept_form_why,
            kept_form_to,
            kept_form_size,
            kept_form_as,
            kept_form_check,
            send_form,
            discard_form,
        } = *labels;
        [
            test_environment,
            going_to_node,
            going_to_node_why,
            going_to_node_help,
            go_to_node,
            signed_in,
            signed_in_why,
            go_on,
            quote_to_support,
            incident,
            time,
            request,
            reason,
            confirm_logout,
            confirm_logout_why,
            log_out,
            cancel,
            home,
            kept_form,
            kept_form_why,
            kept_form_to,
            kept_form_size,
            kept_form_as,
            kept_form_check,
            send_form,
            discard_form,
        ]
    }
}
