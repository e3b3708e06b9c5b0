//! A node that is well and unwell by the clock, such as `10s ok, 5s down, 5s slow=3s, repeat`.
//!
//! 1. Steps are parted by commas or lines; what follows `#` is a remark.
//! 2. Each step has a time and a condition. The last word may be `repeat`; without it the node is
//!    well after the last step.
//! 3. Time is that of the simulator's clock, counted from when the schedule was set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::time::time;
use crate::config::file::HumanDuration;
use crate::simulator::bounds::SCHEDULE_STEPS;

/// How the endpoint for artifacts is at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// It answers.
    #[default]
    Ok,
    /// It cannot be reached: each connection is reset before a byte was read.
    Down,
    /// It answers 503.
    Unavailable,
    /// It answers after a time.
    Slow(Duration),
    /// It reads the request and resets the connection.
    Reset,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Down => f.write_str("down"),
            Self::Unavailable => f.write_str("503"),
            Self::Slow(time) => write!(f, "slow={}", HumanDuration::from(*time)),
            Self::Reset => f.write_str("reset"),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "ok" => Self::Ok,
            "down" => Self::Down,
            "503" => Self::Unavailable,
            "reset" => Self::Reset,
            _ => match text.strip_prefix("slow=") {
                Some(wait) => Self::Slow(time(wait)?),
                None => {
                    let known = "ok, down, 503, slow=TIME, reset";
                    return Err(format!("unknown condition {text:?}; there are {known}"));
                }
            },
        })
    }
}

/// Conditions one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    steps: Vec<(Duration, Condition)>,
    repeats: bool,
}

impl Schedule {
    /// Returns the condition so long after the beginning.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Condition {
        let whole: Duration = self.steps.iter().map(|(time, _)| *time).sum();
        let mut left = elapsed;
        if self.repeats {
            // A step is a millisecond at least, so the whole is not nothing.
            let nanoseconds = elapsed.as_nanos() % whole.as_nanos().max(1);
            left = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
        }
        for (time, condition) in &self.steps {
            if left < *time {
                return *condition;
            }
            left -= *time;
        }
        Condition::Ok
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (time, condition)) in self.steps.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {condition}", HumanDuration::from(*time))?;
        }
        f.write_str(if self.repeats { ", repeat" } else { "" })
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut schedule = Self { steps: Vec::new(), repeats: false };
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            for word in line.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                let said = |what: String| format!("line {}: {what}", index + 1);
                if schedule.repeats {
                    return Err(said(format!("{word:?} stands behind \"repeat\"")));
                }
                if word == "repeat" {
                    schedule.repeats = true;
                    continue;
                }
                let (length, condition) =
                    word.split_once(char::is_whitespace).ok_or_else(|| {
                        said(format!("{word:?} is no step; write one as \"10s down\""))
                    })?;
                let length = time(length).map_err(said)?;
                let condition = condition.trim().parse().map_err(said)?;
                schedule.steps.push((length, condition));
            }
        }
        if schedule.steps.is_empty() || schedule.steps.len() > SCHEDULE_STEPS {
            let found = schedule.steps.len();
            return Err(format!("has {found} steps; write 1 to {SCHEDULE_STEPS}"));
        }
        Ok(schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_has_its_condition() {
        let text = "10s ok, 5s down # away\n5s slow=3s\n1s 503, 1s reset";
        let once: Schedule = text.parse().unwrap();
        let again: Schedule = format!("{text}\nrepeat").parse().unwrap();
        let slow = Condition::Slow(Duration::from_secs(3));
        for (second, condition) in [
            (0, Condition::Ok),
            (9, Condition::Ok),
            (10, Condition::Down),
            (14, Condition::Down),
            (15, slow),
            (19, slow),
            (20, Condition::Unavailable),
            (21, Condition::Reset),
        ] {
            let at = Duration::from_secs(second);
            assert_eq!(once.at(at), condition, "{second}");
            assert_eq!(again.at(at), condition, "{second}");
            let later = at + Duration::from_secs(22 * 1_000_000);
            assert_eq!((once.at(later), again.at(later)), (Condition::Ok, condition), "{second}");
        }
        assert_eq!(again.to_string().parse(), Ok(again));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "has 0 steps"),
            ("repeat", "has 0 steps"),
            ("10s", "line 1: \"10s\" is no step; write one as"),
            ("1s ok,\nfor 1s", "line 2: \"for\" is no time"),
            ("1s up", "line 1: unknown condition \"up\"; there are ok, down"),
            ("1s slow", "unknown condition \"slow\""),
            ("1s slow=x", "\"x\" is no time"),
            ("0s ok", "\"0s\" is no time"),
            ("25h ok", "\"25h\" is no time from"),
            ("1s ok, repeat, 1s down", "line 1: \"1s down\" stands behind \"repeat\""),
        ] {
            let said = text.parse::<Schedule>().unwrap_err();
            assert!(said.contains(expected), "{text}: {said}");
        }
        assert!("1s ok,".repeat(SCHEDULE_STEPS + 1).parse::<Schedule>().is_err());
    }
}
