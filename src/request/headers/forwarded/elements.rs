//! The form of `Forwarded` (RFC 7239 4): elements of pairs, read strictly and written.

/// What one proxy says of the client that it got a request from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Element<'l> {
    /// The `for` of the element, the client of that proxy: an address, `unknown` or a name.
    pub node: Option<&'l str>,
    /// The scheme that was spoken.
    pub proto: Option<&'l str>,
    /// The host that was asked for.
    pub host: Option<&'l str>,
}

/// Reads one line; `None` when it is malformed. Backslashes are: they hide a quote from a reader
/// who does not know them, and no value here needs one.
#[must_use]
pub fn parse(line: &str) -> Option<Vec<Element<'_>>> {
    let mut elements = vec![Element::default()];
    let mut rest = line.trim();
    while !rest.is_empty() {
        // 1. A name, if there is one here: empty pairs and elements are allowed (RFC 9110 5.6.1).
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        if !name.is_empty() {
            // 2. Its value, in quotes or not.
            let after = rest.strip_prefix('=')?;
            let value;
            (value, rest) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(|c| !is_token(c)).unwrap_or(after.len())),
            };
            if value.is_empty() || value.contains('\\') {
                return None;
            }
            let element = elements.last_mut()?;
            let place = match name.to_ascii_lowercase().as_str() {
                "for" => Some(&mut element.node),
                "proto" => Some(&mut element.proto),
                "host" => Some(&mut element.host),
                _ => None,
            };
            if place.is_some_and(|place| place.replace(value).is_some()) {
                return None;
            }
        }
        // 3. What parts it from the next.
        rest = rest.trim_start();
        match rest.chars().next() {
            None => {}
            Some(';') => {}
            Some(',') => elements.push(Element::default()),
            Some(_) => return None,
        }
        rest = rest.get(1..).unwrap_or("").trim_start();
    }
    elements.retain(|element| *element != Element::default());
    Some(elements)
}

/// Writes the header: the first of the addresses with host and scheme, then the others.
#[must_use]
pub fn write(addresses: &str, host: &str, scheme: &str) -> String {
    let mut text = String::with_capacity(96);
    for (index, address) in addresses.split(", ").enumerate() {
        text.push_str(if index == 0 { "for=" } else { ", for=" });
        if address.contains(':') {
            text.push_str("\"[");
            text.push_str(address);
            text.push_str("]\"");
        } else {
            text.push_str(address);
        }
        if index == 0 {
            text.push_str(";host=\"");
            text.push_str(host);
            text.push_str("\";proto=");
            text.push_str(scheme);
        }
    }
    text
}

/// RFC 9110 5.6.2; a bare value with a colon, which must be quoted but often is not, is taken.
fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:[]".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element<'l>(node: &'l str, proto: &'l str, host: &'l str) -> Element<'l> {
        let given = |text: &'l str| (!text.is_empty()).then_some(text);
        Element { node: given(node), proto: given(proto), host: given(host) }
    }

    #[test]
    fn reads_the_examples_of_the_rfc_and_what_proxies_write() {
        for (line, expected) in [
            ("for=\"_gazonk\"", vec![element("_gazonk", "", "")]),
            ("For=\"[2001:db8:cafe::17]:4711\"", vec![element("[2001:db8:cafe::17]:4711", "", "")]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", vec![element("192.0.2.60", "http", "")]),
            (
                "for=192.0.2.43, for=198.51.100.17",
                vec![element("192.0.2.43", "", ""), element("198.51.100.17", "", "")],
            ),
            ("for=a;host=\"b:1\" ; proto=https,", vec![element("a", "https", "b:1")]),
            ("for=1.2.3.4:80;;host=a", vec![element("1.2.3.4:80", "", "a")]),
            ("", vec![]),
            (" , ,", vec![]),
            ("secret=\"x y\";for=a", vec![element("a", "", "")]),
        ] {
            assert_eq!(parse(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn refuses_what_two_readers_could_part_in_two_ways() {
        for line in [
            "for",
            "for=",
            "=a",
            "for=a b",
            "for=\"a",
            "for=\"\"",
            "for=\"a\"b",
            "for=\"a\\\"\";host=b",
            "for=a;for=b",
            "host=a;HOST=b",
            "for = a",
            "for=ż",
            "for=a/b",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let text = write("2001:db8::1, 10.0.0.1", "a.example:8443", "https");
        assert_eq!(text, "for=\"[2001:db8::1]\";host=\"a.example:8443\";proto=https, for=10.0.0.1");
        let first = element("[2001:db8::1]", "https", "a.example:8443");
        assert_eq!(parse(&text), Some(vec![first, element("10.0.0.1", "", "")]));
    }
}
