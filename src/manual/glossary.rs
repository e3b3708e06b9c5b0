//! The Polish terms, and those of the trade.
//!
//! | term | meaning |
//! |---|---|
//! | asercja | assertion: what the node says of one login |
//! | artefakt | artifact: a handle for an answer that waits at the node |
//! | brama | gate |
//! | certyfikat szyfrowania (`_enc_ec`) | the certificate that the node encrypts assertions to |
//! | certyfikat podpisu (`_sig_ec`) | the certificate that our messages are signed with |
//! | COI, Centralny Ośrodek Informatyki | the operator of the node |
//! | dostawca tożsamości | identity provider: profil zaufany, a bank, e-dowód |
//! | dostawca usług (DU) | service provider: the public body with its portal |
//! | e-dowód | the identity card with a chip; level *high* |
//! | eIDAS | Regulation (EU) 910/2014; the levels of assurance and cross-border logins come from it |
//! | ePUAP | an older platform of public services |
//! | login.gov.pl | the address of the national node |
//! | mObywatel | the government's app on a phone |
//! | PESEL | the national identification number, eleven digits, with the date of birth in it |
//! | poziom wiarygodności (*also* poziom zaufania) | level of assurance: niski (low), średni (substantial), wysoki (high) |
//! | profil zaufany | the trusted profile: the common means of signing in; level *substantial* |
//! | publiczny, prywatny | public body, private entity: two kinds of service provider |
//! | symulator | the operator's sandbox; also the simulator that comes with this program |
//! | środowisko integracyjne | the environment of tests before production |
//! | urząd | office, public body |
//! | usługa | service |
//! | Węzeł Krajowy (WK) | the national node: it stands between service providers and identity providers |
//! | wylogowanie | signing out |
//!
//! | term of the trade | meaning here |
//! |---|---|
//! | ACS, assertion consumer service | our address that the browser brings an artifact to |
//! | audience | for whom a token or an assertion is made |
//! | binding cookie | the cookie that tells which browser made a wish or typed a form; a login has its beginning in a sealed one |
//! | CEK, KEK | the key of the content; the key that wraps it |
//! | pin | a certificate that is believed because the configuration names it |
//! | pairwise pseudonym | a subject that differs for each audience |
//! | release | an audience with the claims that it is told |
//! | step-up | signing in again at a higher level of assurance, or because the login is too old |
//! | upstream | the portal behind the gateway |
