#!/bin/sh
# Signs a person of the simulator in with curl, as tests of a portal do without a browser.
#
#   sh sign-in.sh ORIGIN PERSON FILE        sh sign-in.sh http://localhost:8080 anna cookies.txt
#   curl --cookie FILE ORIGIN/page          is theirs from then on
set -eu
origin=$1
person=$2
cookies=$3
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# --- who it is
# A page for a browser, with the cookies of the portal. A program would get JSON.
page() {
    curl --silent --show-error --fail --max-time 20 --cookie "$cookies" --cookie-jar "$cookies" \
        --header 'Accept: text/html' --header 'Sec-Fetch-Mode: navigate' "$@"
}
# Where the form of a page leads to, and the value of one of its hidden fields.
plain() { head -n 1 | sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'; }
action() { sed -n 's/.*<form[^>]* action="\([^"]*\)".*/\1/p' "$1" | plain; }
field() { sed -n "s/.* name=\"$2\" value=\"\([^\"]*\)\".*/\1/p" "$1" | plain; }

# 1. The gateway has the browser carry a signed request to the node.
page "$origin/.brama/login?return_to=/" >"$here/login"
node=$(action "$here/login")
# 2. The simulator asks who it is. Another node has other pages here and at the next step.
page --data-urlencode "SAMLRequest=$(field "$here/login" SAMLRequest)" \
    --data-urlencode "RelayState=$(field "$here/login" RelayState)" "$node" >"$here/choice"
# 3. It is this person, who has the browser carry an artifact back.
page --data-urlencode "transaction=$(field "$here/choice" transaction)" \
    --data-urlencode "person=$person" "${node%/login/*}$(action "$here/choice")" >"$here/back"
# 4. The gateway takes it, leads to /.brama/finish, and there gives the session: 303 each time.
page --data-urlencode "SAMLart=$(field "$here/back" SAMLart)" \
    --data-urlencode "RelayState=$(field "$here/back" RelayState)" \
    --output "$here/page" --dump-header "$here/heads" --location "$(action "$here/back")"
# --- end
grep '	brama	' "$cookies" >/dev/null || grep '	__Host-brama	' "$cookies" >/dev/null || {
    echo "sign-in.sh: no session: $person was refused, or is none of the simulator's people" >&2
    exit 1
}
