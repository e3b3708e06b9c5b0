//! Looks of offices, and for each thing that is taken its twins that are refused.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::base::clock::{Clock, SystemClock};
use crate::config::load::load_text;
use crate::config::resolve::context::Context;
use crate::gateway::settings::Returns;
use crate::pages::{Appearance, ErrorPage, Incident, Language, error_page, signed_out};
use crate::pages::{Branding, LinkKind, LogoutOutcome};

/// Resolves a section in a folder, and tells what is said of it.
fn resolved(folder: &Path, section: &str) -> (Appearance, Returns, String) {
    let name = folder.join("brama.toml");
    let text = format!("[pages]\n{section}\n");
    let loaded = load_text(name.to_str().unwrap(), &text, std::iter::empty()).unwrap();
    let mut context = Context::new(&loaded, SystemClock.now());
    let (appearance, returns) = super::resolve(&mut context);
    let resolved = context.problems;
    let mut problems = loaded.problems;
    problems.append(resolved);
    (appearance, returns, problems.to_string())
}

fn section(text: &str) -> (Appearance, Returns, String) {
    let folder = tempfile::tempdir().unwrap();
    resolved(folder.path(), text)
}

const FINE: &str = "0 errors, 0 warnings";

fn look(appearance: &Appearance, language: Language) -> Branding<'_> {
    Branding { appearance: Some(appearance), ..Branding::plain(language, "Urząd", None) }
}

#[test]
fn nothing_that_is_said_changes_nothing() {
    let (appearance, returns, said) = section("");
    assert_eq!(said, FINE);
    let page = |appearance| {
        signed_out(look(appearance, Language::Polish), LogoutOutcome::NotSignedIn, "/")
    };
    assert_eq!(page(&appearance), page(&Appearance::default()));
    assert_eq!(returns, Returns::default());
}

#[test]
fn colours_that_can_be_read_are_taken_and_pale_ones_are_named_with_the_clause() {
    let (appearance, _, said) = section("light = { action = \"#00594c\", stripe = \"#dcb900\" }");
    assert_eq!(said, FINE);
    let page = signed_out(look(&appearance, Language::Polish), LogoutOutcome::NotSignedIn, "/");
    for expected in ["--action:#00594c;", "--link:#00594c;", "--stripe:#dcb900;", "--ink:#1b2430;"]
    {
        assert!(page.html.contains(expected), "{expected}");
    }
    assert!(!page.html.contains("--action-over:#083b78"), "it follows the button");
    for (pale, key, what) in [
        ("light = { action = \"#dcb900\" }", "pages.light.action", "on-action (#ffffff) on action"),
        (
            "light = { ink = \"#777777\" }",
            "pages.light.ink",
            "ink (#777777) on surface (#ffffff) has 4.47 and needs 4.5 (1.4.3)",
        ),
        ("light = { paper = \"#8a8a8a\" }", "pages.light.paper", "(1.4.3)"),
        ("dark = { surface = \"#ffffff\" }", "pages.dark.surface", "ink (#e9edf2)"),
        ("dark = { link = \"#303030\" }", "pages.dark.link", "link (#303030)"),
        (
            "light = { action = \"#f0f0f0\", on_action = \"#000000\", link = \"#0b4f9e\" }",
            "pages.light.action",
            "(1.4.11)",
        ),
        ("light = { ink = \"black\" }", "pages.light.ink", "is not a colour"),
        ("light = { ink = \"#1b24300\" }", "pages.light.ink", "is not a colour"),
    ] {
        let (_, _, said) = section(pale);
        assert!(said.contains("brama.toml:2: ") && said.contains(key), "{pale}: {said}");
        assert!(said.contains(what), "{pale}: {said}");
    }
}

/// The colours that an advice names: keys with values, or a value for the key itself.
fn advised(said: &str, key: &str) -> String {
    let given = said.split("give ").nth(1).map(|rest| rest.split(" as well").next().unwrap());
    let shade = said.split("such as \"").nth(1).and_then(|rest| rest.split('"').next());
    given.map_or_else(
        || format!("{key} = {:?}", shade.unwrap()),
        |given| given.replace(" and ", ", "),
    )
}

#[test]
fn a_colour_that_is_wrong_is_one_error_and_its_advice_helps() {
    for (scheme, key, colour, expected) in [
        ("light", "action", "#dcb900", "make it darker, such as "),
        ("light", "ink", "#bbbbbb", "make it darker, such as "),
        ("light", "paper", "#8a8a8a", "make it lighter, such as "),
        ("light", "link", "#93c1ff", "make it darker, such as "),
        ("light", "on_action", "#0b4f9e", "make it lighter, such as "),
        ("dark", "action", "#0b4f9e", "make it lighter, such as "),
        (
            "dark",
            "action",
            "#3d7dd8",
            "give link = \"#93c1ff\" and on_action = \"#000000\" as well",
        ),
        ("dark", "surface", "#ffffff", "make it darker, such as "),
    ] {
        let (_, _, said) = section(&format!("{scheme} = {{ {key} = {colour:?} }}"));
        assert!(said.contains("1 error, ") && said.contains(expected), "{colour}: {said}");
        let advised = advised(&said, key);
        let rest =
            if advised.starts_with(key) { String::new() } else { format!("{key} = {colour:?}, ") };
        let (_, _, said) = section(&format!("{scheme} = {{ {rest}{advised} }}"));
        assert_eq!(said, FINE, "{scheme} {rest}{advised}");
    }
    // Two that are wrong are two errors.
    let (_, _, said) = section("light = { ink = \"#bbbbbb\", link = \"#bbbbbb\" }");
    assert!(said.contains("2 errors"), "{said}");
}

#[test]
fn links_lead_to_pages_and_telephones_and_nowhere_else() {
    let (appearance, _, said) = section(
        "[pages.footer]\naccessibility = { pl = \"https://a.example/deklaracja\" }\n\
         privacy = { pl = \"/rodo\", en = \"/privacy\" }\n\
         contact = { pl = \"mailto:urzad@a.example\" }\nhelpline = { pl = \"+48 22 250 01 15\" }",
    );
    assert_eq!(said, FINE);
    assert_eq!(appearance.links.len(), 4);
    assert_eq!(appearance.links[0].kind, LinkKind::Accessibility);
    let page = signed_out(look(&appearance, Language::English), LogoutOutcome::NotSignedIn, "/");
    for expected in [
        r#"<a href="https://a.example/deklaracja" hreflang="pl">Accessibility statement</a>"#,
        r#"<a href="/privacy">"#,
        r#"<a href="tel:+48222500115">+48 22 250 01 15</a>"#,
    ] {
        assert!(page.html.contains(expected), "{expected} in {}", page.html);
    }
    for wrong in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://a.example/",
        "https://user:word@a.example/",
        "//evil.test/",
        "/a b",
        "",
        "page.html",
    ] {
        let text = format!("[pages.footer]\nprivacy = {{ pl = {wrong:?} }}");
        let (_, _, said) = section(&text);
        assert!(said.contains("brama.toml:3: pages.footer.privacy.pl"), "{wrong:?}: {said}");
    }
    for wrong in ["", "zadzwoń", "+48+22", "12", "<b>123</b>"] {
        let (_, _, said) = section(&format!("[pages.footer]\nhelpline = {{ pl = {wrong:?} }}"));
        assert!(said.contains("pages.footer.helpline.pl"), "{wrong:?}: {said}");
    }
    let (_, _, said) = section("[pages.footer]\ncontact = { en = \"/contact\" }");
    assert!(said.contains("has no pl"), "{said}");
}

#[test]
fn the_way_back_is_a_path_or_an_address_with_https() {
    let (_, returns, said) = section(
        "after_logout = \"/bye\"\nafter_cancel = \"https://www.a.example\"\n\
         return_urls = [\"https://www.a.example/\"]",
    );
    assert_eq!(said, FINE);
    assert_eq!(returns.home(), "/bye");
    assert_eq!(returns.after_cancel.as_deref(), Some("https://www.a.example/"));
    for (wrong, key) in [
        ("after_logout = \"//evil.test\"", "pages.after_logout"),
        ("after_logout = \"mailto:a@a.example\"", "pages.after_logout"),
        ("after_cancel = \"http://a.example/\"", "pages.after_cancel"),
        ("return_urls = [\"/path\"]", "pages.return_urls[0]"),
        ("return_urls = [\"https://a.example/\", \"javascript:x\"]", "pages.return_urls[1]"),
    ] {
        let (_, _, said) = section(wrong);
        assert!(said.contains(key), "{wrong}: {said}");
    }
    let many: Vec<_> = (0..21).map(|n| format!("\"https://a{n}.example/\"")).collect();
    let (_, _, said) = section(&format!("return_urls = [{}]", many.join(",")));
    assert!(said.contains("more than 20"), "{said}");
}

#[test]
fn the_page_before_the_node_is_there_when_it_is_wanted() {
    let (appearance, _, said) = section("landing = { text = { pl = \"Zgoda.\" } }");
    assert_eq!((said.as_str(), appearance.landing), (FINE, None));
    let (appearance, _, said) = section("landing = { enabled = true, text = { pl = \"Zgoda.\" } }");
    assert_eq!(said, FINE);
    assert_eq!(appearance.landing.unwrap()[0].as_deref(), Some("Zgoda."));
    for wrong in [" ", "a\\u0000b", "a\\u202Eb", &"ż".repeat(2_001)] {
        let (_, _, said) = section(&format!("landing.text.en = \"{wrong}\""));
        assert!(said.contains("pages.landing.text.en"), "{wrong:?}: {said}");
    }
}

const SVG: &str = "<?xml version=\"1.0\"?>\n<!-- made by hand -->\n\
    <svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' viewBox='0 0 9 9'>\n\
    <style>path{fill:url(#g)}</style><defs><linearGradient id='g'/></defs>\n\
    <path d='M0 0h9v9z' style='fill:url(&quot;#g&quot;)'/><use xlink:href='#g'/>\n\
    <image href='data:image/png;base64,AAAA'/></svg>";

fn logo(bytes: &[u8]) -> (Appearance, String) {
    let folder = tempfile::tempdir().unwrap();
    crate::base::private::write(&folder.path().join("logo.svg"), bytes).unwrap();
    let (appearance, _, said) = resolved(folder.path(), "logo = \"logo.svg\"");
    (appearance, said)
}

#[test]
fn a_logo_is_a_picture_that_is_named_after_its_content() {
    let (appearance, said) = logo(SVG.as_bytes());
    assert_eq!(said, FINE);
    let image = appearance.logo.clone().unwrap();
    let expected = ("image/svg+xml; charset=utf-8", SVG.as_bytes());
    assert_eq!((image.content_type, &*image.content), expected);
    assert_eq!(appearance.image(&image.name), Some(&image));
    assert_eq!(appearance.image("logo-light-0"), Some(&image), "another version");
    for other in ["logo-dark-0", "logo", "logo-", "logo-light"] {
        assert_eq!(appearance.image(other), None, "{other}");
    }
    let page = signed_out(look(&appearance, Language::Polish), LogoutOutcome::NotSignedIn, "/");
    let expected = format!("<img class=\"logo\" src=\"/.brama/{}\" alt=\"\">", image.name);
    assert!(page.html.contains(&expected), "{}", page.html);
    assert!(page.content_security_policy.contains("; img-src 'self'; "));
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x10\0\0\0\x20".to_vec();
    assert_eq!(logo(&png).0.logo.unwrap().content_type, "image/png");
    png[16] = 1;
    assert!(logo(&png).1.contains("pixels"), "{}", logo(&png).1);
}

/// As Inkscape exports plain SVG, with what its user said of the picture.
const INKSCAPE: &str = r##"<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<svg width="9mm" height="9mm" viewBox="0 0 9 9" version="1.1" id="svg1" inkscape:version="1.3.2"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
   xmlns="http://www.w3.org/2000/svg" xmlns:svg="http://www.w3.org/2000/svg">
  <metadata id="metadata1"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
     xmlns:cc="http://creativecommons.org/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
    <cc:Work rdf:about=""><dc:format>image/svg+xml</dc:format><dc:title>Gmina &amp; ja</dc:title>
    <dc:type rdf:resource="http://purl.org/dc/dcmitype/StillImage" /></cc:Work></rdf:RDF></metadata>
  <defs id="defs1"><clipPath id="c"><rect width="9" height="9" id="r" /></clipPath></defs>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1" clip-path="url(#c)">
    <path style="fill:#00594c;stroke-width:0.26;-inkscape-stroke:none" d="M 0,0 H 9 V 9 Z"
       sodipodi:nodetypes="cccc" id="path1" /></g>
</svg>
"##;

/// What Inkscape keeps of its window when it saves a file of its own kind.
const NAMED_VIEW: &str = "<sodipodi:namedview id='base' pagecolor='#ffffff'/>";

/// As Illustrator exports it, with a byte order mark.
const ILLUSTRATOR: &str = r##"<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 28.0.0, SVG Export Plug-In . SVG Version: 6.00 Build 0)  -->
<svg version="1.1" id="Layer_1" xmlns="http://www.w3.org/2000/svg"
	 xmlns:xlink="http://www.w3.org/1999/xlink" x="0px" y="0px" viewBox="0 0 9 9"
	 style="enable-background:new 0 0 9 9;" xml:space="preserve">
<style type="text/css">
	<!-- colours -->
	.st0{fill:#00594C;}
	<![CDATA[.st1{clip-path:url(#SVGID_2_);}]]>
</style>
<g><defs><rect id="SVGID_1_" width="9" height="9"/></defs>
<clipPath id="SVGID_2_"><use xlink:href="#SVGID_1_" style="overflow:visible;"/></clipPath>
<polygon class="st0 st1" points="0,0 9,0 9,9 "/></g>
</svg>
"##;

#[test]
fn what_drawing_programs_export_as_plain_svg_is_a_logo() {
    let marked = format!("\u{feff}{ILLUSTRATOR}");
    let windows = ILLUSTRATOR.replace('\n', "\r\n");
    for svg in [INKSCAPE, ILLUSTRATOR, &marked, &windows] {
        let (appearance, said) = logo(svg.as_bytes());
        assert!(said == FINE && appearance.logo.is_some(), "{said}: {svg}");
    }
}

#[test]
fn a_logo_with_anything_that_runs_or_fetches_is_refused_with_the_line() {
    let inside = |text: &str| SVG.replace("<style>", &format!("{text}<style>"));
    for (svg, line, what) in [
        (inside("<script>alert(1)</script>"), 4, "<script>"),
        (inside("<x:SCRIPT xmlns:x='http://www.w3.org/2000/svg'/>"), 4, "<script>"),
        (inside("<foreignObject/>"), 4, "<foreignobject>"),
        (inside("<animate attributeName='href'/>"), 4, "<animate>"),
        (inside("<set/>"), 4, "<set>"),
        (inside("<a href='#x'/>"), 4, "<a>"),
        (inside("<g onload='x()'/>"), 4, "onload"),
        (inside("<g x:onClick='x()' xmlns:x='y'/>"), 4, "onclick"),
        (inside("<use href='https://evil.test/x.svg#a'/>"), 4, "leads out"),
        (inside("<use xlink:href='other.svg#a'/>"), 4, "leads out"),
        (inside("<image href='https://evil.test/x.png'/>"), 4, "leads out"),
        (inside("<image href='data:image/svg+xml;base64,AAAA'/>"), 4, "leads out"),
        (inside("<g xml:base='https://evil.test/'/>"), 4, "leads out"),
        (inside("<path fill='url(https://evil.test/)'/>"), 4, "url()"),
        (inside("<path style='fill:u&#114;l(//evil.test/)'/>"), 4, "url()"),
        (inside("<path style='fill:\\75rl(//evil.test/)'/>"), 4, "escape"),
        (inside("<style>@import 'x';</style>"), 4, "@import"),
        (inside("<style><![CDATA[a{b:URL( 'x')}]]></style>"), 4, "url()"),
        (inside("<style>&#64;import 'x';</style>"), 4, "reference"),
        (inside("<g style='behavior:expression(1)'/>"), 4, "expression("),
        // However it is cut up, a browser takes the text of a style together.
        (inside("<style>@imp<!-- -->ort 'x';</style>"), 4, "@import"),
        (inside("<style>\n@imp<![CDATA[ort 'x';]]></style>"), 4, "@import"),
        (inside("<style>a{b:u<!-- -->rl(//evil.test/)}</style>"), 4, "url()"),
        (inside("<style>a{b:u<g/>rl(//evil.test/)}</style>"), 4, "an element in a style"),
        (inside("<style>a{b:url(&quot;//evil.test/)}</style>"), 4, "url()"),
        // Only elements of SVG are known to do nothing but what is looked for here.
        (inside("<input autofocus='' xmlns='http://www.w3.org/1999/xhtml'/>"), 4, "plain SVG"),
        (inside("<h:p xmlns:h='http://www.w3.org/1999/xhtml'/>"), 4, "plain SVG"),
        (inside("<s:g xmlns:s='http://www.w3.org/2000/svg'/>"), 4, "plain SVG"),
        (inside("<x:g/>"), 4, "no namespace"),
        (inside("<g xmlns=''/>"), 4, "no namespace"),
        ("<svg/>".to_owned(), 1, "no namespace"),
        // What is read in another encoding is another text.
        (SVG.replace("?>", " encoding='ISO-2022-JP'?>"), 1, "not in UTF-8"),
        (SVG.replace("?>", " encoding=utf-8?>"), 1, "not in UTF-8"),
        (inside("<g id='\u{1b}$B'/>"), 4, "control character"),
        (inside("<g id='\u{85}'/>"), 4, "control character"),
        (inside("<?xml-stylesheet href='x'?>"), 4, "processing instruction"),
        (format!("<!DOCTYPE svg [<!ENTITY a 'b'>]>{SVG}"), 1, "document type"),
        (SVG.replace("</svg>", ""), 6, "ends before"),
        (SVG.replace("<path", "<path <"), 5, ""),
        ("<html></html>".to_owned(), 1, "begins with <html>"),
        (String::new(), 1, "ends before"),
    ] {
        let (appearance, said) = logo(svg.as_bytes());
        assert_eq!(appearance.logo, None, "{svg}");
        assert!(said.contains("brama.toml:2: pages.logo: "), "{svg}: {said}");
        assert!(said.contains(&format!("logo.svg: line {line} ")), "{svg}: {said}");
        assert!(said.contains(what), "{svg}: {said}");
    }
    for (bytes, what) in [
        (vec![b' '; 128 * 1024 + 1], "128 KiB"),
        (vec![0xff, 0xfe], "neither PNG nor SVG"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "without a header"),
        (inside(&"<g>".repeat(100)).into_bytes(), "too deep"),
    ] {
        let (_, said) = logo(&bytes);
        assert!(said.contains(what), "{what}: {said}");
    }
    // What drawing programs keep for themselves: the words say how to leave it out.
    let (_, said) =
        logo(INKSCAPE.replace("<metadata", &format!("{NAMED_VIEW}<metadata")).as_bytes());
    assert!(said.contains("line 6 has <namedview>") && said.contains("\"Plain SVG\""), "{said}");
    let (_, _, said) = section("logo = \"nowhere.svg\"");
    assert!(said.contains("cannot be read"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    crate::base::private::write(&folder.path().join("dark.svg"), SVG.as_bytes()).unwrap();
    let (_, _, said) = resolved(folder.path(), "logo_dark = \"dark.svg\"");
    assert!(said.contains("without pages.logo"), "{said}");
}

fn texts(files: &[(&str, &str)]) -> (Appearance, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("texts")).unwrap();
    for (name, text) in files {
        let path = folder.path().join("texts").join(name);
        crate::base::private::write(&path, text.as_bytes()).unwrap();
    }
    let (appearance, _, said) = resolved(folder.path(), "texts = \"texts\"");
    (appearance, said)
}

#[test]
fn texts_of_the_office_stand_in_place_of_ours_and_are_plain() {
    let (appearance, said) = texts(&[
        (
            "pl.toml",
            "[\"login.cancelled\"]\nadvice = \"Zadzwoń do {portal}, podaj {number}. <b>\"\n",
        ),
        ("README.txt", "nothing"),
    ]);
    assert_eq!(said, FINE);
    let incident = Incident { reason: "login.cancelled", number: "K7Q2", ..Incident::default() };
    let page = error_page(look(&appearance, Language::Polish), ErrorPage::Cancelled, &incident);
    assert!(page.html.contains("<p>Zadzwoń do Urząd, podaj K7Q2. &lt;b&gt;</p>"), "{}", page.html);
    assert!(page.html.contains("<h1>Logowanie przerwane</h1>"), "the rest is ours");
    // Other reasons and languages have our words.
    let page = error_page(look(&appearance, Language::English), ErrorPage::Cancelled, &incident);
    assert!(!page.html.contains("Zadzwoń"));
    let other = Incident { reason: "login.expired", ..incident };
    let page = error_page(look(&appearance, Language::Polish), ErrorPage::Cancelled, &other);
    assert!(!page.html.contains("Zadzwoń"));
}

#[test]
fn pages_without_a_reason_have_texts_of_the_office_too() {
    let (appearance, said) = texts(&[(
        "en.toml",
        "[\"page.signed_out.everywhere\"]\ntitle = \"Goodbye from {portal}\"\n",
    )]);
    assert_eq!(said, FINE);
    let page = |language, outcome| signed_out(look(&appearance, language), outcome, "/").html;
    let own = page(Language::English, LogoutOutcome::SignedOutEverywhere);
    assert!(own.contains("<h1>Goodbye from Urząd</h1>"), "{own}");
    assert!(!page(Language::Polish, LogoutOutcome::SignedOutEverywhere).contains("Goodbye"));
    assert!(!page(Language::English, LogoutOutcome::NotSignedIn).contains("Goodbye"));
}

#[test]
fn a_text_that_cannot_be_shown_is_refused_with_its_file_and_line() {
    for (text, place, what) in [
        ("[\"login.canceled\"]\ntitle = \"x\"", "pl.toml:1: login.canceled", "no reason code"),
        ("[login.cancelled]\ntitle = \"x\"", "pl.toml:1: login", "no reason code"),
        ("[\"page.logout\"]\ntitle = \"x\"", "pl.toml:1: page.logout", "no reason code"),
        ("[\"page.landing\"]\nadvice = \"x\"", "pl.toml:2: page.landing.advice", "is unknown"),
        (
            "[\"page.signed_out.everywhere\"]\ntitle = \"{number}\"",
            "pl.toml:2: page.signed_out.everywhere.title",
            "this page has neither",
        ),
        (
            "\n[\"login.cancelled\"]\nheading = \"x\"",
            "pl.toml:3: login.cancelled.heading",
            "unknown",
        ),
        (
            "[\"login.cancelled\"]\ntitle = \"{name}\"",
            "pl.toml:2: login.cancelled.title",
            "has {name}",
        ),
        ("[\"login.cancelled\"]\ntitle = \"a {portal\"", "pl.toml:2: ", "other half"),
        ("[\"login.cancelled\"]\ntitle = \"\"", "pl.toml:2: ", "is empty"),
        ("[\"login.cancelled\"]\ntitle = 7", "pl.toml:2: ", "is no text"),
        ("\"login.cancelled\" = 7", "pl.toml:1: login.cancelled", "is no table"),
        ("[\"login.cancelled\"]\ntitle = \"a\\u0007\"", "pl.toml:2: ", "control character"),
        ("[\"login.cancelled\"]\ntitle = ", "pl.toml:2", ""),
    ] {
        let (_, said) = texts(&[("pl.toml", text)]);
        assert!(said.contains(place) && said.contains(what), "{text}: {said}");
        assert!(said.contains("1 error"), "{text}: {said}");
    }
    let (_, said) = texts(&[("ua.toml", "")]);
    assert!(said.contains("ua.toml") && said.contains("no language"), "{said}");
    let mut long = String::new();
    while long.len() <= 256 * 1024 {
        let _ = writeln!(long, "# {}", "x".repeat(1_000));
    }
    let (_, said) = texts(&[("en.toml", &long)]);
    assert!(said.contains("256 KiB"), "{said}");
    let (_, _, said) = section("texts = \"nowhere\"");
    assert!(said.contains("cannot be read"), "{said}");
}
