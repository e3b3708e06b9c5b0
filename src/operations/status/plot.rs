//! Plots of counts, as SVG that stands in the page: bars from the oldest to the newest.
//!
//! Their look is that of the stylesheet; whoever cannot see them reads what they say in the caption.

use maud::{Markup, html};

/// A plot.
pub(super) struct Plot<'p> {
    /// What it is called.
    pub(super) title: &'p str,
    /// What it says, in words.
    pub(super) caption: String,
    /// The counts, the oldest first.
    pub(super) counts: Vec<u64>,
    /// What stands below its beginning, its middle and its end.
    pub(super) times: [String; 3],
    /// Whether what it counts is bad.
    pub(super) is_bad: bool,
}

impl Plot<'_> {
    pub(super) fn markup(&self) -> Markup {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let step = WIDTH as f64 / self.counts.len().max(1) as f64;
        let bar = if self.is_bad { "bar bad" } else { "bar" };
        html! {
            figure {
                figcaption { strong { (self.title) } " " span { (self.caption) } }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT + 18) } aria-hidden="true" focusable="false" {
                    line class="line" x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
                    @for (place, count) in self.counts.iter().enumerate() {
                        @if *count > 0 {
                            @let height = height(*count, most);
                            rect class=(bar) x=(tenths(place as f64 * step)) y=(tenths(HEIGHT as f64 - height))
                                width=(tenths((step * 0.8).max(1.0))) height=(tenths(height)) {}
                        }
                    }
                    @if most > 0 { text x="2" y="10" { (most) } }
                    text x="0" y=(HEIGHT + 14) { (self.times[0]) }
                    text x=(WIDTH / 2) y=(HEIGHT + 14) text-anchor="middle" { (self.times[1]) }
                    text x=(WIDTH) y=(HEIGHT + 14) text-anchor="end" { (self.times[2]) }
                }
            }
        }
    }
}

/// The least that is counted is seen, beside whatever else.
fn height(count: u64, most: u64) -> f64 {
    (count as f64 / most.max(1) as f64 * (HEIGHT - 14) as f64).max(1.5)
}

/// Few digits make a short page.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

const WIDTH: u32 = 600;
const HEIGHT: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(counts: &[u64]) -> String {
        let times = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let (title, caption) = ("logins", "<3>".to_owned());
        let counts = counts.to_vec();
        Plot { title, caption, counts, times, is_bad: false }.markup().into_string()
    }

    #[test]
    fn each_count_has_its_bar_and_none_where_there_is_nothing() {
        let text = plot(&[0, 2, 4, 0]);
        assert_eq!(text.matches("<rect").count(), 2);
        assert!(text.contains("height=\"86\""), "the highest: {text}");
        assert!(text.contains("height=\"43\""), "half of it: {text}");
        assert!(text.contains(">4</text>") && text.contains("&lt;3&gt;"), "{text}");
        for empty in [&[][..], &[0, 0]] {
            assert!(!plot(empty).contains("<rect"));
        }
        assert!(plot(&[u64::MAX, 1]).contains("height=\"1.5\""), "seen beside very many");
    }
}
