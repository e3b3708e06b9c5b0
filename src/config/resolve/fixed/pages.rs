//! The tables of our own pages.

use super::Table;
use crate::app::settings::Fixed;
use crate::config::file::{
    Colours, Footer, Landing, LandingText, LocalAddress, LocalNumber, Pages,
};

table!(
    "pages.",
    Pages {
        fixed: [],
        live: [
            logo,
            logo_dark,
            texts,
            after_logout,
            after_cancel,
            return_urls,
            landing,
            light,
            dark,
            footer,
        ],
        both: [],
    }
);

table!("pages.landing.", Landing { fixed: [], live: [enabled, text], both: [] });

table!("pages.landing.text.", LandingText { fixed: [], live: [pl, en, uk], both: [] });

table!(
    "pages.light.",
    Colours { fixed: [], live: [paper, surface, ink, action, on_action, link, stripe], both: [] }
);

table!(
    "pages.footer.",
    Footer { fixed: [], live: [accessibility, privacy, contact, helpline], both: [] }
);

table!("pages.footer.accessibility.", LocalAddress { fixed: [], live: [pl, en, uk], both: [] });

table!("pages.footer.helpline.", LocalNumber { fixed: [], live: [pl, en, uk], both: [] });
