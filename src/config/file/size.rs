//! A number of bytes as people write it: `"256 KiB"`, `"1 MB"`.

use std::{fmt, str::FromStr};

use bytesize::ByteSize;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A number of bytes with its unit, such as `"256 KiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HumanSize(ByteSize);

impl HumanSize {
    /// Makes one from bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(ByteSize::b(bytes))
    }

    /// Makes one from units of 1024 bytes.
    pub const fn from_kib(kib: u64) -> Self {
        Self(ByteSize::kib(kib))
    }

    /// Returns the number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0.as_u64()
    }
}

impl FromStr for HumanSize {
    type Err = HumanSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_: String| HumanSizeError)
    }
}

impl TryFrom<String> for HumanSize {
    type Error = HumanSizeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HumanSize> for String {
    fn from(size: HumanSize) -> Self {
        size.to_string()
    }
}

/// Writes the largest unit that divides it, so that nothing is rounded: `256 KiB`, `1000 B`.
impl fmt::Display for HumanSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes();
        match [(30, "GiB"), (20, "MiB"), (10, "KiB")]
            .into_iter()
            .find(|(shift, _)| bytes != 0 && bytes.trailing_zeros() >= *shift)
        {
            Some((shift, unit)) => write!(f, "{} {unit}", bytes >> shift),
            None => write!(f, "{bytes} B"),
        }
    }
}

impl JsonSchema for HumanSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HumanSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A text is not a number of bytes.
#[derive(Debug, thiserror::Error)]
#[error("not a size: a number and a unit such as KiB or MiB is expected")]
pub struct HumanSizeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, bytes) in
            [("256 KiB", 262_144), ("1MiB", 1_048_576), ("1 MB", 1_000_000), ("12", 12)]
        {
            assert_eq!(text.parse::<HumanSize>().unwrap().bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for text in ["", "big", "-1 KiB", "1 parsec"] {
            assert!(text.parse::<HumanSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        for text in ["256 KiB", "3 MiB", "1 GiB", "1000 B", "0 B"] {
            assert_eq!(text.parse::<HumanSize>().unwrap().to_string(), text);
        }
    }
}
