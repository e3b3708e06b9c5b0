//! The answer to a scrape: each metric of the catalogue once, in its order.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::catalogue::{ALL, Kind, Metric, ROWS_LEFT_OUT};
use super::histogram::Spread;

/// How many rows one answer has at most.
pub const MOST_ROWS: usize = 10_000;

/// Knows the numbers at the time of a scrape; the program has one, tests have others.
pub trait Source: Send + Sync + 'static {
    /// Writes all of them.
    ///
    /// # Errors
    /// When the text cannot be made.
    fn write(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result;
}

/// How the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As Prometheus always read it.
    Prometheus,
    /// As the standard has it that came from it.
    OpenMetrics,
}

impl Format {
    /// Chooses the format that the client likes better: OpenMetrics when it is named at all.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        match accept.to_ascii_lowercase().contains("application/openmetrics-text") {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// Returns the value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Makes the text of each scrape from a [`Source`].
pub struct Scraper(Registry);

impl Scraper {
    /// Makes it for a source.
    #[must_use]
    pub fn new(source: Arc<dyn Source>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Numbers(source)));
        Self(registry)
    }

    /// Returns the text. Looks at files, so it may block.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn text(&self, format: Format) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(32 * 1024);
        match format {
            Format::Prometheus => prometheus_text::encode(&mut out, &self.0)?,
            Format::OpenMetrics => text::encode(&mut out, &self.0)?,
        }
        Ok(out)
    }
}

struct Numbers(Arc<dyn Source>);

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

impl Collector for Numbers {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut encoder =
            MetricsEncoder { encoder, written: HashSet::new(), room: MOST_ROWS, left_out: 0 };
        self.0.write(&mut encoder)?;
        encoder.end()
    }
}

/// An answer in the making.
pub struct MetricsEncoder<'e> {
    encoder: DescriptorEncoder<'e>,
    written: HashSet<&'static str>,
    room: usize,
    left_out: u64,
}

/// The rows of one metric.
pub struct Samples<'s> {
    metric: &'static Metric,
    encoder: MetricEncoder<'s>,
    seen: HashSet<String>,
    room: &'s mut usize,
    left_out: &'s mut u64,
}

impl MetricsEncoder<'_> {
    /// Writes a metric of one row and no labels.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn one(&mut self, metric: &'static Metric, value: f64) -> fmt::Result {
        self.rows(metric, |rows| rows.add(&[], value))
    }

    /// Writes a metric by what counts under a name.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn by_name(&mut self, metric: &'static Metric, counts: &super::ByName) -> fmt::Result {
        self.rows(metric, |rows| {
            counts.all().iter().try_for_each(|(name, count)| rows.add(&[name], *count as f64))
        })
    }

    /// Writes a metric with all of its rows. Once for each metric.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn rows(
        &mut self,
        metric: &'static Metric,
        write: impl FnOnce(&mut Samples<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let is_first = self.written.insert(metric.name);
        debug_assert!(is_first, "{} is written once", metric.name);
        if !is_first {
            return Ok(());
        }
        let (name, unit) = unit(metric.name);
        let (kind, unit) = (metric.kind.into(), unit.as_ref());
        let encoder = self.encoder.encode_descriptor(name, metric.help, unit, kind)?;
        write(&mut Samples {
            metric,
            encoder,
            seen: HashSet::new(),
            room: &mut self.room,
            left_out: &mut self.left_out,
        })
    }

    /// Names what has no row at the moment, so that the list is always whole.
    fn end(mut self) -> fmt::Result {
        for metric in ALL {
            if metric.name != ROWS_LEFT_OUT.name && !self.written.contains(metric.name) {
                self.rows(metric, |_| Ok(()))?;
            }
        }
        self.room += 1;
        let left_out = self.left_out;
        self.one(&ROWS_LEFT_OUT, left_out as f64)
    }
}

impl Samples<'_> {
    /// Writes a row with the values of its labels, in the order of the catalogue.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn add(&mut self, values: &[&str], value: f64) -> fmt::Result {
        let kind = self.metric.kind;
        self.row(values, 1, |mut encoder| match kind {
            // Written without a fraction: what is counted is whole, but for seconds.
            Kind::Counter if value.fract() == 0.0 && value >= 0.0 => {
                encoder.encode_counter::<NoLabelSet, u64, u64>(&(value as u64), None)
            }
            Kind::Counter => encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None),
            _ if value.fract() == 0.0 && value.abs() < WHOLE => {
                encoder.encode_gauge(&(value as i64))
            }
            _ => encoder.encode_gauge(&value),
        })
    }

    /// Writes a distribution.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn spread(&mut self, values: &[&str], spread: &Spread) -> fmt::Result {
        let buckets = spread.buckets();
        // With the sum and the count.
        let rows = buckets.len() + 2;
        self.row(values, rows, |mut encoder| {
            encoder.encode_histogram::<NoLabelSet>(spread.seconds(), spread.count(), &buckets, None)
        })
    }

    /// A second row with the same labels would make the whole text worthless, so there is none.
    fn row(
        &mut self,
        values: &[&str],
        rows: usize,
        write: impl FnOnce(MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        debug_assert_eq!(values.len(), self.metric.labels.len(), "{}", self.metric.name);
        if !self.seen.insert(values.join("\0")) {
            return Ok(());
        }
        let Some(room) = self.room.checked_sub(rows) else {
            *self.left_out += rows as u64;
            return Ok(());
        };
        *self.room = room;
        let labels: Vec<(&str, &str)> =
            self.metric.labels.iter().copied().zip(values.iter().copied()).collect();
        match self.metric.kind {
            Kind::Info => self.encoder.encode_info(&labels),
            _ => write(self.encoder.encode_family(&labels)?),
        }
    }
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Histogram => Self::Histogram,
            Kind::Info => Self::Info,
        }
    }
}

/// OpenMetrics has the unit of a metric on a line of its own, and at the end of its name.
fn unit(name: &'static str) -> (&'static str, Option<Unit>) {
    let units = [("_seconds", Unit::Seconds), ("_bytes", Unit::Bytes)];
    let found = units.into_iter().find_map(|(end, unit)| Some((name.strip_suffix(end)?, unit)));
    found.map_or((name, None), |(name, unit)| (name, Some(unit)))
}

/// Up to here every whole number is exact.
const WHOLE: f64 = 9e15;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::catalogue;
    use super::super::histogram::{Histogram, OF_STORES};
    use super::*;

    struct Few(usize);

    impl Source for Few {
        fn write(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
            encoder.one(&catalogue::SESSIONS, 7.0)?;
            encoder.one(&catalogue::PROCESS_CPU, 1.5)?;
            encoder.rows(&catalogue::REFUSALS, |rows| {
                rows.add(&["login.expired"], 2.0)?;
                rows.add(&["login.expired"], 3.0)
            })?;
            encoder.rows(&catalogue::UPSTREAM_REQUESTS, |rows| {
                (0..self.0).try_for_each(|n| rows.add(&[&format!("a\"\n{n}")], 0.0))
            })
        }
    }

    fn text(count: usize, format: Format) -> String {
        Scraper::new(Arc::new(Few(count))).text(format).unwrap()
    }

    #[test]
    fn rows_are_written_once_and_labels_cannot_break_out_of_their_quotes() {
        let text = text(1, Format::Prometheus);
        for line in [
            "# TYPE brama_sessions gauge",
            "brama_sessions 7",
            "process_cpu_seconds_total 1.5",
            "brama_refusals_total{code=\"login.expired\"} 2",
            "brama_upstream_requests{upstream=\"a\\\"\\n0\"} 0",
            "brama_scrape_rows_left_out 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert!(!text.contains("} 3"), "{text}");
    }

    struct Spreads(usize);

    impl Source for Spreads {
        fn write(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
            let histogram = Histogram::new(&OF_STORES);
            histogram.observe(Duration::from_micros(600));
            encoder.rows(&catalogue::STORE_DURATION, |rows| {
                (0..self.0).try_for_each(|n| rows.spread(&[&n.to_string()], &histogram.spread()))
            })
        }
    }

    #[test]
    fn a_distribution_has_its_unit_and_all_of_its_rows_count() {
        let text = |count, format| Scraper::new(Arc::new(Spreads(count))).text(format).unwrap();
        let name = "brama_store_operation_duration_seconds";
        let open = text(1, Format::OpenMetrics);
        for line in [
            format!("# UNIT {name} seconds"),
            format!("{name}_bucket{{le=\"0.0005\",operation=\"0\"}} 0"),
            format!("{name}_bucket{{le=\"0.001\",operation=\"0\"}} 1"),
            format!("{name}_bucket{{le=\"+Inf\",operation=\"0\"}} 1"),
            format!("{name}_count{{operation=\"0\"}} 1"),
            format!("{name}_sum{{operation=\"0\"}} 0.0006"),
        ] {
            assert!(open.lines().any(|one| one == line), "{line} in {open}");
        }
        assert!(!text(1, Format::Prometheus).contains("# UNIT"));
        // Eleven rows each: the last one would be in part beyond the bound, so it is left out whole.
        let all = MOST_ROWS.div_ceil(11);
        let text = text(all, Format::Prometheus);
        assert!(text.contains("brama_scrape_rows_left_out 11\n"));
        assert_eq!(text.lines().filter(|line| line.contains("_count{")).count(), all - 1);
    }

    #[test]
    fn metrics_without_a_row_are_named_all_the_same() {
        for format in [Format::Prometheus, Format::OpenMetrics] {
            let text = text(0, format);
            for metric in ALL {
                let name = match format {
                    Format::Prometheus => metric.full_name(),
                    Format::OpenMetrics => metric.name.to_owned(),
                };
                let begin = format!("# TYPE {name} ");
                assert_eq!(text.matches(&begin).count(), 1, "{begin}");
            }
        }
        assert!(text(0, Format::OpenMetrics).ends_with("# EOF\n"));
    }

    #[test]
    fn an_answer_has_a_bound_and_says_what_it_left_out() {
        let text = text(MOST_ROWS + 5, Format::Prometheus);
        assert!(text.contains("brama_scrape_rows_left_out 8\n"));
        let rows = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows, MOST_ROWS + 1);
    }

    #[test]
    fn the_format_is_the_one_that_is_understood() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for other in ["", "*/*", "text/plain", "text/html,application/xml"] {
            assert_eq!(Format::accepted(other), Format::Prometheus, "{other}");
        }
    }
}
