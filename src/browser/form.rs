//! A form of a page, and what is sent of it.

use url::form_urlencoded::Serializer;

/// A form as it stands in a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Its `id`.
    pub id: Option<String>,
    /// Its `name`.
    pub name: Option<String>,
    /// Its `action` as it stands there; empty for the page itself.
    pub action: String,
    /// It is sent by POST, otherwise by GET.
    pub is_post: bool,
    /// It asks to be sent as `multipart/form-data`, which no sign-in needs and we do not send.
    pub is_multipart: bool,
    /// The window that it is sent to.
    pub target: Option<String>,
    /// Its controls that are not disabled.
    pub controls: Vec<Control>,
}

/// A control of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Empty when it has none.
    pub name: String,
    /// The type, such as `hidden`, `submit`, `select`; in lower case.
    pub kind: String,
    /// What is sent when nobody changes it.
    pub value: String,
    /// Whether a box is ticked; always so for what is no box.
    pub is_on: bool,
}

impl Form {
    /// Returns what is sent when a button is pressed, or none: by name and value.
    pub fn successful<'f>(
        &'f self,
        pressed: Option<(&'f str, &'f str)>,
    ) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.controls
            .iter()
            .filter(move |control| match control.kind.as_str() {
                "submit" => pressed == Some((control.name.as_str(), control.value.as_str())),
                "button" | "reset" | "image" | "file" => false,
                _ => control.is_on,
            })
            .filter(|control| !control.name.is_empty())
            .map(|control| (control.name.as_str(), control.value.as_str()))
    }

    /// Returns the value of the first control of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut controls = self.controls.iter();
        controls.find(|control| control.name == name).map(|control| control.value.as_str())
    }

    /// Returns what is sent when a person fills in values: those take the place of what stands there
    /// under the same name, and others come behind.
    #[must_use]
    pub fn filled(&self, values: &[(&str, &str)]) -> Vec<(String, String)> {
        let is_filled = |name: &str| values.iter().any(|(other, _)| *other == name);
        let own = self.successful(None).filter(|(name, _)| !is_filled(name));
        let all = own.chain(values.iter().copied());
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Writes fields as `application/x-www-form-urlencoded`.
#[must_use]
pub fn encode(fields: &[(String, String)]) -> String {
    // HTML, constructing entry list: line ends are CRLF.
    let line_ends = |value: &str| value.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
    let fields = fields.iter().map(|(name, value)| (line_ends(name), line_ends(value)));
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_fills_in_takes_the_place_of_what_was_there() {
        let control = |name: &str, kind: &str, value: &str| Control {
            name: name.to_owned(),
            kind: kind.to_owned(),
            value: value.to_owned(),
            is_on: kind != "radio",
        };
        let form = Form {
            controls: vec![
                control("a", "hidden", "1"),
                control("b", "radio", "2"),
                control("c", "submit", "3"),
            ],
            ..Form::default()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form.filled(&[]), [pair("a", "1")]);
        assert_eq!(form.filled(&[("b", "x"), ("a", "y")]), [pair("b", "x"), pair("a", "y")]);
        assert_eq!((form.value("c"), form.value("d")), (Some("3"), None));
    }

    #[test]
    fn fields_are_encoded_as_browsers_do() {
        let fields = [("a b".to_owned(), "ż&=+\n*".to_owned())];
        assert_eq!(encode(&fields), "a+b=%C5%BC%26%3D%2B%0D%0A*");
    }
}
