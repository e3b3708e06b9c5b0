// A portal that knows who is there by X-Brama-Assertion (docs/backends.md).
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// --- who it is

var (
	issuer   = os.Getenv("BRAMA_ISSUER")   // public_url of the gateway
	audience = os.Getenv("BRAMA_AUDIENCE") // audience of the route
	keysURL  = setting("BRAMA_JWKS", issuer+"/.brama/jwks.json")
	levels   = []string{"low", "substantial", "high"}
	least    = slices.Index(levels, setting("BRAMA_LEVEL", "substantial"))
)

const longest = 8192

// citizen returns the claims, or nil when nobody is signed in.
// Once, at the start: keys, err := keyfunc.NewDefaultCtx(ctx, []string{keysURL})
func citizen(keys keyfunc.Keyfunc, tokens []string) (jwt.MapClaims, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	if len(tokens) > 1 || len(tokens[0]) > longest {
		return nil, errors.New("not one token of the gateway")
	}
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(tokens[0], claims, keys.Keyfunc,
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(issuer),
		jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithLeeway(10*time.Second))
	if err != nil {
		return nil, err
	}
	if _, critical := token.Header["crit"]; critical || claims["sub"] == nil || claims["sid"] == nil {
		return nil, errors.New("not an identity of the gateway")
	}
	return claims, nil
}

// isSureEnough says whether the level of assurance is the least that is needed here.
func isSureEnough(claims jwt.MapClaims) bool {
	level, _ := claims["acr"].(string)
	level, known := strings.CutPrefix(level, "http://eidas.europa.eu/LoA/")
	return known && slices.Contains(levels[least:], level)
}

// bind ends a session of your own that another login began; it returns the one to go on with.
func bind(session *session, claims jwt.MapClaims) *session {
	login := ""
	if claims != nil {
		login = fmt.Sprint(claims["sub"], " ", claims["sid"])
	}
	if session != nil && session.login == login {
		return session
	}
	return newSession(login)
}

// --- end

// A session of the portal's own. Take those of your framework.
type session struct {
	name, login string
	visits      int
}

var (
	sessions = map[string]*session{}
	lock     sync.Mutex
)

func newSession(login string) *session {
	return &session{name: rand.Text(), login: login}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><meta charset=\"utf-8\"><title>Portal</title>%s\n", text)
}

func portal(keys keyfunc.Keyfunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = verify(r, body, keys)
		}
		var claims jwt.MapClaims
		if err == nil {
			claims, err = citizen(keys, r.Header.Values("X-Brama-Assertion"))
		}
		if err != nil {
			answer(w, http.StatusUnauthorized, "<p>This is no identity for this portal.</p>")
			return
		}
		if claims != nil && !isSureEnough(claims) {
			answer(w, http.StatusForbidden, "<p>A higher level of assurance is needed.</p>")
			return
		}
		lock.Lock()
		defer lock.Unlock()
		var known *session
		if cookie, err := r.Cookie("visits"); err == nil {
			known = sessions[cookie.Value]
			delete(sessions, cookie.Value)
		}
		session := bind(known, claims)
		if claims == nil {
			answer(w, http.StatusOK, "<p>Nobody is signed in.</p>")
			return
		}
		session.visits++
		sessions[session.name] = session
		http.SetCookie(w, &http.Cookie{Name: "visits", Value: session.name, Path: "/",
			HttpOnly: true, SameSite: http.SameSiteLaxMode})
		given, _ := claims["given_name"].(string)
		family, _ := claims["family_name"].(string)
		name := strings.TrimSpace(given + " " + family)
		if name == "" {
			name = fmt.Sprint(claims["sub"])
		}
		answer(w, http.StatusOK, fmt.Sprintf("<p>Signed in: <strong>%s</strong></p><p>Visit %d</p>",
			html.EscapeString(name), session.visits))
	}
}

func main() {
	keys, err := keyfunc.NewDefaultCtx(context.Background(), []string{keysURL})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+setting("PORT", "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, portal(keys)))
}
