// A portal of Express whose user comes from the gateway (docs/portals.md).

// --- who it is
import express from "express";
import session from "express-session";
import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = process.env.BRAMA_ISSUER; // public_url of the gateway
const audience = process.env.BRAMA_AUDIENCE; // audience of the route
const keys = createRemoteJWKSet(new URL(process.env.BRAMA_JWKS ?? issuer + "/.brama/jwks.json"), {
  cacheMaxAge: 300_000,
});
const levels = ["substantial", "high"].map((level) => "http://eidas.europa.eu/LoA/" + level);

// Returns the claims, undefined when nobody is signed in, or throws.
async function citizen(request) {
  const tokens = request.headersDistinct["x-brama-assertion"];
  if (tokens === undefined) return undefined;
  if (tokens.length > 1 || tokens[0].length > 8192) throw new Error("not one token of the gateway");
  const { payload } = await jwtVerify(tokens[0], keys, {
    issuer, audience, algorithms: ["ES256"], clockTolerance: 10,
    requiredClaims: ["sub", "sid", "iat", "nbf", "exp"],
  });
  if (!levels.includes(payload.acr)) throw new Error("a higher level of assurance is needed");
  return payload;
}

const app = express();
app.set("trust proxy", "loopback"); // X-Forwarded-Proto of the gateway, for Secure cookies

// request.user is the citizen, as it is with Passport.
app.use(async (request, response, next) => {
  try {
    request.user = await citizen(request);
  } catch {
    return response.status(401).send("This is no identity for this portal.");
  }
  next();
});
app.use(session({
  secret: process.env.PORTAL_SECRET, resave: false, saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: "lax", secure: "auto" },
}));
// The session of Express ends with the login that it was begun in.
app.use((request, response, next) => {
  const login = request.user && `${request.user.sub} ${request.user.sid}`;
  if (request.session.login === login) return next();
  request.session.regenerate((error) => {
    if (login) request.session.login = login;
    next(error);
  });
});
// --- end

app.get("/whoami", (request, response) => {
  if (!request.user) return response.json({ user: null });
  request.session.visits = (request.session.visits ?? 0) + 1;
  const name = [request.user.given_name, request.user.family_name].filter(Boolean).join(" ");
  response.json({ user: request.user.sub, name, visits: request.session.visits });
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`);
});
