//! A length of time as people write it: `"15m"`, `"8h"`, `"1h 30m"`, `"30d"`.
//!
//! A day is 24 hours and a week is seven days. Months and years have no fixed length and are
//! refused, as are negative times.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SignedDuration, SpanRelativeTo, fmt::friendly::SpanParser};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time with its unit, such as `"15m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// Makes one from whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Makes one from milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// Returns the time as the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for HumanDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for HumanDuration {
    type Err = HumanDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_TEXT {
            return Err(HumanDurationError::TooLong);
        }
        let span = SpanParser::new().parse_span(text).map_err(HumanDurationError::Malformed)?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(HumanDurationError::Calendar);
        }
        let length = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(HumanDurationError::Malformed)?;
        Duration::try_from(length).map(Self).map_err(|_| HumanDurationError::Negative)
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = HumanDurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HumanDuration> for String {
    fn from(duration: HumanDuration) -> Self {
        duration.to_string()
    }
}

/// Writes the largest unit that divides it: `30d`, `8h`, `15m`, `10s`, `250ms`. A minute is `60s`.
impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            _ if self.0.subsec_nanos() != 0 => match SignedDuration::try_from(self.0) {
                Ok(exact) => write!(f, "{exact:#}"),
                Err(_) => write!(f, "{seconds}s"),
            },
            1.. if seconds.is_multiple_of(86_400) => write!(f, "{}d", seconds / 86_400),
            1.. if seconds.is_multiple_of(3_600) => write!(f, "{}h", seconds / 3_600),
            120.. if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

impl JsonSchema for HumanDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HumanDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Why a text is not a length of time.
#[derive(Debug, thiserror::Error)]
pub enum HumanDurationError {
    /// It does not read as a number with a unit.
    #[error("not a length of time: {0}")]
    Malformed(#[source] jiff::Error),
    /// It counts months or years.
    #[error("months and years differ in length, count in weeks, days, hours, minutes or seconds")]
    Calendar,
    /// It is below zero.
    #[error("a length of time cannot be negative")]
    Negative,
    /// It is longer than any sensible one.
    #[error("a length of time has at most {MAX_TEXT} characters")]
    TooLong,
}

const MAX_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("15m", 900),
            ("8h", 28_800),
            ("30d", 2_592_000),
            ("1w", 604_800),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("10 seconds", 10),
            ("0s", 0),
        ] {
            assert_eq!(text.parse::<HumanDuration>().unwrap().get().as_secs(), seconds, "{text}");
        }
        assert_eq!("250ms".parse::<HumanDuration>().unwrap().get(), Duration::from_millis(250));
    }

    #[test]
    fn refuses_what_has_no_fixed_length_or_no_sense() {
        for text in ["", "15", "-5m", "5m ago", "1y", "2 months", "1y 1h", "soon", "PT15M", "h"] {
            assert!(text.parse::<HumanDuration>().is_err(), "{text}");
        }
        assert!("1".repeat(100).parse::<HumanDuration>().is_err());
        assert!("99999999999w".parse::<HumanDuration>().is_err());
    }

    #[test]
    fn reads_back_what_it_writes() {
        for text in ["30d", "8h", "15m", "60s", "10s", "0s", "250ms"] {
            let duration: HumanDuration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
        let odd = HumanDuration(Duration::new(61, 500_000_000));
        assert_eq!(odd.to_string().parse::<HumanDuration>().unwrap(), odd);
    }
}
