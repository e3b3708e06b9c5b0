//! What programs behind the gateway take for the same path, and what to configure.
//!
//! # Why it matters
//!
//! The gateway tells paths apart letter by letter, once what two servers could read in two ways is
//! refused ([`crate::request::path`]). A program behind it may take more of them for the same place: other
//! letter case, something after the name, a script before it. Then a rule for `/admin` does not hold
//! for `/Admin`, which the program serves all the same; what holds is the rule of the shorter path,
//! most often that for `/`.
//!
//! **The safe shape.** Make `/` the strictest rule and open single paths:
//!
//! ```toml
//! [[route]]
//! path = "/"
//! upstream = "portal"
//!
//! [[route]]
//! path = "/news"
//! upstream = "portal"
//! access = "public"
//! ```
//!
//! Another spelling of an open path is then closed, and none of a closed path is open. It holds for
//! levels too: where `/` asks for *substantial* and `/admin` for *high*, `/Admin` is had with
//! *substantial*. `tests/proxy/spellings` asks for some thousand spellings of protected paths at real
//! programs: with `/` the strictest, none gets through without a session.
//!
//! # What was measured
//!
//! With `/` public and a rule for the protected path. The tests hold this table true: no kind of change
//! gets through that does not stand here, and each of these does.
//!
//! | program, set up as | change | for instance | what to configure |
//! |---|---|---|---|
//! | nginx, `location /admin` | letters after | `/adminx` | `location = /admin` and `location /admin/` in its place |
//! | nginx, `location /admin` | extension | `/admin.json` | the same |
//! | nginx, `location /admin` | spaces after | `/admin%20` | the same |
//! | nginx, `location /admin` | signs after | `/admin~` | the same |
//! | nginx, `location /panel { proxy_pass http://app/; }` | no slash between | `/paneldash` | a slash at the end of both: `location /panel/ { proxy_pass http://app/; }` |
//! | Apache, `Options +MultiViews` | extension | `/panel.html` | `Options -MultiViews`, and one name for each page |
//! | Express, as it comes | case | `/Admin` | `app.enable('case sensitive routing')`, for each `Router({ caseSensitive: true })` too |
//! | PHP, `index.php` that routes by `PATH_INFO` | script before | `/index.php/admin` | have the web server refuse `/index.php` and what is below it (nginx: `internal`), or a rule for `/index.php` |
//!
//! What did not get through anywhere, because the gateway refuses it or sees through it: dot segments,
//! double slashes, backslashes, encoded slashes and semicolons, parameters (`;x`), control characters,
//! encoded letters, letters encoded twice, fullwidth dots and slashes, another address in the request
//! line. Letters that become others by a change of case did not either.
//!
//! # Known of others
//!
//! Not in the tests; from what their documentation and their users say.
//!
//! | program | what it takes for `/admin` | what to configure |
//! |---|---|---|
//! | Django, `re_path(r'^admin')` without `$` | all that begins so: `/adminx` | `path('admin/', ...)`, or `$` at the end |
//! | Ruby on Rails | a format: `/admin.json`, `/admin.html` | `format: false` at the route |
//! | Spring MVC before 6 | a slash at the end; before 5.3 any extension | `setUseTrailingSlashMatch(false)`, `setUseSuffixPatternMatch(false)` |
//! | Symfony, Laravel, WordPress behind Apache or nginx | `/index.php/admin` | as for PHP |
//! | ASP.NET, IIS, anything that serves files from Windows or macOS | other letter case; on Windows also dots and spaces at the end, `::$DATA`, short names (`ADMIN~1`) | `/` as the strictest rule; there is no list of all of them |
//! | Tomcat, Jetty | parameters: `/admin;x` | nothing: rules do not see parameters |
//!
//! # How to find out
//!
//! Ask the portal itself, past the gateway, for a protected page with another letter case, with `x`,
//! `.`, `.json`, `%20` and `/` at its end, and with `/index.php` before it. What comes with 200 and the
//! page needs a line of configuration there, or the safe shape here. `brama explain-policy` says for
//! each of these paths which rule holds.
