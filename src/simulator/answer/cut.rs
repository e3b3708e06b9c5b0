//! Finds and cuts pieces of messages that are ours, where plain searching in the text is enough.

use std::ops::Range;

/// Finds from the first `start` to the first `end` behind it, both included.
pub(super) fn find(text: &str, start: &str, end: &str) -> Option<Range<usize>> {
    let from = text.find(start)?;
    let length = text[from..].find(end)? + end.len();
    Some(from..from + length)
}

/// Changes the first start tag that begins so.
pub(super) fn in_tag(text: &str, start: &str, change: impl Fn(&str) -> String) -> String {
    match find(text, start, ">") {
        Some(tag) => {
            format!("{}{}{}", &text[..tag.start], change(&text[tag.clone()]), &text[tag.end..])
        }
        None => text.to_owned(),
    }
}

/// Takes an attribute out of a start tag.
pub(super) fn without_attribute(tag: &str, name: &str) -> String {
    let name = format!(" {name}=\"");
    let Some(start) = tag.find(&name) else { return tag.to_owned() };
    let value = start + name.len();
    let end = tag[value..].find('"').map_or(value, |length| value + length + 1);
    format!("{}{}", &tag[..start], &tag[end..])
}

/// Takes out what begins and ends so.
pub(super) fn without(text: &str, start: &str, end: &str) -> String {
    find(text, start, end).map_or_else(
        || text.to_owned(),
        |range| format!("{}{}", &text[..range.start], &text[range.end..]),
    )
}
