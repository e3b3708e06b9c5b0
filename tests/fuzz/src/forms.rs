//! Forms that are kept across a login, and the small one that comes back for them.
//!
//! What is kept comes back byte for byte, once, and for its browser only. Looking into the
//! beginning of a body changes nothing of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;

use crate::product::{
    About, Binding, Form, Forms, Framing, Handle, Incoming, Memory, Network, Reader, Sealer,
    Slowest, Stream, Time,
};
use crate::script::{Script, block_on};

/// What our small form begins with.
const FIELD: &[u8] = b"brama-form=";
/// The longest body that could be our small form.
const LONGEST: usize = FIELD.len() + Handle::LENGTH + 2;
/// How many bytes of forms are kept.
const MOST_BYTES: usize = 64 * 1024;

/// Looks at one input: how it is cut, how its length is told, then the body.
pub fn run(data: &[u8]) {
    let Some(([cut, told], bytes)) = data.split_first_chunk() else { return };
    block_on(async {
        beginning_changes_nothing(bytes, *cut, *told).await;
        kept_comes_back(bytes).await;
    });
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(handle) = Handle::parse(text)
    {
        assert_eq!((handle.as_str(), text.len()), (text, Handle::LENGTH));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}

/// Reads a body directly, and after its beginning was looked at.
async fn beginning_changes_nothing(bytes: &[u8], cut: u8, told: u8) {
    let framing = match told % 4 {
        0 => Framing::Chunked,
        1 => Framing::Length(u64::from(told >> 2)),
        _ => Framing::Length(bytes.len() as u64),
    };
    let body = || {
        let (reader, _) = Stream::split_any(Script::new(bytes, cut).0);
        Incoming::wire(
            Reader::new(reader),
            framing,
            false,
            Slowest { stall: Duration::from_secs(1), rate: 0 },
        )
        .0
    };
    let direct = read(body()).await;
    let begun = match body().begin(FIELD, LONGEST).await {
        Ok(begun) => {
            if let (Some(whole), Some((all, _))) = (begun.as_whole(), &direct) {
                assert_eq!(whole, all);
            }
            // Something that could still be ours is here to its end.
            if let Some((all, _)) = &direct
                && all.starts_with(FIELD)
                && all.len() <= FIELD.len()
            {
                assert!(begun.as_whole().is_some());
            }
            read(begun).await
        }
        Err(_) => None,
    };
    assert_eq!(direct, begun);
}

async fn read(body: Incoming) -> Option<(Bytes, HeaderMap)> {
    let whole = body.collect().await.ok()?;
    let trailer = whole.trailers().cloned().unwrap_or_default();
    Some((whole.to_bytes(), trailer))
}

async fn kept_comes_back(bytes: &[u8]) {
    let forms = Forms::new(
        Arc::new(Memory::new(16)),
        Sealer::default(),
        Duration::from_secs(600),
        MOST_BYTES,
    );
    let now = Time::from_second(1_900_000_000).expect("it is a time");
    let text: String = String::from_utf8_lossy(bytes).chars().take(64).collect();
    let about = About {
        host: text.clone(),
        target: format!("/{text}"),
        content_type: "text/plain".to_owned(),
        referer: bytes.len().is_multiple_of(2).then_some(text),
    };
    let form = Form { about, body: Bytes::copy_from_slice(bytes) };
    let (binding, other) = (Binding::generate(), Binding::generate());
    let network = Network::of(IpAddr::V4(Ipv4Addr::LOCALHOST), 32, 56);
    let Ok(handle) = forms.keep(&form, &binding, network, now).await else { return };
    assert!(forms.kept().1 <= MOST_BYTES);
    let take =
        async |binding: &Binding| forms.take(&handle, binding, now).await.expect("it is there");
    assert!(take(&other).await.is_none(), "another browser takes it");
    let taken = take(&binding).await.expect("it comes back");
    assert_eq!((taken.about, taken.body), (form.about, form.body));
    assert!(take(&binding).await.is_none(), "it comes back twice");
}
