//! Who attacks, what is defended, and what is not.
//!
//! # What is worth defending
//!
//! 1. **Who somebody is.** Nobody is signed in as a person whom the node did not name to us, in an
//!    answer to a question that we asked, for the browser that we asked it for.
//! 2. **What a backend believes.** Nobody but us can make a request look as if it came from a
//!    signed-in citizen.
//! 3. **Personal data.** PESEL, names and dates go to a backend only when its route asks for them.
//!    They are in no log line and on no error page.
//! 4. **Keys.** The signing key and the decryption key of the service, the keys of the tokens, the
//!    secret of the pseudonyms.
//!
//! # Who attacks
//!
//! - **Somebody on the internet** who sends whatever bytes they like to the public listener.
//! - **A foreign web page** that a signed-in citizen opens.
//! - **A citizen** who wants to be somebody else, or to reach a place that needs a higher level.
//! - **Somebody between us and the node** who reads and changes traffic, even with a TLS
//!   certificate that our system trusts.
//! - **A portal behind us that was broken into**, and wants to speak in our name to others.
//! - **Another service provider** that has genuine answers of the node, made for itself.
//!
//! # What is trusted
//!
//! - The pinned certificates of the node (`node.certificates`). Whoever has the node's private key
//!   can be anybody.
//! - The machine, its clock, its randomness, and whoever can read the configuration and the state
//!   folder.
//! - The network between the gateway and a portal on plain HTTP. Keep it on loopback.
//! - The cryptography of AWS-LC and the canonicalisation of the signature library.
//!
//! # The rules
//!
//! 1. When a check cannot be made, the answer is no
//!    ([`crate::saml::examine::Examination::for_login`]).
//! 2. TLS never stands in for a signature. `KeyInfo` is never a source of keys.
//! 3. Identity is read only from the element that a verified signature covers.
//! 4. Algorithms come from a list ([`crate::xml::algorithms`]). The rest is refused by name.
//! 5. Everything that grows has a bound: logins that end, sessions, remembered uses, XML, headers,
//!    forms, connections, exchanges with the node.
//! 6. No forwarded header is believed but that of a proxy in a listed network, and none is listed
//!    by default; and that only for what is named, which the host is not by default
//!    ([`crate::request::headers::forwarded`]).
//! 7. The return address is a path ([`crate::flow::return_to::ReturnTo`]), sealed in the cookie of its login.
//!    `RelayState` is a random handle.
//! 8. Secrets come from files, never from the command line, and print as `[secret]`.
//! 9. A wrong configuration does not start.
//!
//! # What an attacker meets
//!
//! | attempt | answer |
//! |---|---|
//! | forge or change an answer of the node | both signatures, pinned certificates, the profile |
//! | use another provider's answer | audience, recipient, parties of the key derivation |
//! | use an answer twice | artifact and assertion are remembered; the login is claimed once |
//! | have a citizen's browser finish a login of one's own | the cookie of the beginning |
//! | finish a login whose answer a citizen's browser delivers | the ticket of the delivery; without the cookie it ends the login ([`super::logins`]) |
//! | steal or repeat what hands a session to another host | good once, for one browser, at one host ([`super::hosts`]) |
//! | use the cookie of one host at another | looked for among records of another kind, or bound to its host |
//! | fix a session or a login beforehand | a fresh id and a fresh cookie at each login; `__Host-` cookies |
//! | lock a citizen out by a second cookie of our name | a few values are tried |
//! | use up an office's tries by a page in one of its tabs | what is no navigation counts for nobody |
//! | make a foreign link to the portal one of its own by a login | the page that leads on has no origin then |
//! | send an identity header | removed or refused before any decision |
//! | reach a place by an odd path | ambiguous paths are refused |
//! | reach a second place by `MOVE` or `COPY` | judged too, with what is below ([`crate::gateway::destination`]) |
//! | change to a protocol that nobody watches | only those that the route names, never HTTP |
//! | be led to a foreign site | the return address is a local path; redirects name their host |
//! | end the sessions of another portal's citizens | no portal sets or clears our cookies |
//! | write lines into the access log | everything that comes from outside is escaped |
//! | exhaust memory with XML | bounds before parsing |
//! | try again and again | limits for each network; scripts and frames begin no login |
//! | have a citizen send a foreign form, or fetch theirs | only our own pages' forms are kept, sealed for one browser ([`super::forms`]) |
//! | go on reading after the end | what is open is judged again and again ([`super::protocols`]) |
//! | guess a session | 192 random bits; found by hash |
//! | have the store asked with invented cookies | ids have a mark that only the servers' secret makes; what is not there is remembered for a moment; a limit for each network |
//! | take the room for logins, wishes or forms from others | it is shared out by network ([`crate::flow::room`]) |
//! | read a key or a secret as another user of the machine, or replace it | a mode that allows it is no start ([`super::operations`]) |
//! | have the program write elsewhere, by a link in its folder | files are made anew, and links not followed ([`crate::base::private`]) |
//! | seal a record of their own anew, as who can write to the store | a secret of the servers seals, always |
//! | have the simulator sign in anybody where citizens come | its certificates and issuer are refused there |
//!
//! Each is told in [`crate::manual::attacks`].
//!
//! # What is not defended against, and what to do about it
//!
//! - **Floods from very many networks.** Each page view without a session costs one signature, and no
//!   memory. One network is limited ([`crate::gateway::limits`]), thousands of them together are not: nobody
//!   is refused because of what others do. That is for the network in front to hold off.
//! - **A script of the portal, or an extension of the browser,** in the very browser of the citizen. It
//!   acts in their name anyway. One that sets a second session cookie, of a live session of somebody else,
//!   after the login of the citizen, has the citizen go on in that session when their own has ended first.
//! - **An attacker in the network of others.** Who floods from an office's address uses up what the whole
//!   office may do, and nobody there signs in meanwhile; whoever is signed in goes on. The log names
//!   the reason, `limits.except` lets the office through, and the office finds its attacker.
//! - **What a browser tells of itself between two hosts.** A code stands in an address of the other host
//!   for as long as it takes to get there. Whoever reads it on the way, in a proxy that opens TLS or in an
//!   extension of the browser, and keeps the browser from arriving, still lacks the binding cookie of the
//!   browser that made the wish. Only when that was the thief's own browser, and a citizen was led to the
//!   thief's wish and then kept from arriving, would the code be of use, and for a minute. A script that a
//!   thief has brought into a page of the other portal could try that: lead the citizen there in a window
//!   and keep the answer from coming, by a service worker or by cookies that make the request too large.
//!   It cannot read the address from a window that it opened (`Cross-Origin-Opener-Policy`); a service
//!   worker for the whole origin still could. Such a script acts in the citizen's name on that portal
//!   anyway; this way it could go on doing so from elsewhere, until the session ends.
//! - **A portal that reads paths otherwise than we do.** Routes are compared by segments and with case.
//!   To a portal that takes `/ACCOUNT`, `/accountx` or `/account.json` for `/account`, a more open route
//!   that covers those is a way around: `check` warns of it, and [`super::upstream_paths`] says who
//!   reads what. With such a portal, make `/` the strictest route and open single paths; for case alone,
//!   set `ignores_case` on its upstream.
//! - **`DELETE` of a collection** takes along what a stricter route below it protects: what is a collection
//!   only the portal knows. Where that matters, name the methods of the wider route.
//! - **One place of a portal under two paths**, by `strip_prefix` and `add_prefix`: each route decides for
//!   its own, and what lies below one of them may have a stricter route under the other.
//! - **A portal that takes other spellings of a path for the same**: composed and decomposed
//!   letters, spaces at the end, short names on Windows. What is told above holds. A dot at the end of a
//!   segment is refused.
//! - **A name in the configuration that leads back to us**, a second address of this machine, or two
//!   upstreams that are one behind different names. What `check` says of second doors and of our own
//!   listeners goes by addresses as they are written.
//! - **A listed proxy that lies**, or a listed network with clients in it. Whoever speaks from there
//!   chooses the address, scheme and host of their requests; never an identity.
//! - **A proxy in front that passes on what its client wrote** of the host, in `Host` (nginx:
//!   `$http_host`) or in a header that it is believed for. Lists of addresses and client certificates
//!   that it asks for one host are then gone round through another ([`super::operations`]).
//! - **A portal that does not check the token** but believes the mere presence of the header.
//!   Whoever reaches it past the gateway is anybody. Check the token, and let only the gateway
//!   connect.
//! - **A portal that takes other headers as identity**, such as `Remote-User`. Only names that
//!   begin with `X-Brama-` are guarded. `X-Forwarded-*`, `X-Original-*`, `X-Rewrite-*`, `X-Real-IP`
//!   and `Forwarded` of a client are removed, in whatever spelling folds to them.
//! - **Many slow clients.** A client that stops reading or sending loses its connection after a
//!   minute, and a form of ours after ten seconds; until then it holds one of
//!   `listen.max_connections`, of which one address has at most
//!   `listen.max_connections_per_address`. Many addresses together can still have them all.
//! - **Strangers who fill the room for forms or wishes.** One network cannot: what it has more than others
//!   makes room for them. Many networks together, each with no more than an equal share, can have all of
//!   it: then the next ones are not kept ([`super::forms`]). Memory is bounded, those that are kept stay,
//!   and a citizen whose form is not kept is told so. Within one network, such as an office behind one
//!   address, an attacker pushes out what neighbours keep there.
//! - **Portals that share one origin.** Pseudonyms separate backends, not pages: scripts of one
//!   origin can read the same `session` place and each other's pages.
//! - **Plain HTTP on loopback.** Browsers share cookies between the ports of `localhost`, so another
//!   server there can read and set them. It is for trying things out.
//! - **Revocation.** Certificates are not looked up in revocation lists. The pin is the trust; take
//!   a certificate out of the list when it is no longer good.
//! - **A token that leaked** holds for up to five minutes, signed out or not.
//! - **Logout at the node's side.** The node does not tell service providers. A session here ends
//!   by its own times or when the citizen signs out here.
//! - **Denial by the node.** When the node is away, nobody new can sign in. Sessions go on.
//! - **Somebody who can write to the store** (its file, or Redis with our user). They cannot sign
//!   anybody in, change who is signed in or at which level, or learn who it is, not even with a cookie of
//!   their own: that is sealed with a key from the cookie and a secret of the servers, which there always
//!   is, for this session alone ([`crate::store::seal`]). Nor can
//!   they have a session count as another person's, to hide it from `end-person` and from
//!   `session.maximum_per_person`: one whose owner is not the person sealed in it is good for nobody, from
//!   when it is read next. What they can do: end sessions, by taking records away; keep one alive that is
//!   idle, by a later sign of life, until its absolute end, which is sealed; put back a record that was
//!   ended, so that whoever still has its cookie is signed in again until that end; forget that an
//!   artifact or assertion was used, which the node still refuses; show operators false labels; hide
//!   ends from other replicas until these ask again; keep a replica from starting, by pretending to be one
//!   with another secret ([`crate::store::agreement`]). Signs of life are not sealed because they are told
//!   many at once and the latest must win, whoever tells it. So give the store's user and file to the
//!   gateway alone, and after a break-in change the secret: nothing that was kept opens then.
//! - **A session that ended where this process did not hear of it**, while the store is away: it may be
//!   let in for up to `session.grace` after its end ([`crate::session::sessions`]), and no longer,
//!   whatever was missed before. Zero grace lets nobody in whom the store does not confirm.
//! - **A stolen state folder.** It holds the token keys, the pseudonym secret and that of the store in
//!   the clear, readable by the owner only. Keep it on an encrypted disk.
