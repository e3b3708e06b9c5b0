//! Tests of what is read of a trace, and what is not.

use proptest::prelude::*;

use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn headers(parents: &[&str], states: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in parents {
        headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
    }
    for value in states {
        headers.append(TRACESTATE, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn state_of(states: &[&str]) -> Option<String> {
    let parent = Parent::read(&headers(&[&format!("00-{TRACE}-{SPAN}-01")], states)).unwrap();
    parent.state.map(|state| state.to_str().unwrap().to_owned())
}

#[test]
fn a_trace_is_read_as_the_standard_writes_it_and_in_no_other_way() {
    let other = "0af7651916cd43dd8448eb211c80319";
    for (value, is_read) in [
        (format!("00-{TRACE}-{SPAN}-01"), true),
        (format!("00-{TRACE}-{SPAN}-00"), true),
        // Flags that are not known do not matter; neither does what a later version adds.
        (format!("00-{TRACE}-{SPAN}-ff"), true),
        (format!("cc-{TRACE}-{SPAN}-01"), true),
        (format!("cc-{TRACE}-{SPAN}-01-what-the-future-says"), true),
        (format!("01-{TRACE}-{SPAN}-01"), true),
        (format!("cc-{TRACE}-{SPAN}-01.what"), false),
        (format!("cc-{TRACE}-{SPAN}-010"), false),
        (format!("ff-{TRACE}-{SPAN}-01"), false),
        (format!("00-{TRACE}-{SPAN}-01-"), false),
        (format!("00-{TRACE}-{SPAN}-01-more"), false),
        (format!("00-{TRACE}-{SPAN}-0"), false),
        (format!("00-{TRACE}-{SPAN}-"), false),
        (format!("00-{TRACE}-{SPAN}"), false),
        (format!("0-{TRACE}-{SPAN}-01"), false),
        (format!("000-{TRACE}-{SPAN}-01"), false),
        (format!("0x-{TRACE}-{SPAN}-01"), false),
        (format!(".0-{TRACE}-{SPAN}-01"), false),
        (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), false),
        (format!("00-{TRACE}-{}-01", SPAN.to_uppercase()), false),
        (format!("00-{other}.-{SPAN}-01"), false),
        (format!("00-{other}-{SPAN}-01"), false),
        (format!("00-{other}aa-{SPAN}-01"), false),
        (format!("00-{TRACE}-{}.-01", &SPAN[..15]), false),
        (format!("00-{TRACE}-{SPAN}-0."), false),
        (format!("00-{TRACE}-{SPAN}-0G"), false),
        (format!("00_{TRACE}-{SPAN}-01"), false),
        (format!("00-{TRACE}_{SPAN}-01"), false),
        (format!("00-{TRACE}-{SPAN}_01"), false),
        (format!("00-{}-{SPAN}-01", "0".repeat(32)), false),
        (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
        (format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"), false),
        (TRACE.to_owned(), false),
        (String::new(), false),
    ] {
        let parent = Parent::read(&headers(&[&value], &[]));
        assert_eq!(parent.is_some(), is_read, "{value}");
        if let Some(parent) = parent {
            assert_eq!(
                (parent.trace.to_string(), parent.span.to_string()),
                (TRACE.into(), SPAN.into())
            );
            assert_eq!(parent.flags.byte() & !3, 0, "{value}");
        }
    }
    let one = format!("00-{TRACE}-{SPAN}-01");
    assert_eq!(Parent::read(&headers(&[&one, &one], &[])), None, "two are no trace");
    assert_eq!(Parent::read(&headers(&[], &["a=b"])), None);
}

#[test]
fn the_state_goes_on_whole_or_not_at_all() {
    let many = |count: usize| {
        let members: Vec<_> = (0..count).map(|number| format!("k{number}=v")).collect();
        members.join(",")
    };
    let long_key = "z".repeat(256);
    for (states, expected) in [
        (
            vec!["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ),
        (vec!["foo=1", "bar=2"], Some("foo=1,bar=2")),
        (vec!["foo=1 \t , \t bar=2, \t baz=3"], Some("foo=1,bar=2,baz=3")),
        (vec!["foo=1,", ",", "bar=2"], Some("foo=1,bar=2")),
        (
            vec!["fw529a3039@dt=FfAuK,0tenant=x,a/b*c_d-e=f g"],
            Some("fw529a3039@dt=FfAuK,0tenant=x,a/b*c_d-e=f g"),
        ),
        (vec![""], None),
        (vec!["foo=1", "foo=1"], None),
        (vec!["foo=1,foo=2"], None),
        (vec!["foo 1"], None),
        (vec!["foo"], None),
        (vec!["foo="], None),
        (vec!["=1"], None),
        (vec!["Foo=1"], None),
        (vec!["foo =1"], None),
        (vec!["foo.bar=1"], None),
        (vec!["@foo=1"], None),
        (vec!["foo=bar=baz"], None),
        (vec!["foo=a\tb"], None),
    ] {
        assert_eq!(state_of(&states).as_deref(), expected, "{states:?}");
    }
    assert!(state_of(&[&many(32)]).is_some());
    assert_eq!(state_of(&[&many(33)]), None);
    assert!(state_of(&[&format!("{long_key}=v")]).is_some());
    assert_eq!(state_of(&[&format!("{long_key}z=v")]), None);
    assert_eq!(state_of(&[&format!("a={}", "v".repeat(257))]), None);
    // What does not fit is left out from the end, in whole members.
    let (long, short) = (format!("a={}", "v".repeat(253)), "c=3".to_owned());
    let whole = format!("{long},b{long},{short}");
    assert_eq!(state_of(&[&whole]).unwrap(), format!("{long},b{long}"));
}

#[test]
fn what_is_made_here_is_random_and_never_nothing() {
    let traces: std::collections::HashSet<_> =
        (0..5_000).map(|_| make_both().0.to_string()).collect();
    let spans: std::collections::HashSet<_> = (0..5_000).map(|_| SpanId::make().0).collect();
    assert_eq!((traces.len(), spans.len()), (5_000, 5_000));
    assert!(Flags::RANDOM.sampled().is_sampled() && !Flags::RANDOM.is_sampled());
    let text = Traceparent::new(TraceId([1; 16]), SpanId([0xfe; 8]), Flags::RANDOM.sampled());
    assert_eq!(text.as_bytes(), b"00-01010101010101010101010101010101-fefefefefefefefe-03");
    assert_eq!(TraceId([0xff; 16]).random_part(), (1 << 56) - 1);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        trace in any::<[u8; 16]>(), span in any::<[u8; 8]>(), flags in 0..4u8, broken in 0..55usize,
        with in any::<u8>(),
    ) {
        prop_assume!(trace != [0; 16] && span != [0; 8]);
        let whole = (TraceId(trace), SpanId(span), Flags(flags));
        let text = Traceparent::new(whole.0, whole.1, whole.2);
        prop_assert_eq!(parse(text.as_bytes()), Some(whole));
        // One byte changed is another trace or none, and never the same one.
        let mut other = text.0;
        other[broken] = with;
        let is_same = other == text.0 || !(2..53).contains(&broken);
        prop_assert!(is_same || parse(&other) != Some(whole));
    }

    #[test]
    fn whatever_comes_is_read_or_not_and_what_is_read_is_canonical(
        parent in proptest::collection::vec(any::<u8>(), 0..80),
        states in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..700), 0..3),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for state in &states {
            if let Ok(value) = HeaderValue::from_bytes(state) {
                headers.append(TRACESTATE, value);
            }
        }
        let state = Parent::read(&headers).unwrap().state;
        if let Some(state) = state {
            prop_assert!(state.len() <= MAX_STATE);
            let mut again = HeaderMap::new();
            again.insert(TRACESTATE, state.clone());
            prop_assert_eq!(super::state(&again), Some(state));
        }
        if let Ok(value) = HeaderValue::from_bytes(&parent) {
            headers.insert(TRACEPARENT, value);
            if let Some(Parent { trace, span, flags, .. }) = Parent::read(&headers) {
                let text = Traceparent::new(trace, span, flags);
                prop_assert_eq!(&text.as_bytes()[3..52], &parent[3..52]);
            }
        }
    }
}
