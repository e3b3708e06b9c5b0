//! Nothing typed is lost: forms that meet an ended session.
//!
//! # What a citizen sees
//!
//! A form (urlencoded or multipart, files too) that a page of the portal sends when the session has
//! ended, or when the route needs a higher level or a newer login, is kept until its citizen has
//! signed in. Then a page says where the form goes, how long it is, and who is signed in. "Send now"
//! sends it, byte for byte and once; "do not send" throws it away. Nothing that was typed is shown:
//! somebody else may sit there by then. The portal's answer stands under its own address.
//!
//! A longer form gets a page before it is read, with the advice to sign in in another tab. Whoever was
//! signed out from elsewhere is told that first, and the form waits all the same.
//!
//! # What is kept, and for whom
//!
//! | | |
//! |---|---|
//! | which | a navigation with POST from a page of our own origin, by `Sec-Fetch-Site` or `Origin` |
//! | how long | twice `session.login_timeout`: once to sign in, once to press the button |
//! | how large | `session.keep_forms`, 1 MiB; zero keeps none, 4 MiB is the most |
//! | how many | 10,000 in one process, with 128 MiB together, in a file less ([`super::operations`]); 64 MiB may have come of those that arrive |
//! | where | in the place of `[store]`, so another replica may send what one kept |
//! | for whom | the browser that typed it: it is sealed with a handle and a cookie of its own together |
//!
//! Each counts as the beginning of a login (`limits.login_starts`) before it is read. What has come is
//! counted, not what was announced. The room is shared out by network ([`crate::flow::room`]): when it
//! is full, the network that keeps most loses what it brought first, also while it is still arriving, and
//! whoever keeps no more than an equal share loses nothing. Where nobody keeps more than that, further
//! forms get the page of `request.form_without_session`.
//!
//! A form that is longer than its route takes (`max_body`) is refused before the login, with
//! `request.body_too_large`.
//!
//! What another site sends is never kept, and no other site can press the button: both need a page of
//! our own origin. The handle stands in the address of the page that asks, and so perhaps in a log; it
//! opens nothing without the cookie. The portal never gets it: not as a body, with a length or
//! in chunks, as a form or as plain text, because whatever looks like one is sent as the kept form or
//! refused, and not in `Referer`, which is that of the form.
//!
//! "Send now" is a request like any other: the rules are asked anew for its path, its method, and the
//! session that there is by then. When the portal cannot be reached, so that surely nothing of the form
//! was sent, it is kept on, and the same button sends it later. A portal that compares a token of its own with its own session sees
//! the form as it was written, with the cookies that the browser has now.
//!
//! `brama explain-policy` says `request.form_without_session` for every form, because it does not know
//! who sends it.
//!
//! # What is not kept
//!
//! A request of a script, which gets 401 and decides itself what to do; a form in a frame; a body that
//! is none of the two types. While the operator says that the node is away (`node.outage`), nobody can
//! sign in and nothing is kept, but at other hosts than the registered one: whoever is signed in there
//! crosses all the same ([`super::hosts`]).
//!
//! A page that was only read is returned to with its path and query. The part behind `#` never leaves
//! the browser, and it is lost on the way to the node and back: the node's form has no place for it,
//! and our pages keep nothing in the browser.
