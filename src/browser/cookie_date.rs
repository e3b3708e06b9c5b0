//! The dates of cookies (RFC 6265bis 5.1.1), which servers write in many ways.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::base::clock::Time;

/// Reads a date; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<Time> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let is_delimiter =
        |letter: char| !(letter.is_ascii_alphanumeric() || letter == ':' || !letter.is_ascii());
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = read_time(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = read_number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = read_month(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = read_number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        year => year,
    };
    let (hour, minute, second) = time?;
    if year < 1601 {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let (day, month) = (small(day?)?, month?);
    let (hour, minute, second) = (small(hour)?, small(minute)?, small(second)?);
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(date).ok()
}

/// Digits at the beginning of a token, at least and at most so many; other letters may follow.
fn read_number(token: &str, least: usize, most: usize) -> Option<i16> {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&digits) {
        return None;
    }
    token[..digits].parse().ok()
}

fn read_time(token: &str) -> Option<(i16, i16, i16)> {
    let mut parts = token.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = |part: &str| {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { read_number(part, 1, 2) } else { None }
    };
    Some((whole(hour)?, whole(minute)?, read_number(second, 1, 2)?))
}

fn read_month(token: &str) -> Option<i8> {
    let name = token.get(..3)?;
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_are_about() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 november 1994 08:49:37",
        ] {
            assert_eq!(parse(text), Some("1994-11-06T08:49:37Z".parse().unwrap()), "{text}");
        }
        assert_eq!(
            parse("Thu, 01-Jan-70 00:00:00 GMT"),
            Some("1970-01-01T00:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "Sun, 06 Nov 1994",
            "08:49:37 GMT",
            "Sun, 31 Feb 2030 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1500 08:49:37 GMT",
            "żżż żż żż:żż:żż",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
