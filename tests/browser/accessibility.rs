//! Every page of ours in every language, light and dark, narrow, enlarged and on paper, judged by
//! axe-core: there is nothing that it finds fault with.

use brama::pages::{
    self, Appearance, Branding, Came, ErrorPage, FooterLink, Image, Incident, KeptForm, Language,
    LinkKind, LogoutOutcome, Page, Switch,
};

use crate::harness::{Axe, Citizen, Exhibits, Scripts, visit, visit_demo, visit_gallery};

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

const LOGO: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 120 40'>\
                    <rect width='120' height='40' rx='6' fill='#0b4f9e'/></svg>";

#[tokio::test]
async fn no_page_keeps_anybody_out() {
    let Some(axe) = Axe::find() else { return };
    let appearance = appearance();
    let pages = every_page(&appearance);
    assert!(pages.len() >= 3 * 55, "{} pages", pages.len());
    visit_gallery(exhibits(&pages), async |citizen| {
        let mut found = Vec::new();
        for (name, _) in &pages {
            citizen.opens(&format!("/{name}")).await;
            for (width, is_dark) in [(320, false), (320, true), (1100, false)] {
                citizen.uses_a_window(width, 640, 1).await;
                citizen.likes_the_dark(is_dark).await;
                let case =
                    format!("{name}, {width} px, {}", if is_dark { "dark" } else { "light" });
                let hidden = "return document.documentElement.scrollWidth - innerWidth";
                if citizen.runs(hidden).await.as_i64() != Some(0) {
                    found.push(format!("{case}: wider than the window"));
                }
                found.extend(
                    axe.judges(citizen).await.iter().map(|fault| format!("{case}: {fault}")),
                );
            }
            citizen.takes_a_picture(name).await;
        }
        assert_eq!(found, Vec::<String>::new(), "{} of {} pages", found.len(), pages.len());
    })
    .await;
}

/// The twin: what is wrong is found.
#[tokio::test]
async fn the_judge_finds_text_outside_of_landmarks_and_pale_text() {
    let Some(axe) = Axe::find() else { return };
    let pages = every_page(&Appearance::default());
    visit_gallery(exhibits(&pages[..1]), async |citizen| {
        citizen.opens(&format!("/{}", pages[0].0)).await;
        for (change, rule) in [
            ("document.body.append(Object.assign(document.createElement('p'), { innerText: 'x' }))", "region"),
            ("document.querySelector('h1').attributeStyleMap.set('color', '#999')", "color-contrast"),
            ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ] {
            citizen.runs(change).await;
            let found = axe.judges(citizen).await;
            assert!(found.iter().any(|fault| fault.starts_with(rule)), "{rule}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_is_used_without_a_pointer_enlarged_and_on_paper() {
    let appearance = appearance();
    let pages = every_page(&appearance);
    visit_gallery(exhibits(&pages), async |citizen| {
        citizen.opens("/branded-error-OurFault-pl").await;
        // WCAG 2.2, 2.4.1: the first stop leads past what is the same on every page.
        citizen.strikes(TAB).await;
        assert_eq!(focus(citizen).await, "Przejdź do treści");
        let top = citizen.runs("return document.activeElement.getBoundingClientRect().top").await;
        assert!(top.as_f64() >= Some(0.0), "{top}");
        citizen.takes_a_picture("skip").await;
        // The page has no origin, and its logo is seen all the same.
        let width =
            citizen.runs("return document.querySelector('.logo').getBoundingClientRect().width");
        assert!(width.await.as_f64() > Some(40.0), "the logo is not shown");
        // 2.4.7: each stop shows that it is one.
        let mut stops = Vec::new();
        for _ in 0..12 {
            let outline = citizen.runs(OUTLINE).await;
            assert!(outline.as_f64() >= Some(2.0), "{}: {outline}", focus(citizen).await);
            stops.push(focus(citizen).await);
            citizen.strikes(TAB).await;
            if citizen.runs("return document.activeElement === document.body").await == true {
                break;
            }
        }
        let expected = [
            "Przejdź do treści",
            "English",
            "Українська",
            "Spróbuj jeszcze raz",
            "Wróć do portalu",
            "Deklaracja dostępności",
            "Ochrona danych osobowych",
            "Kontakt",
            "+48 22 250 01 15",
        ];
        assert_eq!(stops, expected);
        citizen.opens("/branded-error-OurFault-pl").await;
        citizen.strikes(TAB).await;
        citizen.strikes(ENTER).await;
        assert_eq!(citizen.runs("return document.activeElement.id").await, "content");

        // 1.4.4 and 1.4.10: 1280 pixels at 400 %.
        citizen.uses_a_window(320, 256, 4).await;
        let hidden = citizen.runs("return document.documentElement.scrollWidth - innerWidth").await;
        assert_eq!(hidden, 0);
        citizen.takes_a_picture("enlarged").await;
        citizen.uses_a_window(1100, 900, 1).await;

        // On paper it is dark on light, whatever the screen is, and has nothing to press.
        citizen.looks_at_paper(true).await;
        let shown = citizen.runs(PAPER).await;
        assert_eq!(shown.to_string(), r#"["rgb(27, 36, 48)","none","none","light"]"#);
        citizen.takes_a_picture("paper").await;
        citizen.looks_at_paper(false).await;
        let shown = citizen.runs(PAPER).await;
        assert_eq!(shown.to_string(), r#"["rgb(233, 237, 242)","flex","block","light dark"]"#);
    })
    .await;
}

const OUTLINE: &str = "const style = getComputedStyle(document.activeElement);\
                       return style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)";
const PAPER: &str = "const shown = (name) => getComputedStyle(document.querySelector(name));\
                     return [shown('h1').color, shown('.actions').display, shown('.languages').display,\
                     shown(':root').colorScheme]";

async fn focus(citizen: &Citizen) -> String {
    let text = citizen.runs("return document.activeElement.textContent").await;
    text.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_chosen_language_stays_and_leads_back_to_the_same_page() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/.brama/nothing").await;
        citizen.is_told("Nie ma takiej strony").await;
        citizen.presses(".languages a[lang=uk]").await;
        citizen.is_told("Такої сторінки немає").await;
        assert_eq!(citizen.runs("return document.documentElement.lang").await, "uk");
        // It stays, on pages of all kinds.
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
        citizen.chooses("cancel").await;
        citizen.is_told("Вхід перервано").await;
        // The address of this page holds a ticket, which stands in no link: on to the portal.
        citizen.presses(".languages a[lang=pl]").await;
        citizen.is_told("Urząd Gminy Przykładowo").await;
        citizen.opens("/.brama/nothing").await;
        citizen.is_told("Nie ma takiej strony").await;
        citizen.presses(".languages a[lang=uk]").await;
        citizen.opens("/.brama/logout").await;
        citizen.is_told("Немає з чого виходити").await;
        citizen.presses(".languages a[lang=en]").await;
        citizen.is_told("There is nothing to sign out of").await;
        let cookies = citizen.cookies().await;
        let chosen = cookies.iter().find(|cookie| cookie.name() == "brama-language").unwrap();
        assert_eq!((chosen.value(), chosen.http_only()), ("en", Some(true)));
        // The twin: what is no language of ours changes nothing.
        citizen.opens("/.brama/language?to=de&return_to=/.brama/nothing").await;
        citizen.is_told("There is no such page").await;
    })
    .await;
}

/// What a citizen meets on the way, as it is served.
#[tokio::test]
async fn nothing_on_the_way_of_a_citizen_keeps_anybody_out() {
    let Some(axe) = Axe::find() else { return };
    visit_demo(&["--idle", "20s"], Scripts::Run, async |citizen| {
        let mut found = Vec::new();
        let mut judges = async |name: &str| {
            for is_dark in [false, true] {
                citizen.likes_the_dark(is_dark).await;
                found.extend(axe.judges(citizen).await.iter().map(|fault| format!("{name}: {fault}")));
            }
        };
        citizen.opens("/").await;
        judges("front page").await;
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
        judges("choice of a person").await;
        citizen.chooses("cancel").await;
        citizen.is_told("Logowanie przerwane").await;
        judges("cancelled").await;
        citizen.signs_in("/application", "anna").await;
        judges("application").await;
        citizen
            .waits_until(
                "Boolean(document.querySelector('brama-session')?.shadowRoot?.querySelector('dialog[open]'))",
            )
            .await;
        judges("notice of the timer").await;
        citizen.opens("/.brama/logout").await;
        judges("logout").await;
        citizen.presses("form[action='/.brama/logout'] button").await;
        citizen.is_told("Wylogowano").await;
        judges("signed out").await;
        assert_eq!(found, Vec::<String>::new());
    })
    .await;
}

/// The look of an office.
fn appearance() -> Appearance {
    let to = |text: &str| [Some(text.to_owned()), None, Some(format!("{text}uk"))];
    let helpline = [Some("+48 22 250 01 15".to_owned()), None, None];
    Appearance {
        logo: Some(Image {
            name: "logo-0".to_owned(),
            content: LOGO.into(),
            content_type: "image/svg+xml",
        }),
        links: vec![
            FooterLink { kind: LinkKind::Accessibility, to: to("https://a.example/") },
            FooterLink { kind: LinkKind::Privacy, to: to("/privacy/") },
            FooterLink { kind: LinkKind::Contact, to: to("mailto:office@a.example?") },
            FooterLink { kind: LinkKind::Helpline, to: helpline },
        ],
        landing: Some([Some("Zgadzam się na to i owo.\n\nI na tamto.".to_owned()), None, None]),
        ..Appearance::default()
    }
}

/// Every page that there is, under a name that is a path.
fn every_page(office: &Appearance) -> Vec<(String, Page)> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let code = language.code();
        let plain = Branding::plain(language, "Urząd Gminy Przykładowo", Some("integracja"));
        let switch = Switch { place: "/.brama/language", return_to: "/tax?year=2031" };
        let look = Branding { switch: Some(switch), ..plain };
        let branded = Branding { appearance: Some(office), test_environment: None, ..look };
        let mut add = |name: String, page: Page| pages.push((format!("{name}-{code}"), page));
        add("node".to_owned(), pages::send_to_node(look, "https://node.test/sso", "PHNhbWw+", "h"));
        add("arriving".to_owned(), pages::arriving(look, "/tax", Came::FromElsewhere));
        add(
            "confirm".to_owned(),
            pages::confirm_logout(look, "/.brama/logout", "token", ("/", None)),
        );
        add(
            "branded-confirm".to_owned(),
            pages::confirm_logout(branded, "/.brama/logout", "t", ("/", None)),
        );
        add("landing".to_owned(), pages::landing(look, "/.brama/login?begin=x"));
        add("branded-landing".to_owned(), pages::landing(branded, "/.brama/login?begin=x"));
        add("form".to_owned(), pages::kept_form(look, &KEPT));
        for kind in ErrorPage::ALL {
            add(format!("error-{kind:?}"), pages::error_page(look, kind, &INCIDENT));
        }
        let our_fault = pages::error_page(branded, ErrorPage::OurFault, &INCIDENT).without_origin();
        add("branded-error-OurFault".to_owned(), our_fault);
        for outcome in LogoutOutcome::ALL {
            add(format!("logout-{outcome:?}"), pages::signed_out(look, outcome, "/"));
        }
    }
    pages
}

/// They are served as they are, but do not go on by themselves.
fn exhibits(pages: &[(String, Page)]) -> Exhibits {
    let logo = ("Content-Type: image/svg+xml\r\n".to_owned(), LOGO.as_bytes().to_vec());
    let mut exhibits = Exhibits::from([("/.brama/logo-0".to_owned(), logo)]);
    for (name, page) in pages {
        let html = match (page.html.find("<script>"), page.html.find("</script>")) {
            (Some(from), Some(to)) => format!("{}{}", &page.html[..from], &page.html[to + 9..]),
            _ => page.html.clone(),
        };
        let policy = &page.content_security_policy;
        let headers = format!(
            "Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: {policy}\r\n"
        );
        exhibits.insert(format!("/{name}"), (headers, html.into_bytes()));
    }
    exhibits
}

const KEPT: KeptForm<'static> = KeptForm {
    target: "/tax/declaration/of/a/very/long/name/that/has/no/place/to/break?year=2031",
    bytes: 20_000,
    name: "Anna Żółkiewska-Brzęczyszczykiewicz",
    field: "brama-form",
    handle: "handle",
    discard: "/.brama/form",
};

const INCIDENT: Incident<'static> = Incident {
    told: None,
    reason: "login.artifact_response_in_response_to",
    number: "K7Q2MXPA",
    request: "7f3ab8c97f3ab8c97f3ab8c97f3ab8c9",
    time: "2031-01-15 09:00:00 (UTC+01:00)",
    begin_again: Some("/sprawa"),
    sign_out: None,
    home: None,
};
