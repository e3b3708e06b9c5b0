//! The session timer on a page of the portal: `<script src="/.brama/session.js" defer></script>`.
//!
//! The demo's portal has a stricter policy than any portal needs (no inline style, no inline
//! script, Trusted Types); every visit ends with the check that nothing violated it.

use serde_json::Value;

use crate::harness::{Citizen, Scripts, visit_demo};

const PAGE: &str = "/application";
const TYPED: &str = "Proszę o wydanie zaświadczenia.";
const ESCAPE: char = '\u{e00c}';
const ENTER: char = '\u{e007}';
const TAB: char = '\u{e004}';

/// A session that a test can see the end of; the timer warns in the second half of it.
const SHORT: [&str; 2] = ["--idle", "14s"];
/// One of which a test sees no end.
const LONG: [&str; 2] = ["--idle", "10m"];
/// One that no sign of life prolongs.
const LAST: [&str; 4] = ["--idle", "20s", "--absolute", "16s"];

const TITLE: &str = "dialog h2";
const WARNS: &str = "Wkrótce nastąpi wylogowanie";
const ENDED: &str = "Sesja się skończyła";

#[tokio::test]
async fn the_citizen_is_warned_and_stays() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        citizen.types("#text", TYPED).await;
        is_shown(citizen, WARNS).await;
        assert!(says(citizen).await.contains("wylogujemy Cię za"), "{}", says(citizen).await);
        let left = seconds_left(citizen).await;
        assert!((1..=7).contains(&left), "{left} seconds: asking is no sign of life");
        pictures(citizen, "warning").await;

        // The focus is on "stay", and comes back to where it was.
        assert_eq!(focus(citizen).await, "Zostaję");
        citizen.strikes(ENTER).await;
        is_closed(citizen).await;
        assert!(seconds_left(citizen).await > left, "it was prolonged");
        assert_eq!(citizen.runs("return document.activeElement.id").await, "text");
        assert_eq!(typed(citizen).await, TYPED);
        assert_eq!(events(citizen).await, ["warn", "extended"]);

        // Escape is an answer too.
        is_shown(citizen, WARNS).await;
        let left = seconds_left(citizen).await;
        citizen.strikes(ESCAPE).await;
        citizen.waits_until("window.seen.filter((name) => name === 'extended').length === 2").await;
        is_closed(citizen).await;
        assert!(seconds_left(citizen).await > left, "it was prolonged");
    })
    .await;
}

#[tokio::test]
async fn the_focus_stays_in_the_dialog() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        is_shown(citizen, WARNS).await;
        let role = shadow("querySelector('dialog').getAttribute('role')");
        assert_eq!(citizen.runs(&format!("return {role}")).await, "alertdialog");
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(focus(citizen).await);
            citizen.strikes(TAB).await;
        }
        // Between the last and the first a browser visits its own window, never the page.
        assert!(
            seen.contains(&"Zostaję".to_owned()) && seen.contains(&"Wyloguj".to_owned()),
            "{seen:?}"
        );
        let active = citizen.runs("return document.activeElement.tagName").await;
        assert!(active == "BRAMA-SESSION" || active == "BODY", "{active}");

        // "Sign out" signs out.
        citizen.runs(&format!("{}.click()", shadow("querySelector('form button')"))).await;
        citizen.is_told("Wylogowano").await;
    })
    .await;
}

#[tokio::test]
async fn two_tabs_agree() {
    two_tabs("").await;
}

#[tokio::test]
async fn two_tabs_agree_in_a_browser_without_channels() {
    two_tabs("delete window.BroadcastChannel").await;
}

async fn two_tabs(change: &str) {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.changes_new_pages(change).await;
        citizen.signs_in(PAGE, "anna").await;
        citizen.opens_a_tab().await;
        citizen.changes_new_pages(change).await;
        citizen.opens(PAGE).await;
        citizen.arrives_at(PAGE).await;
        is_shown(citizen, WARNS).await;
        citizen.looks_at_tab(0).await;
        is_shown(citizen, WARNS).await;
        citizen.strikes(ENTER).await;
        is_closed(citizen).await;
        citizen.looks_at_tab(1).await;
        is_closed(citizen).await;

        // Nothing of it stays on the disk.
        assert_eq!(citizen.runs("return localStorage.length").await, 0);

        // And when it ends, it ends in both.
        is_shown(citizen, ENDED).await;
        citizen.looks_at_tab(0).await;
        is_shown(citizen, ENDED).await;
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_is_told_and_renewed_in_another_tab_without_losing_a_word() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        citizen.types("#text", TYPED).await;
        is_shown(citizen, ENDED).await;
        assert_eq!(events(citizen).await, ["warn", "ended expired"]);
        let more = shadow("querySelector('#more').textContent");
        let more = citizen.runs(&format!("return {more}")).await;
        assert!(
            more.as_str().unwrap().starts_with("To, co wpisano na tej stronie, nadal tu jest.")
        );
        pictures(citizen, "ended").await;
        let link = shadow("querySelector('a').getAttribute('href')");
        let link = citizen.runs(&format!("return {link}")).await;
        let link = link.as_str().unwrap();
        assert!(link.contains("/.brama/login?return_to=%2Fapplication&"), "{link}");

        // The link is what the focus comes to first; it opens another tab.
        citizen.strikes(TAB).await;
        citizen.strikes(ENTER).await;
        citizen.looks_at_tab_when_open(1).await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at(PAGE).await;
        citizen.looks_at_tab(0).await;
        is_closed(citizen).await;
        assert_eq!(typed(citizen).await, TYPED);
        assert_eq!(events(citizen).await[2], "resumed");
    })
    .await;
}

#[tokio::test]
async fn another_person_is_not_taken_for_the_one_whose_page_it_is() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        is_shown(citizen, ENDED).await;
        citizen.opens_a_tab().await;
        citizen.signs_in(PAGE, "lukasz").await;
        citizen.looks_at_tab(0).await;
        is_shown(citizen, "Zalogowana jest inna osoba").await;
        pictures(citizen, "somebody-else").await;
    })
    .await;
}

#[tokio::test]
async fn at_the_last_end_nothing_is_offered_that_cannot_be_kept() {
    visit_demo(&LAST, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        is_shown(citizen, "Sesja wkrótce się skończy").await;
        let text = says(citizen).await;
        assert!(text.contains("nie można jej przedłużyć"), "{text}");
        let labels = shadow("querySelector('.actions').innerText");
        let labels = citizen.runs(&format!("return {labels}")).await.to_string();
        assert!(!labels.contains("Zostaję") && labels.contains("Zaloguj się ponownie"), "{labels}");
        pictures(citizen, "last").await;
        // It can be put aside, and comes back only as the end.
        citizen.strikes(ESCAPE).await;
        is_closed(citizen).await;
        assert_eq!(events(citizen).await, ["warn"]);
        citizen.opens(PAGE).await;
        citizen.arrives_at(PAGE).await;
        notes_events(citizen).await;
        assert_eq!(citizen.runs("return !document.querySelector('brama-session')").await, true);
        is_shown(citizen, ENDED).await;
        assert_eq!(events(citizen).await.last().unwrap(), "ended expired");
    })
    .await;
}

#[tokio::test]
async fn signed_out_elsewhere_is_told_in_the_open_tab_and_on_the_next_page() {
    let arguments = [LONG[0], LONG[1], "--sessions-per-person", "1"];
    visit_demo(&arguments, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        citizen.types("#text", TYPED).await;
        let other = citizen.another().await;
        other.signs_in(PAGE, "anna").await;

        // Back at this computer.
        wakes(citizen).await;
        let told = "Wylogowano: zalogowano się w innym miejscu";
        is_shown(citizen, told).await;
        assert!(says(citizen).await.contains("zmień hasło"));
        assert_eq!(typed(citizen).await, TYPED);
        pictures(citizen, "elsewhere").await;
        citizen.opens("/account").await;
        citizen.is_told(told).await;

        // The twin: there it goes on.
        wakes(&other).await;
        assert!(seconds_left(&other).await > 500);
        assert_eq!(other.runs("return !document.querySelector('brama-session')").await, true);
        other.leaves().await;
    })
    .await;
}

#[tokio::test]
async fn typing_is_a_sign_of_life_and_a_script_that_pretends_to_type_is_none() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        // Pretended: the warning comes.
        citizen
            .runs(
                "window.pretending = setInterval(() => document.querySelector('#text')\
                 .dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true})), 50)",
            )
            .await;
        is_shown(citizen, WARNS).await;
        citizen.runs("clearInterval(window.pretending)").await;
        citizen.strikes(ENTER).await;
        is_closed(citizen).await;
        // Real: past the time at which it would come, and of the end too, it does not.
        let begun = std::time::Instant::now();
        while begun.elapsed().as_secs() < 16 {
            citizen.types("#text", "a").await;
            assert_eq!(citizen.runs("return window.seen.includes('ended expired')").await, false);
        }
        let warnings = events(citizen).await;
        assert_eq!(warnings.iter().filter(|name| *name == "warn").count(), 1, "{warnings:?}");
        assert!(seconds_left(citizen).await > 7);
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_ends_nothing() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        // What the timer has asked is answered; whoever never heard of a session warns of no end.
        citizen
            .waits_until(
                "performance.getEntriesByType('resource')\
                 .some(({name, responseEnd}) => name.endsWith('/.brama/session') && responseEnd > 0)",
            )
            .await;
        // First nothing answers, then something that is not the gateway.
        citizen
            .runs(
                "window.real = window.fetch; window.asked = 0;\
                 window.fetch = async () => {\
                   window.asked += 1;\
                   if (window.asked % 2) throw new TypeError('away');\
                   return new Response('<h1>503</h1>', {status: 503});\
                 }",
            )
            .await;
        is_shown(citizen, WARNS).await;
        citizen.strikes(ENTER).await;
        let checking = "Sprawdzamy, czy sesja jeszcze trwa…";
        citizen
            .waits_until(&format!(
                "{} === '{checking}'",
                shadow("querySelector('#text').textContent")
            ))
            .await;
        let note = shadow("querySelector('.note').textContent");
        citizen.waits_until(&format!("{note}.startsWith('Nie możemy teraz połączyć się')")).await;
        pictures(citizen, "unreachable").await;
        assert_eq!(events(citizen).await, ["warn"]);
        let asked = citizen.runs("return window.asked").await.as_u64().unwrap();
        assert!((2..12).contains(&asked), "{asked} questions");
        // It answers again, and only now it is known.
        citizen.runs("window.fetch = window.real; window.dispatchEvent(new Event('online'))").await;
        is_shown(citizen, ENDED).await;
    })
    .await;
}

#[tokio::test]
async fn a_sleep_or_a_clock_that_is_set_makes_it_ask_before_it_says_anything() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        notes_events(citizen).await;
        for hours in [1, -1] {
            let script = format!(
                "window.clock ??= Date.now; window.asked = 0; window.real ??= window.fetch;\
                 window.fetch = (...what) => {{ window.asked += 1; return window.real(...what) }};\
                 Date.now = () => window.clock.call(Date) + {hours} * 3600000;\
                 document.dispatchEvent(new Event('visibilitychange'))"
            );
            citizen.runs(&script).await;
            citizen.waits_until("window.asked >= 1").await;
            assert!(events(citizen).await.iter().all(|name| name == "extended"));
        }
        // By the clock that was set, it warns as it should.
        is_shown(citizen, WARNS).await;
        assert!((1..=7).contains(&seconds_left(citizen).await));
        citizen.strikes(ENTER).await;
        is_closed(citizen).await;
    })
    .await;
}

#[tokio::test]
async fn a_portal_with_a_banner_of_its_own_is_told_and_can_prolong() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        let attribute = "for (const script of document.scripts) script.dataset.banner = 'off'";
        citizen.changes_new_pages(attribute).await;
        citizen.opens(PAGE).await;
        citizen.arrives_at(PAGE).await;
        notes_events(citizen).await;
        citizen.waits_until("window.seen.includes('warn')").await;
        let left = seconds_left(citizen).await;
        citizen.runs("document.dispatchEvent(new Event('brama:extend'))").await;
        citizen.waits_until("window.seen.includes('extended')").await;
        assert!(seconds_left(citizen).await > left);
        assert_eq!(citizen.runs("return !document.querySelector('brama-session')").await, true);
    })
    .await;
}

#[tokio::test]
async fn speaks_the_language_of_the_page() {
    visit_demo(&SHORT, Scripts::Run, async |citizen| {
        citizen.signs_in(PAGE, "anna").await;
        citizen.changes_new_pages("document.documentElement.lang = 'en-GB'").await;
        citizen.opens(PAGE).await;
        citizen.arrives_at(PAGE).await;
        is_shown(citizen, "You will soon be signed out").await;
        assert_eq!(focus(citizen).await, "Stay signed in");
        pictures(citizen, "warning-english").await;
    })
    .await;
}

/// Shows the dialog in three windows: usual, narrow, and enlarged to 200 %; and in the dark.
async fn pictures(citizen: &Citizen, of: &str) {
    for (width, height, zoom, name) in
        [(1100, 800, 1, "usual"), (320, 640, 2, "narrow"), (640, 400, 2, "enlarged")]
    {
        citizen.uses_a_window(width, height, zoom).await;
        fits(citizen, width).await;
        citizen.takes_a_picture(&format!("{of} {name}")).await;
    }
    citizen.uses_a_window(1100, 900, 1).await;
    citizen.likes_the_dark(true).await;
    citizen.takes_a_picture(&format!("{of} dark")).await;
    citizen.likes_the_dark(false).await;
}

/// WCAG 2.1, 1.4.10: at 320 pixels nothing is cut off, and nothing needs scrolling sideways.
async fn fits(citizen: &Citizen, width: u32) {
    citizen.waits_until(&format!("window.innerWidth === {width}")).await;
    let dialog = shadow("querySelector('dialog')");
    let sides = citizen
        .runs(&format!(
            "const dialog = {dialog}; const box = dialog.getBoundingClientRect();\
             return {{ left: box.left, right: box.right, hidden: dialog.scrollWidth - dialog.clientWidth,\
             width: document.documentElement.clientWidth }}"
        ))
        .await;
    let side = |name: &str| sides[name].as_f64().unwrap();
    assert!(side("left") >= 0.0 && side("right") <= side("width"), "{sides}");
    assert!(side("hidden") <= 0.0, "{sides}");
}

fn shadow(call: &str) -> String {
    format!("document.querySelector('brama-session').shadowRoot.{call}")
}

async fn is_shown(citizen: &Citizen, title: &str) {
    let dialog = shadow("querySelector('dialog[open]')");
    let heading = shadow(&format!("querySelector('{TITLE}')"));
    citizen.waits_until(&format!("Boolean({dialog}) && {heading}.textContent === '{title}'")).await;
}

async fn is_closed(citizen: &Citizen) {
    citizen.waits_until(&format!("!{}", shadow("querySelector('dialog[open]')"))).await;
}

async fn says(citizen: &Citizen) -> String {
    let text = shadow("querySelector('#text').textContent");
    citizen.runs(&format!("return {text}")).await.as_str().unwrap().to_owned()
}

async fn focus(citizen: &Citizen) -> String {
    let element = shadow("activeElement");
    let text = citizen.runs(&format!("return {element} ? {element}.textContent : ''")).await;
    text.as_str().unwrap().to_owned()
}

async fn typed(citizen: &Citizen) -> Value {
    citizen.runs("return document.querySelector('#text').value").await
}

/// Asks the gateway, as any script of the page can.
async fn seconds_left(citizen: &Citizen) -> i64 {
    let script = "return fetch('/.brama/session').then((answer) => answer.json())";
    citizen.runs(script).await["seconds_left"].as_i64().unwrap()
}

/// Writes down what the timer tells the page.
async fn notes_events(citizen: &Citizen) {
    citizen
        .runs(
            "window.seen = [];\
             for (const name of ['warn', 'extended', 'ended', 'resumed']) {\
               document.addEventListener('brama:' + name, (event) =>\
                 window.seen.push([name, event.detail.reason].join(' ').trim()));\
             }",
        )
        .await;
}

async fn events(citizen: &Citizen) -> Vec<String> {
    serde_json::from_value(citizen.runs("return window.seen").await).unwrap()
}

/// Comes back to the tab, as after a sleep: more than two seconds after it asked last.
async fn wakes(citizen: &Citizen) {
    citizen
        .runs("window.waking = setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 500)")
        .await;
}
