# A portal that knows who is there by X-Brama-Assertion (docs/backends.md).

require "cgi"
require "json"
require "net/http"
require "securerandom"
require "webrick"

# --- who it is
require "jwt"

ISSUER = ENV.fetch("BRAMA_ISSUER") # public_url of the gateway
AUDIENCE = ENV.fetch("BRAMA_AUDIENCE") # audience of the route
KEYS_URL = URI(ENV.fetch("BRAMA_JWKS", ISSUER + "/.brama/jwks.json"))
LEVELS = %w[low substantial high].freeze
LEAST = LEVELS.index(ENV.fetch("BRAMA_LEVEL", "substantial"))
LONGEST = 8192

# The set of keys, fetched every five minutes, and when a kid is unknown.
KEYS = lambda do |options|
  is_old = @fetched.nil? || @fetched < Time.now - 300
  if is_old || options[:kid_not_found]
    @keys = JSON.parse(Net::HTTP.get(KEYS_URL), symbolize_names: true)
    @fetched = Time.now
  end
  @keys
end

# Returns the claims, nil when nobody is signed in, or raises JWT::DecodeError.
def citizen(tokens)
  return nil if tokens.empty?
  if tokens.length > 1 || tokens[0].length > LONGEST
    raise JWT::DecodeError, "not one token of the gateway"
  end
  claims, header = JWT.decode(
    tokens[0], nil, true,
    algorithms: ["ES256"], jwks: KEYS, leeway: 10, # the key is found by kid
    iss: ISSUER, verify_iss: true, aud: AUDIENCE, verify_aud: true,
    required_claims: %w[iss aud sub sid iat nbf exp]
  )
  raise JWT::DecodeError, "crit is not understood" if header.key?("crit")
  claims
end

# Whether the level of assurance is the least that is needed here.
def sure_enough?(claims)
  LEVELS.drop(LEAST).any? { |level| claims["acr"] == "http://eidas.europa.eu/LoA/#{level}" }
end

# Ends a session of your own (of Rails: reset_session) that another login began.
def bind(session, claims)
  login = claims && [claims["sub"], claims["sid"]]
  return if session["login"] == login
  session.clear
  session["login"] = login
end
# --- end

SESSIONS = {} # of this process only; take those of your framework
LOCK = Mutex.new

def page(response, status, text)
  response.status = status
  response["Content-Type"] = "text/html; charset=utf-8"
  response["Cache-Control"] = "no-store"
  response.body = "<!doctype html><meta charset=\"utf-8\"><title>Portal</title>#{text}\n"
end

def answer(request, response)
  claims = citizen(request.header["x-brama-assertion"] || [])
  if claims && !sure_enough?(claims)
    return page(response, 403, "<p>A higher level of assurance is needed.</p>")
  end
  old = request.cookies.find { |cookie| cookie.name == "visits" }&.value
  session = SESSIONS.delete(old) || {}
  bind(session, claims)
  return page(response, 200, "<p>Nobody is signed in.</p>") unless claims
  visits = session["visits"] = session.fetch("visits", 0) + 1
  # One who begins a session gets another name for it than anybody knew before.
  new = visits > 1 ? old : SecureRandom.urlsafe_base64(32)
  SESSIONS[new] = session
  response["Set-Cookie"] = "visits=#{new}; HttpOnly; SameSite=Lax; Path=/"
  name = [claims["given_name"], claims["family_name"]].compact.join(" ")
  name = claims["sub"] if name.empty?
  page(response, 200,
       "<p>Signed in: <strong>#{CGI.escapeHTML(name)}</strong></p><p>Visit #{visits}</p>")
rescue JWT::DecodeError
  page(response, 401, "<p>This is no identity for this portal.</p>")
end

server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: ENV.fetch("PORT", "3000").to_i,
  Logger: WEBrick::Log.new(nil, WEBrick::Log::FATAL), AccessLog: []
)
server.mount_proc("/") { |request, response| LOCK.synchronize { answer(request, response) } }
trap("TERM") { server.shutdown }
puts "listening http://127.0.0.1:#{server.listeners.first.addr[1]}"
$stdout.flush
server.start
