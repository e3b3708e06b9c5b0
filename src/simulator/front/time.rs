//! Times as people write them.

use std::time::Duration;

use crate::config::file::HumanDuration;
use crate::simulator::bounds::LONGEST_STEP;

/// Reads a time such as `3s`, or says what to write.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<HumanDuration>().map(HumanDuration::get);
    let fits = |time: &Duration| !time.is_zero() && *time <= LONGEST_STEP;
    time.ok().filter(fits).ok_or_else(|| {
        let longest = HumanDuration::from(LONGEST_STEP);
        format!("{text:?} is no time from 1ms to {longest}; write it as \"3s\" or \"500ms\"")
    })
}
